"""What may become of a finding, and what a run says about it."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from wsbuild.detectors import life
from wsbuild.detectors.finding import Finding
from wsbuild.detectors.life import ALLOWED, STATES, Judged
from wsbuild.errors import UserError
from wsbuild.store import findings as store
from wsbuild.store.db import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wsbuild.store.db import Store

AT = "2026-01-31T12:00:00.000000Z"
WAYS = {
    "new": [],
    "analyzed": ["analyzed"],
    "fixed": ["fixed"],
    "verified": ["fixed", "verified"],
}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Store]:
    """A history database."""
    with closing(open_store(str(tmp_path / "state.db"))) as opened:
        yield opened


def finding(mark: str, path: str = "a.py", line: int = 1, detector: str = "one") -> Finding:
    """A finding with a fingerprint."""
    return Finding(path, line, 1, "X", "style", "warning", f"about {mark}", "", detector, mark)


def ran(history: Store, found: list[Finding], whole: bool = True, **files: list[str]) -> bool:
    """Write down a run."""
    with history.transaction() as conn:
        return life.record(conn, Judged(files or {"one": ["a.py", "b.py"]}, whole), found, AT)


def states(history: Store) -> dict[str, str]:
    """The state of each finding."""
    rows = store.find(history.connection(), store.Wanted(limit=99))
    return {row["fingerprint"]: row["state"] for row in rows}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_the_database_keeps_to_the_table(history: Store, before: str, after: str) -> None:
    """Whoever writes."""
    ran(history, [finding("f")])
    conn = history.connection()
    for state in WAYS[before]:
        conn.execute("UPDATE findings SET state = ?", (state,))
    if before == after or (before, after) in ALLOWED:
        conn.execute("UPDATE findings SET state = ?", (after,))
        assert states(history) == {"f": after}
    else:
        with pytest.raises(sqlite3.IntegrityError, match="does not change its state like that"):
            conn.execute("UPDATE findings SET state = ?", (after,))


@pytest.mark.parametrize("state", STATES[1:])
def test_a_finding_is_new_first(history: Store, state: str) -> None:
    """By the database, too."""
    ran(history, [finding("f")])
    with pytest.raises(sqlite3.IntegrityError, match="is new first"):
        history.connection().execute(
            "INSERT INTO findings SELECT 2, detector, path, 'g', line, \"column\", code, category, severity,"
            " message, url, ?, first_seen_at, last_seen_at, changed_at FROM findings",
            (state,),
        )


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_a_user_keeps_to_the_table(history: Store, before: str, after: str) -> None:
    """What a user may not say is refused, with what he may; all or nothing."""
    ran(history, [finding("f0001"), finding("g0001")])
    conn = history.connection()
    for state in WAYS[before]:
        conn.execute("UPDATE findings SET state = ? WHERE fingerprint = 'f0001'", (state,))
    if life.USER in ALLOWED.get((before, after), ()):
        with history.transaction():
            life.mark(conn, ["f000"], after, "why", AT)
        assert states(history)["f0001"] == after
        [number] = conn.execute("SELECT finding_id FROM findings WHERE fingerprint = 'f0001'").fetchone()
        last = store.changes_of(conn, number)[-1]
        assert (last["state_before"], last["state_after"], last["changed_by"]) == (before, after, "user")
        assert last["note"] == "why"
    else:
        with pytest.raises(UserError, match=f"f0001 is {before}, and cannot be marked as {after}"):
            life.mark(conn, ["f0001", "g0001"], after, "", AT)
        assert states(history) == {"f0001": before, "g0001": "new"}


def test_what_is_not_found_any_more_is_fixed_and_then_verified(history: Store) -> None:
    """By a later run; one that comes back is new again, and says so."""
    assert not ran(history, [finding("f")])
    assert ran(history, [])
    assert states(history) == {"f": "fixed"}
    assert not ran(history, [])
    assert states(history) == {"f": "verified"}
    assert not ran(history, [])
    assert not ran(history, [finding("f")])
    assert states(history) == {"f": "new"}
    changes = store.changes_of(history.connection(), 1)
    assert [one["state_after"] for one in changes] == ["new", "fixed", "verified", "new"]
    assert changes[-1]["note"] == "found again"
    ran(history, [])
    ran(history, [finding("f")])
    assert states(history) == {"f": "new"}


@pytest.mark.parametrize(
    ("whole", "files", "left"),
    [
        (True, {"one": ["a.py"]}, "other"),
        (False, {"one": ["a.py"]}, "b other"),
        (False, {"one": ["b.py"]}, "a other"),
        (True, {"other": ["a.py"]}, "a b"),
        (False, {"one": []}, "a b other"),
        (True, {"one": []}, "other"),
    ],
)
def test_a_run_says_nothing_of_what_it_has_not_judged(
    history: Store, whole: bool, files: dict[str, list[str]], left: str
) -> None:
    """Of files that it was not asked about, or of other detectors; what is gone from all files is gone."""
    every = [finding("a"), finding("b", "b.py"), finding("other", detector="other")]
    ran(history, every, one=["a.py", "b.py"], other=["a.py"])
    ran(history, [], whole, **files)
    assert sorted(mark for mark, state in states(history).items() if state == "new") == left.split()


def test_a_finding_is_one_wherever_its_line_moves(history: Store) -> None:
    """Its place is that of now; where nothing has changed nothing is written."""
    ran(history, [finding("f", line=3)])
    ran(history, [finding("f", line=30)])
    [row] = store.find(history.connection(), store.Wanted())
    assert (row["line"], row["state"]) == (30, "new")
    before = history.connection().total_changes
    ran(history, [finding("f", line=30)])
    assert history.connection().total_changes == before


def test_the_same_fingerprint_in_another_file_is_another(history: Store) -> None:
    """As is that of another detector."""
    ran(
        history,
        [finding("f"), finding("f", "b.py"), finding("f", detector="two")],
        one=["a.py", "b.py"],
        two=["a.py"],
    )
    assert len(store.find(history.connection(), store.Wanted())) == 3
    history.connection().execute("UPDATE findings SET fingerprint = 'ffff'")
    with pytest.raises(UserError, match="are 3 findings"):
        life.one(history.connection(), "ffff")


@pytest.mark.parametrize(
    ("prefix", "told"), [("abc", "is too short"), ("abcd", "there is no finding 'abcd'")]
)
def test_a_finding_must_be_named(history: Store, prefix: str, told: str) -> None:
    """By enough of its fingerprint."""
    ran(history, [finding("f")])
    with pytest.raises(UserError, match=told):
        life.one(history.connection(), prefix)


def test_what_became_of_it_stays(history: Store) -> None:
    """Changes are neither changed nor removed."""
    ran(history, [finding("f")])
    for sql in ("UPDATE finding_changes SET note = 'x'", "DELETE FROM finding_changes"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            history.connection().execute(sql)


def test_filters(history: Store) -> None:
    """By state, detector, severity, path and time; a directory is what is below it."""
    every = [finding("a", "src/a.py"), finding("b", "src_b.py"), finding("c", "src", detector="two")]
    ran(history, every, one=["src/a.py", "src_b.py"], two=["src"])

    def marks(**wanted: object) -> list[str]:
        rows = store.find(history.connection(), store.Wanted(**wanted))  # type: ignore[arg-type]
        return sorted(row["fingerprint"] for row in rows)

    assert marks(paths=["src/"]) == ["a", "c"]
    assert marks(paths=["src_b.py"]) == ["b"]
    assert marks(detectors=["two"]) == ["c"]
    assert marks(severities=["error"]) == []
    assert marks(states=["fixed"]) == []
    assert marks(since="2026-02") == []
    assert len(marks(limit=2)) == 2


def test_reading_looks_at_no_more_than_it_must(history: Store) -> None:
    """By an index."""
    conn = history.connection()
    for sql in (
        "SELECT * FROM findings WHERE detector IN (SELECT value FROM json_each('[]'))",
        "SELECT * FROM findings WHERE fingerprint >= 'a' AND fingerprint < 'b'",
        "SELECT * FROM finding_changes WHERE finding_id = 1",
    ):
        plan = " ".join(row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}"))
        assert "SCAN findings" not in plan
        assert "SCAN finding_changes" not in plan
