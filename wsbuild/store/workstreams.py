"""The status of each workstream within a run, by the one table of allowed changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild import status
from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import Connection


def add_pending(conn: Connection, run_id: str, ws_ids: Iterable[str], now: str) -> None:
    """Note workstreams that a run is about, unless it knows them."""
    conn.executemany(
        "INSERT OR IGNORE INTO workstreams (run_id, ws_id, status, updated_at) VALUES (?, ?, 'pending', ?)",
        [(run_id, ws_id, now) for ws_id in ws_ids],
    )


def get(conn: Connection, run_id: str, ws_id: str) -> str:
    """The present status. Raises LookupError for a workstream that the run does not know."""
    row = conn.execute(
        "SELECT status FROM workstreams WHERE run_id = ? AND ws_id = ?", (run_id, ws_id)
    ).fetchone()
    if row is None:
        raise LookupError(f"{run_id} has no workstream {ws_id}")
    return str(row[0])


def set_status(conn: Connection, run_id: str, ws_id: str, new: str, reason: str, now: str) -> bool:
    """Change a status; gives whether that was a change. An impossible one is a bug."""
    current = get(conn, run_id, ws_id)
    status.check(current, new)
    if current == new:
        return False
    conn.execute(
        "UPDATE workstreams SET status = ?, reason = ?, updated_at = ? WHERE run_id = ? AND ws_id = ?",
        (new, text.plain(reason), now, run_id, ws_id),
    )
    return True


def of_run(conn: Connection, run_id: str) -> dict[str, str]:
    """The statuses of all workstreams of a run."""
    found = conn.execute("SELECT ws_id, status FROM workstreams WHERE run_id = ?", (run_id,))
    return {ws_id: current for ws_id, current in found}  # noqa: C416 - rows are tuples of any
