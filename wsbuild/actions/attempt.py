"""One attempt at a step: run its commands, look at what they did, keep the result, record what came of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from wsbuild.actions import remains, reuse
from wsbuild.actions.allowance import give_up
from wsbuild.actions.commands import Run, run_commands
from wsbuild.actions.freshness import written
from wsbuild.actions.groups import group_turn
from wsbuild.actions.outcome import (
    Ground,
    Outcome,
    left_by,
    left_by_failure,
    of_edit,
    stop_of_strays,
    success_of,
)
from wsbuild.actions.tally import EXECUTED, FAILED, WAITING, StepReport, moved_lines
from wsbuild.cache.blobs import DamagedBlobError
from wsbuild.cache.cache import Ran
from wsbuild.cache.files import MISSING
from wsbuild.cache.manifest import result_digest
from wsbuild.errors import BusyError, WsbuildError
from wsbuild.patterns import matcher
from wsbuild.statedir import log_path
from wsbuild.tools.command import INTERRUPTED_CODE
from wsbuild.tools.output import printable
from wsbuild.tools.signature import signature
from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.job import Job
    from wsbuild.actions.outcome import Attempt, Success

TAIL_LINES = 20
TROUBLE = (WsbuildError, OSError, DamagedBlobError)
"""What can keep a step from being done, besides its own commands."""

UNRECORDED = frozenset({"never-run", "forgotten", "inputs-moved"})


def attempt(job: Job, trouble: Exception | None = None) -> Outcome:
    """Run the step, and record it; with `trouble` it could not be begun, and that is recorded.

    A check that is going to be fixed is not told of: it is tried again.
    """
    session, ws, step = job.session, job.ws, job.step
    ground = Ground() if trouble else remains.clear(session, job.place, job.task, step, job.decision)
    key = job.decision.action.key()
    attempt = job.recorder.begin(ws, step, job.decision, key, ground)
    log = log_of(attempt)
    outcome, told = supervised(job, attempt, trouble)
    success, note = None, ""
    if outcome.state == "ok":
        outcome, success, note = _judge(job, outcome)
    # From the cache nobody would be told what has failed.
    if success is not None and step.cached and not outcome.warnings:
        note = "; ".join(filter(None, [note, _keep(job, key, success, outcome, log)]))
    if success is not None:
        wrote = left_by(step, success, ground)
    else:
        wrote = left_by_failure(job.place.freshness.output_states(step), ground)
    files = job.place.freshness.owned_states(ws) if job.guard is not None and outcome.is_finding else {}
    goes_on = job.guard is not None and job.guard.failed(outcome, result_digest(files.items()))
    job.recorder.end(attempt, outcome, success, log, note, wrote, guard=job.guard, goes_on=goes_on)
    if outcome.strays and outcome.state == "ok":
        stop = stop_of_strays(step.name, outcome)
        return outcome._replace(state="failed", message=give_up(job, stop, *told))
    if not goes_on:
        report = _report(job, attempt, outcome, note, log, ground)
        story = job.guard.story if job.guard else ()
        session.tally.add(report._replace(details=(*story, *told, *report.details)))
    return outcome


def log_of(attempt: Attempt) -> str:
    """Where what an attempt prints is kept, from the checkout's root."""
    return log_path(attempt.run_id, attempt.task, attempt.number)


def supervised(
    job: Job, attempt: Attempt, trouble: Exception | None = None, text: str = ""
) -> tuple[Outcome, list[str]]:
    """Run the commands of an attempt, and look whether they did what they may; with what is to be told
    of it. `text` is the prompt where it is not that of the edit.
    """
    started = time.monotonic()
    try:
        if trouble is not None:
            raise trouble
        missing = job.place.freshness.missing_inputs(job.step, job.decision.seen)
        if missing:
            raise WsbuildError(
                f"input {missing[0]} is missing", "no step has made it: make it, or mend `inputs`"
            )

        def on_start(pid: int, start: int) -> None:
            job.recorder.started(attempt, pid, start)

        run = Run(job.session, job.ws, job.step, attempt, log_of(attempt), on_start, text)
        space = job.session.workspaces.get(job.ws.id)
        with group_turn(job.session, job.ws):
            if space is not None:
                space.watch()
            outcome = run_commands(run)
    except BusyError as error:  # the run was ended
        outcome = Outcome("interrupted", INTERRUPTED_CODE, time.monotonic() - started, str(error))
    except TROUBLE as error:
        outcome = Outcome("failed", 1, time.monotonic() - started, str(error))
        outcome = outcome._replace(signature=signature(job.step.name, "failed", str(error)))
    job.session.tally.has_used(outcome.usage)
    outcome, told = _within_scope(job, attempt, outcome)
    outcome = outcome._replace(message=job.session.redacted(outcome.message))
    return outcome, [f"used {outcome.usage}", *told] if outcome.usage != Usage() else told


def _within_scope(job: Job, attempt: Attempt, outcome: Outcome) -> tuple[Outcome, list[str]]:
    """What becomes of an attempt in a workspace: it failed if it did what the workstream may not do. And
    what is to be told of it.
    """
    space = job.session.workspaces.get(job.ws.id)
    if space is None:
        return outcome, []
    try:
        violations = space.violations()
        outcome = outcome._replace(strays=tuple(space.strays))
        if violations:
            name = f"{attempt.run_id}/{attempt.task.replace(':', '.')}.{attempt.number}"
            told = [*violations, *space.strays, *space.quarantine(name)]
            message = f"{job.step.name} went beyond its scope: {violations[0]}"
            mark = signature(job.step.name, "scope", "\n".join(violations))
            failed = outcome._replace(
                state="failed", exit_code=1, message=message, signature=mark, command=""
            )
            return failed, told
        if job.step.edits:
            space.settle()
    except TROUBLE as error:
        message = f"what {job.step.name} did cannot be looked at: {error}"
        outcome = outcome._replace(state="failed", exit_code=1, message=message, command="")
    if outcome.state != "ok" and space.where:
        return outcome, [*outcome.strays, f"nothing has landed; the work is kept in {space.where}"]
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
        outcome = of_edit(step.name, outcome, changed=bool(wrote))
        if outcome.state != "ok":
            return outcome, None, ""
        note = "it changed nothing" if step.prompt and not wrote else ""
        return outcome, success_of(step, before, after, wrote), note
    made = matcher(step.outputs, below=True)
    moved = [path for path in written(before.seen, after.seen) if not made(path)]
    if moved:
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        return outcome, None, f"input changed while running: {moved[0]}{more}; it will run again"
    return outcome, success_of(step, before, after), ""


def why(decision: Decision) -> str:
    """The reasons in one line: the first, and where that says only that nothing is recorded, the next."""
    reasons = [str(reason) for reason in decision.reasons] or ["forced"]
    shown = 2 if decision.reasons and decision.reasons[0].kind in UNRECORDED else 1
    more = f" (+{len(reasons) - shown} more)" if len(reasons) > shown else ""
    return "; ".join(reasons[:shown]) + more


def _report(job: Job, attempt: Attempt, outcome: Outcome, note: str, log: str, ground: Ground) -> StepReport:
    ws, step, decision = job.ws, job.step, job.decision
    moved = moved_lines(ground.aside)
    if outcome.limit is not None:
        return StepReport(attempt.task, WAITING, outcome.message, outcome.duration_s, attempt.number, moved)
    if outcome.state == "ok":
        manual = ws.manual if step.phase == "runtime" else ()
        noted = (
            *moved,
            *([note] if note else []),
            *(f"failed, and does not block: {warning}" for warning in outcome.warnings),
            *(f"not verified, for a person to look at: {text}" for text in manual),
        )
        return StepReport(attempt.task, EXECUTED, why(decision), outcome.duration_s, attempt.number, noted)
    shown = map(printable, outcome.output.rstrip().splitlines()[-TAIL_LINES:])
    first, *more = outcome.message.split("\n")
    at = f"log: {log}" if step.commands else ""
    details = (*more, *moved, *shown, at, f"why it ran: {why(decision)}")
    return StepReport(
        attempt.task,
        FAILED,
        first,
        outcome.duration_s,
        attempt.number,
        tuple(line for line in details if line),
    )
