"""How workstreams stand, by what was recorded."""

from __future__ import annotations

from wsbuild.planning.project.standing import standings, time_of
from wsbuild.status import FINAL, WORKSTREAM
from wsbuild.store.events import Move


def _moves(*statuses: str) -> list[Move]:
    return [Move("ws-a", f"2026-01-31T12:00:{at:02d}.5Z", "r", to, "why") for at, to in enumerate(statuses)]


def _words(*statuses: str) -> list[tuple[str, str]]:
    return [(one.word, one.at[17:19]) for one in standings(_moves(*statuses)).get("ws-a", [])]


def test_the_time_is_when_it_became_so() -> None:
    """Not when it was found to be so again, nor when a run did not get to it."""
    assert _words("done", "done", "canceled", "skipped", "done") == [("done", "00")]
    assert _words("editing", "static_check", "landing", "done") == [("in-progress", "00"), ("done", "03")]
    assert _words("failed", "editing", "failed") == [
        ("failed", "00"),
        ("in-progress", "01"),
        ("failed", "02"),
    ]
    assert _words("blocked", "over_budget", "failed") == [("blocked", "00"), ("failed", "02")]
    assert _words("canceled", "skipped") == []


def test_every_status_is_thought_of() -> None:
    """Some say nothing of how far the work is."""
    assert {status for status in WORKSTREAM if not _words(status)} == {"pending", "skipped", "canceled"}
    assert FINAL


def test_times() -> None:
    """As files have them; without a zone it is UTC."""
    assert (
        time_of("2026-01-31T12:00:00Z")
        == time_of("2026-01-31 12:00:00")
        == time_of("2026-01-31T13:00:00+01:00")
    )
    assert time_of("2026-01-31") is not None
    assert [time_of(text) for text in ("", "soon", "[Current ISO date/time]", "2026")] == [None] * 4
