"""What attempts have used, and until when tools are not to be asked. Times are UTC, `until` is seconds
since 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlite3 import Connection


class Spent(NamedTuple):
    """Sums over attempts: US dollars, and tokens in both directions."""

    cost_usd: float
    tokens: int


class Wait(NamedTuple):
    """A tool that is not to be asked before a time, and what it said."""

    until: float
    reason: str


_SUM = "SELECT coalesce(sum(cost_usd), 0.0), coalesce(sum(tokens_sent + tokens_received), 0) FROM spend"


def put(
    conn: Connection, attempt_id: int, run_id: str, ws_id: str, now: str, usage: tuple[float, int, int]
) -> None:
    """Note what an attempt has used: dollars, tokens sent, tokens received."""
    conn.execute(
        "INSERT INTO spend (attempt_id, run_id, ws_id, at, cost_usd, tokens_sent, tokens_received)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (attempt_id, run_id, ws_id, now, *usage),
    )


def of_workstream(conn: Connection, ws_id: str) -> Spent:
    """What a workstream has used since it was done last."""
    done = "SELECT coalesce(max(updated_at), '') FROM workstreams WHERE ws_id = ? AND status = 'done'"
    return Spent(*conn.execute(f"{_SUM} WHERE ws_id = ? AND at > ({done})", (ws_id, ws_id)).fetchone())


def of_run(conn: Connection, run_id: str) -> Spent:
    """What a run has used."""
    return Spent(*conn.execute(f"{_SUM} WHERE run_id = ?", (run_id,)).fetchone())


def since(conn: Connection, at: str) -> Spent:
    """What was used from a time on."""
    return Spent(*conn.execute(f"{_SUM} WHERE at >= ?", (at,)).fetchone())


def wait_of(conn: Connection, tool: str) -> Wait | None:
    """Until when a tool is not to be asked, if that is known; it may be past."""
    found = conn.execute("SELECT until, reason FROM waits WHERE tool = ?", (tool,)).fetchone()
    return None if found is None else Wait(*found)


def put_wait(conn: Connection, tool: str, wait: Wait) -> None:
    """Note until when a tool is not to be asked."""
    conn.execute("INSERT OR REPLACE INTO waits (tool, until, reason) VALUES (?, ?, ?)", (tool, *wait))


def end_wait(conn: Connection, tool: str) -> None:
    """The tool has answered."""
    conn.execute("DELETE FROM waits WHERE tool = ?", (tool,))
