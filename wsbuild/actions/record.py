"""The only writer of the store.

A step's attempt is two transactions: the first opens it and takes away the row that said "up to
date"; the second, after the step ran and its key was computed again, closes it and writes that row
anew, if it succeeded and the key did not move. So a process killed at any moment loses no attempt
that was told, and never leaves a wrong "up to date".
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from wsbuild import status
from wsbuild.actions.outcome import Attempt, Outcome, success_of
from wsbuild.actions.tally import BLOCKED, FAILED, UP_TO_DATE, StepReport
from wsbuild.atomic import FileLock, is_alive, process_start
from wsbuild.cache.manifest import canonical_json
from wsbuild.statedir import LOCK, STATE, make_dir
from wsbuild.store import (
    attempts,
    clean,
    errors,
    events,
    files,
    ignored,
    recover,
    runs,
    workstreams,
    writes,
)

if TYPE_CHECKING:
    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.outcome import Success
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import StepPlan, WorkstreamPlan
    from wsbuild.store.db import Connection, Store


def utc_now() -> str:
    """Now as UTC ISO 8601 with microseconds and one `Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _end_orphans(store: Store) -> None:
    """End the tools that outlived both their run and their supervisor: they must not go on writing."""
    for attempt in store.read(attempts.still_open):
        pid, start = attempt.tool_pid or 0, attempt.tool_pid_start or 0
        if start and is_alive(pid, start) and not is_alive(attempt.pid, attempt.pid_start):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            _tell(f"ended process {pid}, which a run that died had left behind")


def _tell(line: str) -> None:
    sys.stderr.write(f"wsbuild: {line}\n")


ACTIVE_OF_PHASE = {
    "edit": "editing",
    "static": "static_check",
    "runtime": "runtime_tests",
    "land": "landing",
}


class Recorder:
    """Writes what happens to the store, holding the tree's lock from the first write on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._opening = Lock()
        self._lock: FileLock | None = None
        self._started = 0.0

    # --- the run

    def hold_tree(self) -> None:
        """Take the tree's lock unless it is held, and close what dead processes left open.

        Raises BusyError when waiting is not wanted, StateError when state cannot be written.
        """
        with self._opening:
            if self._lock is not None:
                return
            make_dir(self._session.root, STATE)
            lock = FileLock(os.path.join(self._session.root, LOCK), " ".join(sys.argv[:4]))
            lock.acquire(wait=self._session.wait, on_wait=_tell, stop=lambda: bool(self._session.ended_by))
            self._lock = lock
            self._session.begin_writing()
            _end_orphans(self._session.store)
            for line in recover.recover(self._session.store, utc_now()):
                _tell(line)

    def open_run(self) -> str:
        """Create the run's row, with all its workstreams pending, unless it is there."""
        self.hold_tree()
        with self._opening:
            if self._session.run_id is None:
                self._started = time.monotonic()
                now = utc_now()
                pid = os.getpid()
                with self._session.store.transaction() as conn:
                    run_id = runs.create(conn, now, " ".join(sys.argv), pid, process_start(pid))
                    workstreams.add_pending(conn, run_id, list(self._session.chosen), now)
                    events.append(conn, now, "run_start", run_id=run_id, payload={"command": sys.argv})
                self._session.run_id = run_id
            return self._session.run_id

    def finish(self) -> None:
        """Close the run: every workstream in a final status, then the run itself."""
        if self._session.run_id is None:
            self._save_files()
            return
        session, now = self._session, utc_now()
        failed = {r.task.split(":")[1] for r in session.tally.reports if r.status == FAILED}
        failed_ids = {"ws-" + name for name in failed}
        blocked = set() if session.ended_by else session.plan.dependents(failed_ids, session.chosen)
        ended = "interrupted" if session.ended_by else "failed" if failed else "succeeded"
        with session.store.transaction() as conn:
            for ws_id, steps in session.chosen.items():
                self._finish_workstream(conn, ws_id, steps, ws_id in blocked, now)
            duration = time.monotonic() - self._started
            runs.finish(conn, self._session.run_id, ended, now, duration, session.tally.counts())
            payload = {"status": ended, **session.tally.counts()}
            events.append(conn, now, "run_end", run_id=self._session.run_id, payload=payload)
        self._save_files()

    def release(self) -> None:
        """Let the next one have the tree."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _finish_workstream(
        self, conn: Connection, ws_id: str, steps: list[str], is_blocked: bool, now: str
    ) -> None:
        assert self._session.run_id is not None
        session = self._session
        ws = session.plan[ws_id]
        told = [session.tally.get(ws.step_task(step)) for step in steps]
        current = workstreams.get(conn, self._session.run_id, ws_id)
        if current in status.FINAL:
            return
        if is_blocked or any(r is not None and r.status == BLOCKED for r in told):
            self._move(conn, ws_id, "blocked", "a workstream it depends on failed", now)
        elif any(r is None for r in told):
            why = "interrupted" if session.ended_by else "the run stopped at a failure"
            self._move(conn, ws_id, "canceled", why, now)
        elif all(r is not None and r.status == "skipped" for r in told):
            self._move(conn, ws_id, "skipped", "nothing to do", now)
        else:
            self._move(conn, ws_id, "done", "", now)

    def _move(self, conn: Connection, ws_id: str, new: str, reason: str, now: str) -> None:
        """Change a workstream's status, with its event, where that is a change."""
        assert self._session.run_id is not None
        old = workstreams.get(conn, self._session.run_id, ws_id)
        if workstreams.set_status(conn, self._session.run_id, ws_id, new, reason, now):
            payload = {"from": old, "to": new, "reason": reason}
            events.append(
                conn,
                now,
                "workstream_status",
                run_id=self._session.run_id,
                ws_id=ws_id,
                payload=payload,
            )

    # --- an attempt

    def begin(self, ws: WorkstreamPlan, step: StepPlan, decision: Decision, key: str) -> Attempt:
        """Transaction A: the attempt is open, and the step not up to date any more."""
        session, run_id = self._session, self.open_run()
        task, now = ws.step_task(step.name), utc_now()
        reason = "; ".join(str(reason) for reason in decision.reasons[:5]) or "forced"
        commands = [command.shell or list(command.argv) for command in step.commands]
        with session.store.transaction() as conn:
            clean.remove(conn, [task])
            attempt_id, number = attempts.open_attempt(
                conn,
                run_id=run_id,
                ws_id=ws.id,
                step=step.name,
                task=task,
                reason=reason,
                key=key,
                now=now,
                pid=os.getpid(),
                pid_start=process_start(os.getpid()),
                command_json=canonical_json(commands),
            )
            current = workstreams.get(conn, run_id, ws.id)
            if status.may(current, ACTIVE_OF_PHASE[step.phase]):
                self._move(conn, ws.id, ACTIVE_OF_PHASE[step.phase], step.name, now)
            payload = {"attempt": attempt_id, "number": number, "reason": reason, "key": key}
            events.append(
                conn, now, "step_start", run_id=run_id, ws_id=ws.id, step=step.name, payload=payload
            )
        session.reader.changed(task)
        return Attempt(run_id, attempt_id, number, task, ws.id, step.name, step.phase)

    def started(self, attempt: Attempt, pid: int, start: int) -> None:
        """The attempt's tool runs as process `pid`: whoever cleans up after a crash needs to know."""
        with self._session.store.transaction() as conn:
            attempts.set_tool(conn, attempt.attempt_id, pid, start)

    def end(self, attempt: Attempt, outcome: Outcome, success: Success | None, log: str, note: str) -> None:
        """Transaction B: the attempt is closed; with `success` the step is up to date."""
        session, run_id, now = self._session, self.open_run(), utc_now()
        with session.store.transaction() as conn:
            error_id = None
            if outcome.signature:
                error_id = errors.record(
                    conn,
                    ws_id=attempt.ws_id,
                    step=attempt.step,
                    code=outcome.state,
                    signature=outcome.signature,
                    message=outcome.message,
                    context={"output": outcome.output, "log": log, "exit_code": outcome.exit_code},
                    run_id=run_id,
                    now=now,
                )
            attempts.close_attempt(
                conn,
                attempt.attempt_id,
                status=outcome.state,
                exit_code=outcome.exit_code,
                now=now,
                duration_s=outcome.duration_s,
                message=outcome.message or note,
                log_path=log,
                error_id=error_id,
                key_moved=outcome.state == "ok" and success is None,
            )
            if success is not None:
                self._put_clean(conn, attempt, success)
            if outcome.state != "ok":
                self._fail_workstream(conn, attempt, outcome, now)
            payload: dict[str, Any] = {
                "attempt": attempt.attempt_id,
                "status": outcome.state,
                "exit_code": outcome.exit_code,
                "duration_s": round(outcome.duration_s, 6),
                "message": outcome.message or note,
                "wrote": sorted(success.writes) if success else [],
            }
            events.append(
                conn,
                now,
                "step_end",
                run_id=run_id,
                ws_id=attempt.ws_id,
                step=attempt.step,
                payload=payload,
            )
            files.put_many(conn, session.freshness.states.take_unsaved())
        session.reader.changed(attempt.task)

    def _fail_workstream(self, conn: Connection, attempt: Attempt, outcome: Outcome, now: str) -> None:
        assert self._session.run_id is not None
        new = "canceled" if outcome.state == "interrupted" else "failed"
        if status.may(workstreams.get(conn, self._session.run_id, attempt.ws_id), new):
            self._move(conn, attempt.ws_id, new, f"{attempt.step}: {outcome.message}", now)

    def _put_clean(self, conn: Connection, attempt: Attempt, success: Success) -> None:
        row = clean.CleanRow(
            attempt.task,
            attempt.ws_id,
            attempt.step,
            attempt.attempt_id,
            success.key,
            success.manifest,
            canonical_json(success.outputs),
            success.result,
        )
        clean.put(conn, row)
        writes.put_many(conn, attempt.task, attempt.attempt_id, success.writes)

    def _save_files(self) -> None:
        """Keep the digests that were read, if the store is open for writing anyway."""
        session = self._session
        if self._lock is not None and (rows := session.freshness.states.take_unsaved()):
            with session.store.transaction() as conn:
                files.put_many(conn, rows)

    # --- what the user changes

    def accept(self, ws: WorkstreamPlan, step: StepPlan) -> None:
        """Write the clean row of a step as if it had just succeeded with everything as it is."""
        if step.idle:
            return
        session, run_id = self._session, self.open_run()
        session.chosen.setdefault(ws.id, []).append(step.name)
        with session.store.transaction() as conn:
            workstreams.add_pending(conn, run_id, [ws.id], utc_now())
        decision = session.freshness.decide(ws, step)
        attempt = self.begin(ws, step, decision, decision.manifest.key(session.store.seed))
        note = "accepted as it is"
        seed, manifest = session.store.seed, decision.manifest
        success = success_of(seed, step, manifest, decision.seen, decision.outputs)
        self.end(attempt, Outcome("ok", 0, 0.0), success, "", note)
        session.tally.add(StepReport(attempt.task, UP_TO_DATE, note))

    def forget(self, tasks: list[str] | None) -> None:
        """Take away the clean rows and ignore marks of `tasks` (None: of all)."""
        self.hold_tree()
        with self._session.store.transaction() as conn:
            if tasks is None:
                clean.remove_all(conn)
                ignored.remove_all(conn)
            else:
                clean.remove(conn, tasks)
                ignored.remove(conn, tasks)
            events.append(conn, utc_now(), "forget", payload={"tasks": tasks or "all"})
        self._session.reader.all_changed()

    def ignore(self, task: str) -> None:
        """Leave `task` out of runs."""
        self.hold_tree()
        with self._session.store.transaction() as conn:
            ignored.add(conn, task)
            events.append(conn, utc_now(), "ignore", payload={"task": task})
        self._session.reader.all_changed()
