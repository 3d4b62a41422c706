"""The record of a run: the tree's lock, the row of the run and those of its workstreams.

What happens to steps is `record`'s; together they are the only writers of the store.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from wsbuild import status
from wsbuild.actions.tally import BLOCKED, NOT_DONE
from wsbuild.atomic import FileLock, is_alive, process_start
from wsbuild.errors import BusyError
from wsbuild.statedir import LANDING, LOCK, STATE, make_dir
from wsbuild.store import (
    approvals,
    attempts,
    breakers,
    clean,
    events,
    files,
    forgotten,
    ignored,
    recover,
    runs,
    spend,
    tool_versions,
    workstreams,
    writes,
)
from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.outcome import Attempt, Outcome
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import WorkstreamPlan
    from wsbuild.store.db import Connection, Store


MANY = 50
"""Files; to have them recorded takes about as long as to read so many."""


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


class RunRecorder(ABC):
    """Writes what happens to the store, holding the tree's lock from the first write on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._opening = Lock()
        self._lock: FileLock | None = None
        self._started = 0.0
        self._last_moves: dict[str, str] = {}
        self.pid_start = process_start(os.getpid())

    # --- the run

    def hold_tree(self) -> None:
        """Take the tree's lock unless it is held, and close what dead processes left open.

        Raises BusyError when waiting is not wanted, StateError when state cannot be written.
        """
        with self._opening:
            if self._lock is not None:
                return
            make_dir(self.session.root, STATE)
            said = self.session.redacted(" ".join(sys.argv[:4]))
            lock = FileLock(os.path.join(self.session.root, LOCK), said)
            lock.acquire(wait=self.session.wait, on_wait=_tell, stop=lambda: bool(self.session.ended_by))
            self._lock = lock
            self.session.begin_writing()
            as_of = self.session.reader.as_of
            _end_orphans(self.session.store)
            from wsbuild.actions.cut import left_by
            from wsbuild.cache.put_back import finish_cut

            told = recover.recover(self.session.store, utc_now(), partial(left_by, self.session))
            for line in told + finish_cut(self.session.root):
                _tell(line)
            if os.path.isdir(os.path.join(self.session.root, LANDING)):
                from wsbuild.actions.unfinished import finish_landings

                for line in finish_landings(self.session, self.landing_finished):
                    _tell(line)
            # Other threads may have looked at files while they were being put in place.
            if self.session.store.read(events.last_seq) == as_of:
                self.session.forget_decisions()
            else:
                self.session.changed()

    def landing_finished(self, ws_id: str, attempt_id: int, wrote: Mapping[str, str], commit: str) -> None:
        """A landing that was cut has come to its end: what it wrote is no edit of somebody's."""
        task = f"ws:{ws_id.removeprefix('ws-')}:land"
        states = {path: writes.Wrote(state) for path, state in wrote.items()}
        with self.session.store.transaction() as conn:
            writes.put_many(conn, task, attempt_id, states)
            payload = {"attempt": attempt_id, "commit": commit, "wrote": sorted(wrote)}
            events.append(conn, utc_now(), "landing_finished", ws_id=ws_id, step="land", payload=payload)
        self.session.changed(task, wrote=wrote)

    def open_run(self) -> str:
        """Create the run's row, with all its workstreams pending, unless it is there."""
        known = self.session.run_id
        if known is not None and self._lock is not None:
            return known
        self.hold_tree()
        with self._opening:
            if self.session.run_id is None:
                self._started = time.monotonic()
                now = utc_now()
                words = self.session.redactor.all(sys.argv)
                with self.session.store.transaction() as conn:
                    run_id = runs.create(conn, now, " ".join(words), os.getpid(), self.pid_start)
                    workstreams.add_pending(conn, run_id, list(self.session.chosen), now)
                    events.append(conn, now, "run_start", run_id=run_id, payload={"command": words})
                self.session.run_id = run_id
            return self.session.run_id

    def finish(self) -> None:
        """Close the run: every workstream in a final status, then the run itself."""
        if self.session.run_id is None:
            self._save_looked_up()
            return
        from wsbuild.actions import reuse
        from wsbuild.actions.sweep import sweep

        self.flush()
        reuse.settle(self.session)
        sweep(self.session)
        session, now = self.session, utc_now()
        failed = {r.task.split(":")[1] for r in session.tally.reports if r.status in NOT_DONE}
        failed_ids = {"ws-" + name for name in failed}
        blocked = set() if session.ended_by else session.plan.dependents(failed_ids, session.chosen)
        ended = "interrupted" if session.ended_by else "failed" if failed else "succeeded"
        with session.store.transaction() as conn:
            for ws_id, steps in session.chosen.items():
                self._finish_workstream(conn, ws_id, steps, ws_id in blocked, now)
            duration = time.monotonic() - self._started
            runs.finish(conn, self.session.run_id, ended, now, duration, session.tally.counts())
            payload = {"status": ended, **session.tally.counts(), **session.tally.cache_counts()}
            events.append(conn, now, "run_end", run_id=self.session.run_id, payload=payload)
        self._save_looked_up()

    @abstractmethod
    def flush(self) -> None:
        """Record what is noted of steps, and not recorded yet."""

    def release(self) -> None:
        """Let the next one have the tree."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _finish_workstream(
        self, conn: Connection, ws_id: str, steps: list[str], is_blocked: bool, now: str
    ) -> None:
        assert self.session.run_id is not None
        session = self.session
        ws = session.plan[ws_id]
        told = [session.tally.get(ws.step_task(step)) for step in steps]
        current = workstreams.get(conn, self.session.run_id, ws_id)
        if current in status.FINAL or current == "waiting":
            return
        if is_blocked or any(r is not None and r.status == BLOCKED for r in told):
            self.move(conn, ws_id, "blocked", "a workstream it depends on failed", now)
        elif any(r is None for r in told):
            why = "interrupted" if session.ended_by else "the run stopped at a failure"
            self.move(conn, ws_id, "canceled", why, now)
        elif all(r is not None and r.status == "skipped" for r in told):
            self.move(conn, ws_id, "skipped", "nothing to do", now)
        else:
            self.move(conn, ws_id, "done", "", now)

    def move(self, conn: Connection, ws_id: str, new: str, reason: str, now: str) -> None:
        """Change a workstream's status, with its event, where that is a change."""
        assert self.session.run_id is not None
        old = workstreams.get(conn, self.session.run_id, ws_id)
        if workstreams.set_status(conn, self.session.run_id, ws_id, new, reason, now):
            payload = {"from": old, "to": new, "reason": reason}
            events.append(
                conn,
                now,
                "workstream_status",
                run_id=self.session.run_id,
                ws_id=ws_id,
                payload=payload,
            )

    def move_on(self, conn: Connection, ws_id: str, new: str, reason: str, now: str) -> None:
        """The same where the table of transitions allows it."""
        assert self.session.run_id is not None
        if self._last_moves.get(ws_id) == new:
            return
        if status.may(workstreams.get(conn, self.session.run_id, ws_id), new):
            self.move(conn, ws_id, new, reason, now)
            self._last_moves[ws_id] = new

    def put_looked_up(self, conn: Connection) -> None:
        """What was found out about files and tools."""
        files.put_many(conn, self.session.freshness.states.take_unsaved())
        if answers := self.session.freshness.tools.take_unsaved():
            tool_versions.put_many(conn, answers)

    def put_spend(self, conn: Connection, attempt: Attempt, outcome: Outcome, now: str) -> None:
        """What an attempt has used, and whether its tools may be asked again at once."""
        if outcome.usage != Usage():
            spend.put(conn, attempt.attempt_id, attempt.run_id, attempt.ws_id, now, outcome.usage)
        if outcome.limit is not None:
            tool, until, reason = outcome.limit
            spend.put_wait(conn, tool, spend.Wait(until, reason))
        for tool in outcome.answered:
            spend.end_wait(conn, tool)

    def put_warnings(self, conn: Connection, attempt: Attempt, outcome: Outcome, now: str) -> None:
        """The gates that have failed and do not block."""
        at = {"run_id": attempt.run_id, "ws_id": attempt.ws_id, "step": attempt.step}
        for warning in outcome.warnings:
            payload = {"attempt": attempt.attempt_id, "message": warning}
            events.append(conn, now, "gate_failed", **at, payload=self.session.redactor.all(payload))

    def _save_looked_up(self) -> None:
        """The same after the last step, if the store is open for writing anyway."""
        found = self.session.freshness
        if self._lock is not None and (found.states.unsaved or found.tools.unsaved):
            with self.session.store.transaction() as conn:
                self.put_looked_up(conn)

    def keep_looked_up(self) -> None:
        """The same of a run that found nothing to do, if it is much and nobody has the tree: the next one
        need not read so many files again.
        """
        if self._lock is not None or len(self.session.freshness.states.unsaved) < MANY:
            return
        wait, self.session.wait = self.session.wait, False
        try:
            self.hold_tree()
        except BusyError:
            return
        finally:
            self.session.wait = wait
        self._save_looked_up()

    @property
    def holds_tree(self) -> bool:
        """Whether nobody else can write now."""
        return self._lock is not None

    # --- what the user changes

    def forget(self, tasks: list[str] | None) -> None:
        """Take away the clean rows and ignore marks of `tasks` (None: of all)."""
        self.hold_tree()
        with self.session.store.transaction() as conn:
            if tasks is None:
                clean.remove_all(conn)
                breakers.remove_all(conn)
                ignored.remove_all(conn)
                forgotten.add_all_known(conn)
            else:
                clean.remove(conn, tasks)
                breakers.remove(conn, tasks)
                forgotten.add_many(conn, tasks)
                ignored.remove(conn, tasks)
            events.append(conn, utc_now(), "forget", payload={"tasks": tasks or "all"})
        self.session.changed()

    def note_undo(self, ws: WorkstreamPlan, kind: str, payload: dict[str, object]) -> None:
        """A compensating action begins, or has ended."""
        run_id, shown = self.open_run(), self.session.redactor.all(payload)
        with self.session.store.transaction() as conn:
            events.append(conn, utc_now(), kind, run_id=run_id, ws_id=ws.id, payload=shown)

    def rolled_back(self, ws: WorkstreamPlan, reason: str, *, is_done: bool) -> None:
        """A rollback has come to its end, or to a failure."""
        run_id, now = self.open_run(), utc_now()
        with self.session.store.transaction() as conn:
            self.move_on(conn, ws.id, "canceled" if is_done else "failed", reason, now)
            if is_done:
                events.append(conn, now, "rolled_back", run_id=run_id, ws_id=ws.id, payload={})

    def approve(self, ws: WorkstreamPlan, level: int, who: str, note: str) -> None:
        """Let a workstream run as it is defined now."""
        self.hold_tree()
        approval = approvals.Approval(level, ws.definition, who, utc_now(), self.session.redacted(note))
        with self.session.store.transaction() as conn:
            approvals.put(conn, ws.id, approval)
            events.append(conn, approval.at, "approved", ws_id=ws.id, payload=approval._asdict())

    def revoke(self, ws_id: str) -> None:
        """Take an approval back."""
        self.hold_tree()
        with self.session.store.transaction() as conn:
            if approvals.remove(conn, ws_id):
                events.append(conn, utc_now(), "approval_revoked", ws_id=ws_id, payload={})

    def ignore(self, task: str) -> None:
        """Leave `task` out of runs."""
        self.hold_tree()
        with self.session.store.transaction() as conn:
            ignored.add(conn, task)
            events.append(conn, utc_now(), "ignore", payload={"task": task})
        self.session.changed()
