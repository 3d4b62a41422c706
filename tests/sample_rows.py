"""Rows of a made-up history, written with the store's own functions."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from wsbuild.store import attempts, clean, errors, events, runs, workstreams
from wsbuild.store.recover import Left

NOW = "2026-01-31T12:00:00.000000Z"
LATER = "2026-01-31T12:00:01.500000Z"


def left_nothing(_: attempts.OpenAttempt) -> Left:
    """What an attempt left that did nothing."""
    return "", (0.0, 0, 0)


def add_run(conn: Connection, *ws_ids: str, pid: int = 1, pid_start: int = 0, now: str = NOW) -> str:
    """Open a run of workstreams; gives its id."""
    run_id = runs.create(conn, now, "wsbuild run", pid, pid_start)
    workstreams.add_pending(conn, run_id, ws_ids, now)
    events.append(conn, now, "run_start", run_id=run_id, payload={"command": ["wsbuild", "run"]})
    return run_id


def add_attempt(conn: Connection, run_id: str, task: str, pid: int = 1, pid_start: int = 0) -> int:
    """Open an attempt at `ws:<name>:<step>`; gives its id."""
    _, name, step = task.split(":")
    facts = attempts.Facts(
        run_id, f"ws-{name}", step, task, "never run", "k" * 32, NOW, pid, pid_start, '["true"]'
    )
    attempt_id, number = attempts.open_attempt(conn, facts)
    payload = {"attempt": attempt_id, "number": number, "reason": "never run", "key": "k" * 32}
    events.append(conn, NOW, "step_start", run_id=run_id, ws_id=f"ws-{name}", step=step, payload=payload)
    return attempt_id


def end_attempt(conn: Connection, attempt_id: int, status: str = "ok", **changes: Any) -> None:
    """Close an attempt."""
    fields: dict[str, Any] = {
        "exit_code": 0 if status == "ok" else 1,
        "now": LATER,
        "duration_s": 1.5,
        "message": "",
        "log_path": "",
        "error_id": None,
        "key_moved": False,
        **changes,
    }
    attempts.close_attempt(conn, attempt_id, status=status, **fields)


def add_clean(conn: Connection, run_id: str, task: str, key: str = "k" * 32) -> clean.CleanRow:
    """An attempt that succeeded, with its clean row."""
    attempt_id = add_attempt(conn, run_id, task)
    end_attempt(conn, attempt_id)
    _, name, step = task.split(":")
    manifest, outputs = '[["format","","1"],["input","a.txt","f:00"]]', '{"out.txt":"f:11"}'
    row = clean.CleanRow(task, f"ws-{name}", step, attempt_id, key, manifest, outputs, "r" * 32)
    clean.put(conn, row)
    return row


def add_error(conn: Connection, run_id: str, signature: str, now: str = NOW, **changes: Any) -> int:
    """An error of the step `make` of `ws-a`; gives its id."""
    fields: dict[str, Any] = {
        "ws_id": "ws-a",
        "step": "make",
        "code": "failed",
        "message": f"message of {signature}",
        "context": {"output": "oh"},
        **changes,
    }
    return errors.record(conn, signature=signature, run_id=run_id, now=now, **fields)
