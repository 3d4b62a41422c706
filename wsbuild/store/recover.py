"""After a crash: close what dead processes left open. Called by whoever holds the tree's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild import status
from wsbuild.atomic import is_alive
from wsbuild.store import attempts, events, runs, spend, workstreams

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

    from wsbuild.store.db import Store


Left = tuple[str, tuple[float, int, int]]
"""What an attempt left: its log's path ('' for none), and what it used, as `spend.put` has it."""


def _close_attempt(conn: Connection, attempt: attempts.OpenAttempt, now: str, left: Left) -> None:
    log, usage = left
    if any(usage):
        spend.put(conn, attempt.attempt_id, attempt.run_id, attempt.ws_id, now, usage)
    attempts.close_attempt(
        conn,
        attempt.attempt_id,
        status="interrupted",
        exit_code=None,
        now=now,
        duration_s=None,
        message="the process that ran it died",
        log_path=log,
        error_id=None,
        key_moved=False,
    )
    events.append(
        conn,
        now,
        "step_recovered",
        run_id=attempt.run_id,
        ws_id=attempt.ws_id,
        step=attempt.step,
        payload={"attempt": attempt.attempt_id},
    )


def _close_run(conn: Connection, run_id: str, now: str) -> None:
    for ws_id, current in workstreams.of_run(conn, run_id).items():
        if current not in status.FINAL:
            why = "the run died"
            workstreams.set_status(conn, run_id, ws_id, "canceled", why, now)
            payload = {"from": current, "to": "canceled", "reason": why}
            events.append(conn, now, "workstream_status", run_id=run_id, ws_id=ws_id, payload=payload)
    runs.abandon(conn, run_id, now)
    events.append(conn, now, "run_abandoned", run_id=run_id, payload={})


def recover(store: Store, now: str, left_by: Callable[[attempts.OpenAttempt], Left]) -> list[str]:
    """Close the attempts and runs of dead processes; gives a line for each run so closed. `left_by` says
    what an attempt left.
    """
    conn = store.connection()
    dead_runs = [run_id for run_id, pid, start in runs.still_open(conn) if not is_alive(pid, start)]
    dead = [a for a in attempts.still_open(conn) if not is_alive(a.pid, a.pid_start)]
    if not dead_runs and not dead:
        return []
    left = [left_by(attempt) for attempt in dead]
    with store.transaction() as conn:
        for attempt, what in zip(dead, left, strict=True):
            _close_attempt(conn, attempt, now, what)
        for run_id in dead_runs:
            _close_run(conn, run_id, now)
    return [f"{run_id} died; going on from where it was" for run_id in dead_runs]
