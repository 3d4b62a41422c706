"""The record of steps: the only writer of what was tried, what came of it, and what is up to date.

A step's attempt is two transactions: the first opens it and takes away the row that said "up to
date"; the second, after the step ran and its key was computed again, closes it and writes that row
anew, if it succeeded and the key did not move. So a process killed at any moment loses no attempt
that was told, and never leaves a wrong "up to date". Results that were put back start nothing, and
done again do the same: many of them are one transaction, before any of them is told of.
"""

from __future__ import annotations

import os
import time
from threading import RLock
from typing import TYPE_CHECKING, Any

from wsbuild.actions.outcome import Attempt, Ground, Outcome, Restored, Stop, left_by, success_of
from wsbuild.actions.record_run import RunRecorder, utc_now
from wsbuild.actions.tally import RESTORED, UP_TO_DATE, StepReport, moved_lines
from wsbuild.cache.manifest import canonical_json
from wsbuild.statedir import LOGS, make_dir
from wsbuild.store import attempts, breakers, clean, errors, events, forgotten, workstreams, writes
from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.guard import Guard
    from wsbuild.actions.outcome import Success
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import StepPlan, WorkstreamPlan
    from wsbuild.store.db import Connection
    from wsbuild.store.writes import Wrote


MOST_NOTED = 64
NOTED_S = 0.1
"""How many restored steps are recorded together, and for how long at most they wait for each other."""

UNNUMBERED = 2**62
"""Stands for the id of an attempt that is not recorded yet: it is later than all that are."""


def _reason(decision: Decision) -> str:
    return "; ".join(str(reason) for reason in decision.reasons[:5]) or "forced"


ACTIVE_OF_PHASE = {
    "edit": "editing",
    "static": "static_check",
    "runtime": "runtime_tests",
    "land": "landing",
}


def _clean_row(attempt: Attempt, success: Success) -> clean.CleanRow:
    at = (attempt.task, attempt.ws_id, attempt.step, attempt.attempt_id)
    outputs = canonical_json(success.outputs)
    return clean.CleanRow(*at, success.key, success.manifest, outputs, success.result)


class Recorder(RunRecorder):
    """Writes what happens to steps, holding the tree's lock from the first write on."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._noting = RLock()
        self._noted: list[Restored] = []
        self._noted_since = 0.0

    def begin(
        self,
        ws: WorkstreamPlan,
        step: StepPlan,
        decision: Decision,
        key: str,
        ground: Ground,
        *,
        fixing: bool = False,
    ) -> Attempt:
        """Transaction A: the attempt is open, and the step not up to date any more. It outlives this
        process; a power failure only if an agent is asked: what else was begun then can be seen by its files.

        One that is `fixing` goes on from what the step has done, which stays recorded until it ends:
        dead before it changed anything, nothing is lost.
        """
        self.flush()
        session, now = self.session, utc_now()
        facts = self._facts(ws, step, decision, key, now)
        with session.store.transaction(lasting=step.prompt) as conn:
            if not fixing:
                clean.remove(conn, [facts.task])
            attempt_id, number = attempts.open_attempt(conn, facts, ground.standing)
            active = "fixing" if fixing else ACTIVE_OF_PHASE[step.phase]
            self.move_on(conn, ws.id, active, step.name, now)
            payload = {
                "attempt": attempt_id,
                "number": number,
                "reason": facts.reason,
                "key": key,
                "moved_aside": list(ground.aside),
            }
            at = {"run_id": facts.run_id, "ws_id": ws.id, "step": step.name}
            events.append(conn, now, "step_start", **at, payload=session.redactor.all(payload))
        session.changed(facts.task)
        return Attempt(facts.run_id, attempt_id, number, facts.task, ws.id, step.name, step.phase)

    def _facts(
        self, ws: WorkstreamPlan, step: StepPlan, decision: Decision, key: str, now: str
    ) -> attempts.Facts:
        commands = [command.shell or list(command.argv) for command in step.commands]
        return attempts.Facts(
            self.open_run(),
            ws.id,
            step.name,
            ws.step_task(step.name),
            self.session.redacted(_reason(decision)),
            key,
            now,
            os.getpid(),
            self.pid_start,
            canonical_json(self.session.redactor.all(commands)),
        )

    def restored(self, done: Restored) -> None:
        """Note a step that is up to date by a recorded result, with no tool started; `flush` records it.

        Until then nobody is told of it: dead before that, the next run finds the files in place.
        """
        row = _clean_row(done.attempt_at(UNNUMBERED), done.success)
        with self._noting:
            if not self._noted:
                self._noted_since = time.monotonic()
            self._noted.append(done)
            due = len(self._noted) >= MOST_NOTED or time.monotonic() - self._noted_since > NOTED_S
        self.session.changed(done.task, row, done.wrote)
        if due:
            self.flush()

    def flush(self) -> None:
        """One transaction for all restored steps that are noted; then they are told of."""
        with self._noting:
            noted, self._noted = self._noted, []
            if not noted:
                return
            self.open_run()
            now = utc_now()
            with self.session.store.transaction() as conn:
                rows = [self._put_restored(conn, done, now) for done in noted]
                self.put_looked_up(conn)
        reports = []
        for done, (row, number) in zip(noted, rows, strict=True):
            self.session.changed(done.task, row, done.wrote)
            details = moved_lines(done.aside)
            report = StepReport(done.task, RESTORED, done.why, done.duration_s, number, details)
            reports.append(self.session.tally.add(report))
        self.session.tell(reports)

    def _put_restored(self, conn: Connection, done: Restored, now: str) -> tuple[clean.CleanRow, int]:
        entry = done.entry
        attempt_id, number = attempts.add_cached(
            conn,
            self._facts(done.ws, done.step, done.decision, entry.key, now),
            exit_code=entry.exit_code,
            message=f"result of {entry.made_at}, which took {entry.duration_s:.2f} s",
            log_path=self._write_log(done.task, done.log),
        )
        payload = {
            "attempt": attempt_id,
            "number": number,
            "reason": _reason(done.decision),
            "key": entry.key,
            "made_at": entry.made_at,
            "saved_s": entry.duration_s,
            "wrote": sorted(done.success.writes),
            "moved_aside": list(done.aside),
        }
        at = {"run_id": self.open_run(), "ws_id": done.ws.id, "step": done.step.name}
        events.append(conn, now, "step_restored", **at, payload=self.session.redactor.all(payload))
        return self._put_clean(conn, done.attempt_at(attempt_id), done.success, done.wrote), number

    def _write_log(self, task: str, log: bytes) -> str:
        """The log of a restored step, where its own would be; gives its path, '' for an empty one."""
        if not log:
            return ""
        directory = f"{LOGS}/{self.open_run()}"
        rel = f"{directory}/{task.replace(':', '.')}.cached.log"
        make_dir(self.session.root, directory)
        with open(os.path.join(self.session.root, rel), "wb") as file:
            file.write(self.session.redactor.data(log))
        return rel

    def started(self, attempt: Attempt, pid: int, start: int) -> None:
        """The attempt's tool runs as process `pid`: whoever cleans up after a crash needs to know. After a
        power failure nobody does.
        """
        with self.session.store.transaction(lasting=False) as conn:
            attempts.set_tool(conn, attempt.attempt_id, pid, start)

    def end(
        self,
        attempt: Attempt,
        outcome: Outcome,
        success: Success | None,
        log: str,
        note: str,
        wrote: Mapping[str, Wrote],
        *,
        guard: Guard | None = None,
        goes_on: bool = False,
    ) -> None:
        """Transaction B: the attempt is closed; with `success` the step is up to date. What its `guard` has
        seen is recorded; one that `goes_on` is fixed now, and its failure not yet the workstream's.
        """
        self.flush()
        session, now = self.session, utc_now()
        note = session.redacted(note)
        with session.store.transaction() as conn:
            error_id = self._record_error(conn, attempt, outcome, log, now) if outcome.signature else None
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
            row = None
            if success is not None:
                row = self._put_clean(conn, attempt, success, wrote)
            else:
                writes.put_many(conn, attempt.task, attempt.attempt_id, wrote)
            self.put_spend(conn, attempt, outcome, now)
            self.put_warnings(conn, attempt, outcome, now)
            if guard is not None:
                breakers.put(conn, guard.row())
            elif success is not None and attempt.phase == "edit":
                # What the checks have seen of other work is not of this.
                breakers.remove_of(conn, attempt.ws_id)
            if outcome.state == "interrupted" or (outcome.state != "ok" and not goes_on):
                self._fail_workstream(conn, attempt, outcome, now)
            payload: dict[str, Any] = {
                "attempt": attempt.attempt_id,
                "status": outcome.state,
                "exit_code": outcome.exit_code,
                "duration_s": round(outcome.duration_s, 6),
                "message": outcome.message or note,
                "wrote": sorted(success.writes) if success else [],
                **({"usage": outcome.usage._asdict()} if outcome.usage != Usage() else {}),
            }
            at = {"run_id": attempt.run_id, "ws_id": attempt.ws_id, "step": attempt.step}
            events.append(conn, now, "step_end", **at, payload=session.redactor.all(payload))
            self.put_looked_up(conn)
        session.changed(attempt.task, row, wrote)

    def note_breaker(self, row: breakers.BreakerRow) -> None:
        """Record what a breaker has seen."""
        with self.session.store.transaction() as conn:
            breakers.put(conn, row)

    def give_up(
        self,
        ws: WorkstreamPlan,
        step: StepPlan,
        stop: Stop,
        row: breakers.BreakerRow | None = None,
    ) -> None:
        """A step is not tried (again) in this run; `row` is what its breaker has seen."""
        run_id, now = self.open_run(), utc_now()
        with self.session.store.transaction() as conn:
            if row is not None:
                breakers.put(conn, row)
            self.move_on(conn, ws.id, stop.status, f"{step.name}: {stop.message}", now)
            at = {"run_id": run_id, "ws_id": ws.id, "step": step.name}
            events.append(conn, now, "step_given_up", **at, payload=stop._asdict())

    def _record_error(self, conn: Connection, attempt: Attempt, outcome: Outcome, log: str, now: str) -> int:
        return errors.record(
            conn,
            ws_id=attempt.ws_id,
            step=attempt.step,
            code=outcome.state,
            signature=outcome.signature,
            message=outcome.message,
            context={"output": outcome.output, "log": log, "exit_code": outcome.exit_code},
            run_id=attempt.run_id,
            now=now,
        )

    def _fail_workstream(self, conn: Connection, attempt: Attempt, outcome: Outcome, now: str) -> None:
        new = "canceled" if outcome.state == "interrupted" else "waiting" if outcome.limit else "failed"
        self.move_on(conn, attempt.ws_id, new, f"{attempt.step}: {outcome.message}", now)

    def _put_clean(
        self, conn: Connection, attempt: Attempt, success: Success, wrote: Mapping[str, Wrote]
    ) -> clean.CleanRow:
        row = _clean_row(attempt, success)
        clean.put(conn, row)
        writes.put_many(conn, attempt.task, attempt.attempt_id, wrote)
        if self.session.reader.is_forgotten(attempt.task):
            forgotten.remove(conn, attempt.task)
        return row

    def accept(self, ws: WorkstreamPlan, step: StepPlan) -> None:
        """Write the clean row of a step as if it had just succeeded with everything as it is."""
        if step.idle:
            return
        session, run_id = self.session, self.open_run()
        session.chosen.setdefault(ws.id, []).append(step.name)
        with session.store.transaction() as conn:
            workstreams.add_pending(conn, run_id, [ws.id], utc_now())
        decision = session.place(ws).freshness.decide(ws, step)
        ground = Ground(
            frozenset(decision.outputs), frozenset(session.reader.created_by(ws.step_task(step.name)))
        )
        attempt = self.begin(ws, step, decision, decision.action.key(), ground)
        note = "accepted as it is"
        success = success_of(step, decision, decision)
        self.end(attempt, Outcome("ok", 0, 0.0), success, "", note, left_by(step, success, ground))
        session.tally.add(StepReport(attempt.task, UP_TO_DATE, note))
