"""The fix loop: a check that fails is fixed and tried again, as long as its breaker lets it.

First by what the failed tool can mend by itself, then by the tool that edits, which is given what was
found. A fix goes on with the work of the edit: it is one more attempt of that step, and what both did
together becomes the step's result.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from wsbuild.actions import prompt, reuse
from wsbuild.actions.allowance import give_up, stop_of
from wsbuild.actions.attempt import TROUBLE, log_of, supervised
from wsbuild.actions.freshness import written
from wsbuild.actions.guard import Guard
from wsbuild.actions.outcome import Ground, Outcome, Stop, Success, left_by, of_edit, stop_of_strays
from wsbuild.actions.tally import FAILED, WAITING
from wsbuild.breaker import Limits
from wsbuild.cache.cache import Ran
from wsbuild.cache.digest import sha256_text
from wsbuild.cache.files import MISSING
from wsbuild.cache.manifest import Manifest, Reason, canonical_json, result_digest
from wsbuild.patterns import matcher
from wsbuild.store import attempts, breakers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.actions.job import Job
    from wsbuild.plan.records import CommandPlan, StepPlan, WorkstreamPlan
    from wsbuild.store.clean import CleanRow

ANY_EXIT = tuple(range(256))
HELD = "left alone by its circuit breaker"


def until_it_passes(job: Job, do: Callable[[Job], Outcome], again: Callable[[StepPlan], str]) -> str:
    """Have a step done, and a check that fails fixed; gives why it failed, empty when it did not.

    `do` has it done where its files are, `again` has a step done that is not up to date and gives why
    it failed.
    """
    guard = guard_of(job)
    if guard is None:
        return do(job).message
    job = job._replace(guard=guard)
    verdict = guard.verdict()
    if verdict.kind in {"wait", "stop"} and not job.decision.fresh:
        return give_up(job, Stop(HELD), verdict.reason, _until(verdict.resume_at))
    while True:
        outcome = do(job)
        if outcome.state == "ok":
            if guard.passed():
                job.recorder.note_breaker(guard.row())
            return ""
        if not outcome.is_finding or guard.verdict().kind != "fix":
            return outcome.message
        stop = _fix(job, guard, outcome)
        if stop is not None:
            return give_up(job, stop, *guard.story)
        needed = _needed_by(job.ws, job.step)
        for step in job.ws.steps[job.ws.steps.index(guard.editor) + 1 :]:
            failure = again(step) if step.name in needed else ""
            if failure:
                return give_up(job, Stop(f"{step.name} fails after a fix: {failure}"), *guard.story)
        job = job.looked_again()


def guard_of(job: Job) -> Guard | None:
    """The guard of a step; None where it is not fixed: it is no check, its limits do not want it, or no
    tool has edited before it.
    """
    session, ws, step = job.session, job.ws, job.step
    limits = ws.limits.get(step.phase)
    needed = _needed_by(ws, step)
    editor = next((s for s in reversed(ws.steps) if s.name in needed and s.prompt and s.edits), None)
    if limits is None or not limits["fix"] or editor is None:
        return None
    job.recorder.flush()  # a result put back gets its number when it is written
    row = session.reader.row(ws.step_task(editor.name))
    key = session.store.read(lambda conn: attempts.key_of(conn, row.attempt_id)) if row else ""
    if not key:
        return None
    basis = _basis(job, key)
    seen = session.store.read(lambda conn: breakers.get(conn, job.task, basis))
    return Guard(job.task, ws.id, Limits(**limits), editor, key, basis, seen)


def _needed_by(ws: WorkstreamPlan, step: StepPlan) -> set[str]:
    """The names of the steps that have to be done before `step`."""
    needed = set(step.needs)
    for known in reversed(ws.steps):
        if known.name in needed:
            needed.update(known.needs)
    return needed


def _basis(job: Job, editor_key: str) -> str:
    """The digest of all that decides a check, but for what fixing it changes."""
    is_owned = matcher(job.ws.owned, below=True)
    own = job.ws.task + ":"
    lines = [
        [kind, name, value]
        for (kind, name), value in sorted(job.decision.action.lines.items())
        if not (kind == "input" and is_owned(name)) and not (kind == "upstream" and name.startswith(own))
    ]
    return sha256_text(canonical_json([editor_key, lines]))


def _until(resume_at: float | None) -> str:
    if resume_at is None:
        return "it runs again when something it depends on changes, or with --force"
    at = time.strftime("%H:%M:%S", time.localtime(time.time() + resume_at - time.monotonic()))
    return f"it is tried again after {at}; at once when something it depends on changes, or with --force"


def _fix(job: Job, guard: Guard, outcome: Outcome) -> Stop | None:
    """One fix of what a check found; gives why it is no use to go on, else None."""
    command = next((c for c in job.step.commands if c.label == outcome.command), None)
    if command is not None and command.fix and job.place.freshness.owned_states(job.ws):
        editor = guard.editor._replace(commands=(_mending(command),), prompt=False, retries=0)
        stop, changed = _carry_out(job, guard, editor, f"{command.label} mends what it found", "")
        if stop is not None or changed:
            return stop
    stop = stop_of(job._replace(step=guard.editor))
    if stop is not None:
        return stop
    try:
        text = prompt.render_fix(job.place.root, job.ws, job.step.name, outcome.message, outcome.output)
    except TROUBLE as error:
        return Stop(str(error))
    stop, _ = _carry_out(job, guard, guard.editor, f"fix of {job.step.name}: {outcome.message}", text)
    return stop


def _mending(command: CommandPlan) -> CommandPlan:
    """What a tool is run as to mend what it finds: it may still find what it cannot mend."""
    return command._replace(argv=command.fix, success=ANY_EXIT)


def _carry_out(job: Job, guard: Guard, editor: StepPlan, why: str, text: str) -> tuple[Stop | None, bool]:
    """One more attempt of the editing step, recorded as such; gives why it is no use to go on (None if it
    is) and whether any file has changed. With `text` it counts as a fix though none has.
    """
    session, recorder, ws = job.session, job.recorder, job.ws
    freshness = job.place.freshness
    before = freshness.owned_states(ws)
    row = session.reader.row(ws.step_task(editor.name))
    assert row is not None
    decision = freshness.decide(ws, guard.editor)._replace(reasons=(Reason("fix", why),))
    attempt = recorder.begin(ws, editor, decision, guard.editor_key, Ground(), fixing=True)
    outcome, told = supervised(job._replace(step=editor, decision=decision), attempt, None, text)
    guard.story += told
    if job.place.freshness is not freshness:  # it was taken out of the way: what it did was not allowed
        guard.fixed(changed=False)
        recorder.end(attempt, outcome, None, log_of(attempt), "", {}, guard=guard, goes_on=True)
        return Stop(outcome.message), False
    session.forget_decisions()
    wrote = written(before, freshness.owned_states(ws))
    outcome = of_edit(editor.name, outcome, changed=bool(wrote))
    if not wrote and outcome.state != "ok" and (text or outcome.state in {"interrupted", "missing"}):
        # No fix, but a tool that cannot do its work: that is not held against the workstream.
        recorder.end(attempt, outcome, None, log_of(attempt), "", {}, guard=guard, goes_on=True)
        return Stop(outcome.message, FAILED if outcome.limit is None else WAITING), False
    if wrote or text:
        guard.fixed(changed=bool(wrote))
    success = _with_fix(row, wrote, freshness.decide(ws, guard.editor).seen)
    note = _keep(job, guard, attempt.task, log_of(attempt), success, before, outcome)
    recorder.end(
        attempt,
        outcome,
        success,
        log_of(attempt),
        note,
        left_by(editor, success, Ground()),
        guard=guard,
        goes_on=True,
    )
    done = f"changed {', '.join(sorted(wrote))}" if wrote else "changed nothing"
    ended = f" ({outcome.message})" if outcome.message else ""
    guard.story.append(f"{why.split(':', 1)[0]}: {attempt.task} {done}{ended}")
    if outcome.strays and outcome.state == "ok":
        return stop_of_strays(editor.name, outcome), bool(wrote)
    return (Stop(outcome.message) if outcome.state == "interrupted" else None), bool(wrote)


def _with_fix(row: CleanRow, wrote: Mapping[str, str], seen: Mapping[str, str]) -> Success:
    """The edit's clean row once a fix `wrote` some files: all else is as it was recorded."""
    manifest = Manifest.parse(row.manifest)
    inputs = manifest.inputs()
    for path in wrote:
        if path in seen:
            inputs[path] = seen[path]
        else:
            inputs.pop(path, None)
    manifest = manifest.with_inputs(inputs)
    there = [(path, state) for path, state in {**inputs, **wrote}.items() if state != MISSING]
    return Success(manifest.text(), manifest.key(), row.output_states(), result_digest(there), dict(wrote))


def _keep(
    job: Job,
    guard: Guard,
    task: str,
    log: str,
    success: Success,
    before: Mapping[str, str],
    outcome: Outcome,
) -> str:
    """Let the result of the edit that others find be what the edit and its fixes did."""
    cache = job.session.cache
    reuse.settle(job.session)  # what the edit left may be waiting for its place yet
    entry = cache.find(task, guard.editor_key).entry if cache is not None else None
    if entry is None or not success.writes:
        return ""
    found = {**{path: before.get(path, MISSING) for path in success.writes}, **entry.before}
    left = {**entry.states(), **success.writes}
    changed = {path: state for path, state in left.items() if state != found[path]}
    ran = Ran(
        task,
        entry.key,
        entry.manifest,
        changed,
        {path: found[path] for path in changed},
        os.path.join(job.session.root, log),
        0,
        entry.duration_s + outcome.duration_s,
        job.place.root,
    )
    return reuse.keep(job.session, ran, success)
