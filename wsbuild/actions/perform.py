"""One step: ask again whether it must run, put its result back or have it run."""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from wsbuild.actions import approval, committing, fixing, landing, reuse, shelf, workspace
from wsbuild.actions.allowance import give_up, stop_of
from wsbuild.actions.attempt import TROUBLE, attempt, why
from wsbuild.actions.freshness import written
from wsbuild.actions.job import Job, job_of
from wsbuild.actions.outcome import OK, Ground, Outcome, Restored, Stop, left_by, success_of
from wsbuild.actions.tally import BLOCKED, IDLE, SKIPPED, UP_TO_DATE, WAITING, StepReport
from wsbuild.cache.blobs import DamagedBlobError

if TYPE_CHECKING:
    from wsbuild.actions.outcome import Success
    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.records import StepPlan, WorkstreamPlan


def perform(session: Session, recorder: Recorder, ws: WorkstreamPlan, step: StepPlan) -> str:
    """Run `step` unless it is up to date by now, or its result is known; gives why it failed, empty
    when it did not.

    Whoever held the tree before may have run it: so the question is asked again under the lock.
    """
    needless, why = _is_needless(session, recorder, ws, step)
    if needless:
        return why
    try:
        space = workspace.enter(session, ws, step)
    except TROUBLE as error:
        return attempt(job_of(session, recorder, ws, step), error).message
    job = job_of(session, recorder, ws, step)
    again = partial(perform, session, recorder, ws)
    if step.phase != "land":
        with session.doings.in_place() if space is None else nullcontext():
            return fixing.until_it_passes(job, partial(_do, space=space), again)
    trouble = committing.uncommitted(session, ws, space)
    if trouble is None and space is not None and space.changes():
        return landing.land(job, space, again)
    failure = (_do(job, None) if trouble is None else attempt(job, trouble)).message
    if space is not None and not failure:
        space.landed()
    return failure


def _is_needless(
    session: Session, recorder: Recorder, ws: WorkstreamPlan, step: StepPlan
) -> tuple[bool, str]:
    """Whether there is nothing to do at a step, or nobody has allowed it; and why that is a failure, ''
    where it is none.
    """
    task = ws.step_task(step.name)
    if step.idle:
        session.tally.add(StepReport(task, SKIPPED, IDLE))
        return True, ""
    recorder.open_run()
    if session.decided(ws.id, step.name).fresh and not session.force:
        session.tally.add(StepReport(task, UP_TO_DATE, "done by another run"))
        return True, ""
    stop = None
    if why := approval.missing(session, ws) or shelf.unfinished(ws):
        stop = Stop(why, BLOCKED)
    elif why := session.stacks.unmerged(ws):
        stop = Stop(why, WAITING)
    if stop is not None:
        recorder.give_up(ws, step, stop)
        session.tally.add(StepReport(task, stop.status, why))
    return stop is not None, why


def _do(job: Job, space: workspace.Workspace | None) -> Outcome:
    """Have a step done where its files are: it may be there already, or its result be known."""
    session = job.session
    if space is not None:
        try:
            if space.begin(edits=job.step.edits and not job.decision.fresh):
                job = job.looked_again()
        except TROUBLE as error:
            return attempt(job, error)
    if space is not None and job.step.outputs:
        # What its outputs were before has to go: files are needed for that.
        job, trouble = _with_files(job, space)
        if trouble:
            return attempt(job, trouble)
    if not session.force:
        if job.decision.fresh:
            session.tally.add(StepReport(job.task, UP_TO_DATE, f"as it is in {space.where}" if space else ""))
            return OK
        prospect = _look_up(job)
        if prospect.entry is not None:
            if _restore(job, prospect.entry):
                return OK
            job = job.looked_again()
        told = reuse.explained(session, job.ws, job.step, job.decision, prospect.why_not)
        job = job._replace(decision=told)
    stop = stop_of(job)
    if stop is not None:
        return Outcome("failed", 1, 0.0, give_up(job, stop))
    return attempt(*_with_files(job, space))


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
    wrote, reason = left_by(job.step, success, ground), why(job.decision)
    done = Restored(
        job.ws, job.step, job.decision, entry, success, wrote, log, reason, duration, ground.aside
    )
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
