"""How a workstream stands, from what was recorded of it: in few words, each from the time it became true."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

IN_PROGRESS, DONE, FAILED, BLOCKED = "in-progress", "done", "failed", "blocked"
WORDS = (IN_PROGRESS, DONE, FAILED, BLOCKED)

_OF_STATUS = {
    **dict.fromkeys(
        ("editing", "static_check", "fixing", "runtime_tests", "landing", "waiting"), IN_PROGRESS
    ),
    "done": DONE,
    "failed": FAILED,
    **dict.fromkeys(("blocked", "over_budget"), BLOCKED),
}
"""What is not here (`pending`, `skipped`, `canceled`) says nothing of how far the work is."""


class Moved(Protocol):
    """A change of status as recorded: `at` is a UTC time."""

    @property
    def ws_id(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Standing(NamedTuple):
    """How a workstream stands since `at`, a UTC time in seconds; `word` is one of WORDS."""

    word: str
    at: str
    run_id: str
    reason: str


def in_seconds(at: str) -> str:
    """A UTC time without fractions of a second."""
    return at[:19] + "Z"


def time_of(text: str) -> datetime | None:
    """The time that a field says, UTC where it names no zone; None for what is no time."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def standings(moves: Iterable[Moved]) -> dict[str, list[Standing]]:
    """For each workstream how it stood, in the order of time, no word twice in a row: a run that finds it
    done, as it was, changes nothing.
    """
    found: dict[str, list[Standing]] = {}
    for move in moves:
        word = _OF_STATUS.get(move.status)
        known = found.setdefault(move.ws_id, [])
        if word is not None and (not known or known[-1].word != word):
            known.append(Standing(word, in_seconds(move.at), move.run_id, move.reason))
    return {ws_id: known for ws_id, known in found.items() if known}
