"""Which status may follow which: every pair, written out by hand."""

from __future__ import annotations

import pytest

from wsbuild import status

COLUMNS = (
    "pending editing static_check fixing runtime_tests landing waiting"
    " done failed blocked skipped canceled over_budget"
)
WORKSTREAM_TABLE = """
pending        = x x . x x x x x x x x x
editing        . = x . x x x x x . . x x
static_check   . x = x x x x x x . . x x
fixing         . . x = x . x x x . . x x
runtime_tests  . x x x = x x x x . . x x
landing        . . . . . = x x x . . x x
waiting        . x x x x x = x x x x x x
done           . . . . . . . = . . . . .
failed         . . . . . . . . = . . . .
blocked        . . . . . . . . . = . . .
skipped        . . . . . . . . . . = . .
canceled       . . . . . . . . . . . = .
over_budget    . . . . . . . . . . . . =
"""
RUN_COLUMNS = "running succeeded failed interrupted abandoned"
RUN_TABLE = """
running      = x x x x
succeeded    . = . . .
failed       . . = . .
interrupted  . . . = .
abandoned    . . . . =
"""


def cells(columns: str, table: str) -> list[tuple[str, str, str]]:
    """The table as (from, to, mark)."""
    names = columns.split()
    rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], to, mark) for row in rows for to, mark in zip(names, row[1:], strict=True)]


@pytest.mark.parametrize(("current", "new", "mark"), cells(COLUMNS, WORKSTREAM_TABLE))
def test_a_workstream_changes_as_the_table_says(current: str, new: str, mark: str) -> None:
    """`x` may be, `=` is no change and may be, `.` is a bug of whoever asks for it."""
    assert status.may(current, new) == (mark in "x=")
    if mark == ".":
        with pytest.raises(AssertionError, match="BUG"):
            status.check(current, new)
    else:
        status.check(current, new)


@pytest.mark.parametrize(("current", "new", "mark"), cells(RUN_COLUMNS, RUN_TABLE))
def test_a_run_ends_once(current: str, new: str, mark: str) -> None:
    """A run that ended stays as it ended."""
    assert status.may(current, new, status.RUN_TRANSITIONS) == (mark in "x=")


def test_the_tables_are_complete() -> None:
    """Every status there is has its row and its column here."""
    assert set(COLUMNS.split()) == set(status.WORKSTREAM) == set(status.TRANSITIONS)
    assert set(RUN_COLUMNS.split()) == set(status.RUN) == set(status.RUN_TRANSITIONS)


def test_a_final_status_is_final() -> None:
    """Nothing leaves what a workstream ends with, and everything else can end."""
    for name in status.WORKSTREAM:
        assert (not status.TRANSITIONS[name]) == (name in status.FINAL)
