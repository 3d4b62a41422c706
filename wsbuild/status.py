"""The statuses of runs, workstreams and attempts, and which may follow which. Data and lookups only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN = ("running", "succeeded", "failed", "interrupted", "abandoned")
"""A run; `abandoned` is one whose process died, closed by the next that writes."""

ATTEMPT = ("running", "ok", "failed", "timeout", "missing", "crashed", "interrupted")
"""One attempt at a step; `missing` is a tool that could not be started, `crashed` one that a signal
killed.
"""

ACTIVE = ("editing", "static_check", "fixing", "runtime_tests", "landing")
"""A workstream while its steps run."""

FINAL = frozenset({"done", "failed", "blocked", "skipped", "canceled", "over_budget"})
"""How a workstream ends within a run."""

WORKSTREAM = ("pending", *ACTIVE, "waiting", *sorted(FINAL))

_CHECKED = frozenset({"editing", "static_check", "runtime_tests", "landing"})
_ENDS = frozenset({"done", "failed", "canceled", "waiting", "over_budget"})

TRANSITIONS: Mapping[str, frozenset[str]] = {
    # Everything may be up to date already, or never get its turn.
    "pending": frozenset({*_CHECKED, *FINAL, "waiting"}),
    # Explicit steps are a graph of their own: these three may follow each other in any order.
    "editing": _CHECKED - {"editing"} | _ENDS,
    "static_check": _CHECKED - {"static_check"} | _ENDS | {"fixing"},
    "runtime_tests": _CHECKED - {"runtime_tests"} | _ENDS | {"fixing"},
    # A fix is checked again.
    "fixing": frozenset({"static_check", "runtime_tests"}) | _ENDS,
    "landing": _ENDS,
    "waiting": frozenset({*_CHECKED, "fixing", *FINAL}),
    **dict.fromkeys(FINAL, frozenset()),
}

RUN_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "running": frozenset(RUN) - {"running"},
    **dict.fromkeys(RUN[1:], frozenset()),
}


def may(current: str, new: str, table: Mapping[str, frozenset[str]] = TRANSITIONS) -> bool:
    """Whether `table` lets a workstream (or a run) go from `current` to `new`; staying is allowed."""
    return current == new or new in table[current]


def check(current: str, new: str, table: Mapping[str, frozenset[str]] = TRANSITIONS) -> None:
    """Raise AssertionError for a change that is not allowed: whoever asked for it has a bug."""
    if not may(current, new, table):
        raise AssertionError(f"BUG: no way from status {current} to {new}")
