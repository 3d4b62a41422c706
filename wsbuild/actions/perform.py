"""One step: ask again whether it must run, put its result back or run it, record what came of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from wsbuild.actions import landing, remains, reuse, workspace
from wsbuild.actions.commands import Run, run_commands
from wsbuild.actions.freshness import written
from wsbuild.actions.job import Job, job_of
from wsbuild.actions.outcome import Ground, Outcome, left_by, left_by_failure, success_of
from wsbuild.actions.record import Restored
from wsbuild.actions.tally import EXECUTED, FAILED, SKIPPED, UP_TO_DATE, StepReport, moved_lines
from wsbuild.cache.blobs import DamagedBlobError
from wsbuild.cache.cache import Ran
from wsbuild.cache.files import MISSING
from wsbuild.errors import WsbuildError
from wsbuild.patterns import matcher
from wsbuild.statedir import LOGS
from wsbuild.tools.signature import signature

if TYPE_CHECKING:
    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.outcome import Attempt, Success
    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.records import StepPlan, WorkstreamPlan

TAIL_LINES = 20
TROUBLE = (WsbuildError, OSError, DamagedBlobError)
"""What can keep a step from being done, besides its own commands."""

UNRECORDED = frozenset({"never-run", "forgotten", "inputs-moved"})


def perform(session: Session, recorder: Recorder, ws: WorkstreamPlan, step: StepPlan) -> str:
    """Run `step` unless it is up to date by now, or its result is known; gives why it failed, empty
    when it did not.

    Whoever held the tree before may have run it: so the question is asked again under the lock.
    """
    task = ws.step_task(step.name)
    if step.idle:
        session.tally.add(StepReport(task, SKIPPED, "nothing configured"))
        return ""
    recorder.open_run()
    if session.decided(ws.id, step.name).fresh and not session.force:
        session.tally.add(StepReport(task, UP_TO_DATE, "done by another run"))
        return ""
    try:
        space = workspace.enter(session, ws, step)
    except TROUBLE as error:
        return _attempt(job_of(session, recorder, ws, step), error)
    job = job_of(session, recorder, ws, step)
    if space is None or step.phase != "land":
        return _do(job, space)
    if space.changes():
        return landing.land(job, space, lambda check: perform(session, recorder, ws, check))
    failure = _do(job, None)
    if not failure:
        space.landed()
    return failure


def _do(job: Job, space: workspace.Workspace | None) -> str:
    """Have a step done where its files are: it may be there already, or its result be known."""
    session = job.session
    if space is not None:
        try:
            if space.begin(edits=job.step.edits and not job.decision.fresh):
                job = job.looked_again()
        except TROUBLE as error:
            return _attempt(job, error)
    if space is not None and job.step.outputs:
        # What its outputs were before has to go: files are needed for that.
        job, trouble = _with_files(job, space)
        if trouble:
            return _attempt(job, trouble)
    if not session.force:
        if job.decision.fresh:
            session.tally.add(StepReport(job.task, UP_TO_DATE, f"as it is in {space.where}" if space else ""))
            return ""
        prospect = _look_up(job)
        if prospect.entry is not None:
            if _restore(job, prospect.entry):
                return ""
            job = job.looked_again()
        told = reuse.explained(session, job.ws, job.step, job.decision, prospect.why_not)
        job = job._replace(decision=told)
    return _attempt(*_with_files(job, space))


def _with_files(job: Job, space: workspace.Workspace | None) -> tuple[Job, Exception | None]:
    """The job where its workspace has files, and what kept it from having them."""
    if space is None or not space.is_supposed:
        return job, None
    trouble: Exception | None = None
    reasons = job.decision.reasons
    try:
        space.materialize()
    except TROUBLE as error:
        trouble = error
    job = job.looked_again()
    return job._replace(decision=job.decision._replace(reasons=reasons)), trouble


def _look_up(job: Job) -> reuse.Prospect:
    prospect = reuse.look_up(job.session, job.ws, job.step, job.decision)
    if prospect.damage:
        job.session.warn(prospect.damage)
    job.session.tally.asked_cache(hit=prospect.entry is not None)
    return prospect


def _restore(job: Job, entry: Entry) -> bool:
    """Put a recorded result back; gives whether that is all there is to do."""
    session, started = job.session, time.monotonic()
    assert session.cache is not None
    try:
        log = session.cache.log_of(entry)
        ground = reuse.put_back(session, job.ws, job.step, job.decision, entry)
    except DamagedBlobError as error:
        session.warn(f"{error}; {job.task} runs instead of being restored")
        return False
    except OSError as error:
        session.warn(f"cannot restore {job.task}: {error.strerror}: {error.filename}; it runs instead")
        return False
    success = _success_of_entry(job, entry, ground)
    duration = time.monotonic() - started
    session.cache.results.used(entry)
    wrote, why = left_by(job.step, success, ground), _why(job.decision)
    done = Restored(job.ws, job.step, job.decision, entry, success, wrote, log, why, duration, ground.aside)
    job.recorder.restored(done)
    return True


def _success_of_entry(job: Job, entry: Entry, ground: Ground) -> Success:
    """What is recorded of a result that was put back: it belongs to the tree as it was looked at before,
    so that whatever was changed since is noticed.
    """
    freshness, before = job.place.freshness, job.decision
    if job.step.edits:
        after = freshness.decide(job.ws, job.step)
        wrote = written(job.owned, freshness.owned_states(job.ws))
        return success_of(job.step, before, after, wrote)
    states = entry.states()
    there = {path: state for path, state in before.outputs.items() if path not in ground.removed}
    seen = {path: states.get(path, state) for path, state in before.seen.items()}
    return success_of(job.step, before, before._replace(seen=seen, outputs={**there, **states}))


def _attempt(job: Job, trouble: Exception | None = None) -> str:
    """Run the step, and record it; with `trouble` it could not be begun, and that is recorded."""
    session, ws, step = job.session, job.ws, job.step
    ground = Ground() if trouble else remains.clear(session, job.place, job.task, step, job.decision)
    key = job.decision.action.key()
    attempt = job.recorder.begin(ws, step, job.decision, key, ground)
    log = os.path.join(LOGS, attempt.run_id, f"{attempt.task.replace(':', '.')}.{attempt.number}.log")
    started = time.monotonic()
    try:
        if trouble is not None:
            raise trouble
        missing = job.place.freshness.missing_inputs(step, job.decision.seen)
        if missing:
            raise WsbuildError(
                f"input {missing[0]} is missing", "no step has made it: make it, or mend `inputs`"
            )
        outcome = run_commands(
            Run(session, ws, step, attempt, log, lambda pid, at: job.recorder.started(attempt, pid, at))
        )
    except TROUBLE as error:
        outcome = Outcome("failed", 1, time.monotonic() - started, str(error))
        outcome = outcome._replace(signature=signature(step.name, "failed", str(error)))
    outcome, told = _within_scope(job, attempt, outcome)
    success, note = None, ""
    if outcome.state == "ok":
        outcome, success, note = _judge(job, outcome)
    if success is not None and step.cached:
        note = _keep(job, key, success, outcome, log)
    if success is not None:
        wrote = left_by(step, success, ground)
    else:
        wrote = left_by_failure(job.place.freshness.output_states(step), ground)
    job.recorder.end(attempt, outcome, success, log, note, wrote)
    report = _report(step, attempt, outcome, note, job.decision, log, ground)
    session.tally.add(report._replace(details=(*told, *report.details)))
    return outcome.message


def _within_scope(job: Job, attempt: Attempt, outcome: Outcome) -> tuple[Outcome, list[str]]:
    """What becomes of an attempt in a workspace: it failed if it did what the workstream may not do. And
    what is to be told of it.
    """
    space = job.session.workspaces.get(job.ws.id)
    if space is None:
        return outcome, []
    try:
        violations = space.violations()
        if violations:
            name = f"{attempt.run_id}/{attempt.task.replace(':', '.')}.{attempt.number}"
            told = [*violations, *space.quarantine(name)]
            message = f"{job.step.name} went beyond its scope: {violations[0]}"
            mark = signature(job.step.name, "scope", "\n".join(violations))
            return outcome._replace(state="failed", exit_code=1, message=message, signature=mark), told
    except TROUBLE as error:
        message = f"what {job.step.name} did cannot be looked at: {error}"
        outcome = outcome._replace(state="failed", exit_code=1, message=message)
    if outcome.state != "ok" and space.where:
        return outcome, [f"nothing has landed; the work is kept in {space.where}"]
    return outcome, []


def _keep(job: Job, key: str, success: Success, outcome: Outcome, log: str) -> str:
    before = {path: job.owned.get(path, MISSING) for path in success.writes} if job.step.edits else {}
    ran = Ran(
        job.task,
        key,
        job.decision.action.text(),
        success.writes,
        before,
        os.path.join(job.session.root, log),
        outcome.exit_code,
        outcome.duration_s,
        job.place.root,
    )
    return reuse.keep(job.session, ran, success)


def _judge(job: Job, outcome: Outcome) -> tuple[Outcome, Success | None, str]:
    """Look at the tree again: what did the step write, did its inputs move, are its outputs there?"""
    freshness, step, before = job.place.freshness, job.step, job.decision
    after = freshness.decide(job.ws, step)
    absent = sorted(path for path, state in after.outputs.items() if state == MISSING)
    if absent:
        message = f"{step.name} ended well, but did not make {absent[0]}"
        mark = signature(step.name, "no-output", message)
        return outcome._replace(state="failed", message=message, signature=mark), None, ""
    if step.edits:
        wrote = written(job.owned, freshness.owned_states(job.ws))
        return outcome, success_of(step, before, after, wrote), ""
    made = matcher(step.outputs, below=True)
    moved = [path for path in written(before.seen, after.seen) if not made(path)]
    if moved:
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        return outcome, None, f"input changed while running: {moved[0]}{more}; it will run again"
    return outcome, success_of(step, before, after), ""


def _why(decision: Decision) -> str:
    """The reasons in one line: the first, and where that says only that nothing is recorded, the next."""
    reasons = [str(reason) for reason in decision.reasons] or ["forced"]
    shown = 2 if decision.reasons and decision.reasons[0].kind in UNRECORDED else 1
    more = f" (+{len(reasons) - shown} more)" if len(reasons) > shown else ""
    return "; ".join(reasons[:shown]) + more


def _report(
    step: StepPlan,
    attempt: Attempt,
    outcome: Outcome,
    note: str,
    decision: Decision,
    log: str,
    ground: Ground,
) -> StepReport:
    moved = moved_lines(ground.aside)
    if outcome.state == "ok":
        noted = (*moved, note) if note else moved
        return StepReport(attempt.task, EXECUTED, _why(decision), outcome.duration_s, attempt.number, noted)
    tail = outcome.output.rstrip().splitlines()[-TAIL_LINES:]
    shown = [
        "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in line) for line in tail
    ]
    details = (*moved, *shown, f"log: {log}" if step.commands else "", f"why it ran: {_why(decision)}")
    return StepReport(
        attempt.task,
        FAILED,
        outcome.message.split("\n")[0],
        outcome.duration_s,
        attempt.number,
        tuple(line for line in details if line),
    )
