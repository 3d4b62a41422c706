"""Who has approved which workstream, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlite3 import Connection


class Approval(NamedTuple):
    """An approval up to `level`, of the workstream as the digest `definition` has it; `at` is UTC."""

    level: int
    definition: str
    approved_by: str
    at: str
    note: str


def get(conn: Connection, ws_id: str) -> Approval | None:
    """The approval of a workstream, if there is one."""
    found = conn.execute(
        "SELECT level, definition, approved_by, at, note FROM approvals WHERE ws_id = ?", (ws_id,)
    ).fetchone()
    return None if found is None else Approval(*found)


def put(conn: Connection, ws_id: str, approval: Approval) -> None:
    """Write an approval, in the place of an earlier one."""
    conn.execute(
        "INSERT OR REPLACE INTO approvals (ws_id, level, definition, approved_by, at, note)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (ws_id, *approval),
    )


def remove(conn: Connection, ws_id: str) -> bool:
    """Take an approval back; gives whether there was one."""
    return conn.execute("DELETE FROM approvals WHERE ws_id = ?", (ws_id,)).rowcount > 0
