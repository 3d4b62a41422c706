"""Runs: one row for each run that had something to do."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from wsbuild import status as statuses
from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection


def create(conn: Connection, now: str, command: str, pid: int, pid_start: int) -> str:
    """Open a run; gives its id, which sorts by time and is unique."""
    compact = now[:19].replace("-", "").replace(":", "")
    run_id = f"run-{compact}Z-{os.urandom(4).hex()}"
    conn.execute(
        "INSERT INTO runs (run_id, status, command, pid, pid_start, started_at)"
        " VALUES (?, 'running', ?, ?, ?, ?)",
        (run_id, text.plain(command), pid, pid_start, now),
    )
    return run_id


def finish(
    conn: Connection,
    run_id: str,
    status: str,
    now: str,
    duration_s: float,
    counts: Mapping[str, int],
) -> None:
    """Close a run. Closing it in another way than it is closed already is a bug."""
    (current,) = conn.execute("SELECT status FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    statuses.check(current, status, statuses.RUN_TRANSITIONS)
    conn.execute(
        "UPDATE runs SET status = ?, finished_at = ?, duration_s = ?, counts_json = ? WHERE run_id = ?",
        (status, now, duration_s, json.dumps(counts), run_id),
    )


def abandon(conn: Connection, run_id: str, now: str) -> None:
    """Close a run that is open and whose process died; how long it took is not known."""
    conn.execute(
        "UPDATE runs SET status = 'abandoned', finished_at = ? WHERE run_id = ? AND status = 'running'",
        (now, run_id),
    )


def still_open(conn: Connection) -> list[tuple[str, int, int]]:
    """The runs that say they are running: id, pid, start of the process."""
    found = conn.execute("SELECT run_id, pid, pid_start FROM runs WHERE status = 'running'")
    return [(run_id, pid, start) for run_id, pid, start in found]
