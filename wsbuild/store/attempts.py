"""Attempts: one row for each time a step was started, open until it is known how it ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from sqlite3 import Connection


class AttemptRow(NamedTuple):
    """The latest attempt of a step; `key_moved` says that an input changed while it ran, `standing` is
    what lay at the places of its outputs before, made by others, `died` that its end was never seen.
    """

    attempt_id: int
    task: str
    number: int
    status: str
    key_moved: bool
    started_at: str
    log_path: str
    message: str
    standing: tuple[str, ...] = ()
    died: bool = False


class OpenAttempt(NamedTuple):
    """An attempt that was never closed."""

    attempt_id: int
    run_id: str
    ws_id: str
    step: str
    task: str
    number: int
    pid: int
    pid_start: int
    tool_pid: int | None
    tool_pid_start: int | None


class Facts(NamedTuple):
    """What is known of an attempt when it begins."""

    run_id: str
    ws_id: str
    step: str
    task: str
    reason: str
    key: str
    now: str
    pid: int
    pid_start: int
    command_json: str


_FACTS = "run_id, ws_id, step, task, number, reason, key, started_at, pid, pid_start, command_json"


def _insert(conn: Connection, facts: Facts, columns: str, values: Sequence[Any]) -> tuple[int, int]:
    """Add a row; gives its id and its number among the attempts of the step, from 1."""
    (number,) = conn.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE task = ?", (facts.task,)
    ).fetchone()
    known = (*facts[:4], number, text.plain(facts.reason), *facts[5:9], text.plain(facts.command_json))
    marks = ", ".join("?" * (len(known) + len(values)))
    cursor = conn.execute(
        f"INSERT INTO attempts ({_FACTS}, {columns}) VALUES ({marks})",  # noqa: S608
        (*known, *values),
    )
    return int(cursor.lastrowid or 0), int(number)


def open_attempt(conn: Connection, facts: Facts, standing: Iterable[str] = ()) -> tuple[int, int]:
    """Open an attempt; `standing` lies where its outputs go. Gives its id and its number."""
    return _insert(conn, facts, "status, standing_json", ("running", json.dumps(sorted(standing))))


def add_cached(
    conn: Connection, facts: Facts, *, exit_code: int, message: str, log_path: str
) -> tuple[int, int]:
    """Note a step whose recorded result was put back: an attempt that started nothing, and is over. Gives
    its id and its number.
    """
    columns = "status, finished_at, duration_s, exit_code, message, log_path, cached"
    values = ("ok", facts.now, 0.0, exit_code, text.plain(message), text.plain(log_path), 1)
    return _insert(conn, facts, columns, values)


def set_tool(conn: Connection, attempt_id: int, pid: int, pid_start: int) -> None:
    """Note the process that runs for an attempt."""
    conn.execute(
        "UPDATE attempts SET tool_pid = ?, tool_pid_start = ? WHERE attempt_id = ?",
        (pid, pid_start, attempt_id),
    )


def close_attempt(
    conn: Connection,
    attempt_id: int,
    *,
    status: str,
    exit_code: int | None,
    now: str,
    duration_s: float | None,
    message: str,
    log_path: str,
    error_id: int | None,
    key_moved: bool,
) -> None:
    """Close an open attempt; one that is closed stays as it is, and closing it is a bug."""
    cursor = conn.execute(
        "UPDATE attempts SET status = ?, exit_code = ?, finished_at = ?, duration_s = ?, message = ?,"
        " log_path = ?, error_id = ?, key_moved = ? WHERE attempt_id = ? AND status = 'running'",
        (
            status,
            exit_code,
            now,
            duration_s,
            text.plain(message),
            text.plain(log_path),
            error_id,
            int(key_moved),
            attempt_id,
        ),
    )
    if cursor.rowcount != 1:
        raise AssertionError(f"BUG: attempt {attempt_id} is not open")


def key_of(conn: Connection, attempt_id: int) -> str:
    """The key of what an attempt started from; '' where there is no such attempt."""
    found = conn.execute("SELECT key FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
    return found[0] if found else ""


def still_open(conn: Connection) -> list[OpenAttempt]:
    """The attempts that say they are running."""
    found = conn.execute(
        "SELECT attempt_id, run_id, ws_id, step, task, number, pid, pid_start, tool_pid, tool_pid_start"
        " FROM attempts WHERE status = 'running'"
    )
    return [OpenAttempt(*row) for row in found]


def last_for_tasks(conn: Connection, tasks: Iterable[str]) -> dict[str, AttemptRow]:
    """The latest attempt of each of `tasks` that has one."""
    found = conn.execute(
        "SELECT attempt_id, task, number, status, key_moved, started_at, log_path, message,"
        " standing_json, status <> 'ok' AND duration_s IS NULL"
        " FROM (SELECT value AS wanted FROM json_each(?)) JOIN attempts ON attempts.task = wanted"
        " AND number = (SELECT max(number) FROM attempts WHERE task = wanted)",
        (json.dumps(list(tasks)),),
    )
    rows = [
        AttemptRow(*row[:8])._replace(key_moved=bool(row[4]), standing=_paths(row[8]), died=bool(row[9]))
        for row in found
    ]
    return {row.task: row for row in rows}


def _paths(text_json: str) -> tuple[str, ...]:
    """A list of paths; a damaged one is empty."""
    try:
        return tuple(str(path) for path in json.loads(text_json))
    except (TypeError, ValueError):
        return ()


def durations(conn: Connection) -> dict[str, float]:
    """Seconds that each workstream's steps took when they last ran and succeeded."""
    found = conn.execute(
        "SELECT clean.ws_id, sum(attempts.duration_s) FROM clean JOIN attempts USING (attempt_id)"
        " WHERE attempts.duration_s IS NOT NULL AND NOT attempts.cached GROUP BY clean.ws_id"
    )
    return {ws_id: seconds for ws_id, seconds in found}  # noqa: C416
