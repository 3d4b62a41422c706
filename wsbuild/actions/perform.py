"""Running one step: ask again whether it must, run its commands supervised, record what came of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions import prompt
from wsbuild.actions.freshness import written
from wsbuild.actions.identity import SHELL
from wsbuild.actions.outcome import Outcome, success_of
from wsbuild.actions.tally import EXECUTED, FAILED, SKIPPED, UP_TO_DATE, StepReport
from wsbuild.cache.files import MISSING
from wsbuild.errors import WsbuildError
from wsbuild.patterns import matcher
from wsbuild.statedir import LOGS, make_dir
from wsbuild.tools import process, template
from wsbuild.tools.signature import signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.outcome import Attempt, Success
    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import CommandPlan, StepPlan, WorkstreamPlan

TAIL_LINES = 20
PATH_VARIABLES = frozenset({"files", "files_scope", "files_create"})


class _Before(NamedTuple):
    """The tree as it was when the step started."""

    decision: Decision
    owned: Mapping[str, str]


def perform(session: Session, recorder: Recorder, ws: WorkstreamPlan, step: StepPlan) -> str:
    """Run `step` unless it is up to date by now; gives why it failed, empty when it did not.

    Whoever held the tree before may have run it: so the question is asked again under the lock.
    """
    task = ws.step_task(step.name)
    if step.idle:
        session.tally.add(StepReport(task, SKIPPED, "nothing configured"))
        return ""
    recorder.open_run()
    decision = session.freshness.decide(ws, step)
    if decision.fresh and not session.force:
        session.tally.add(StepReport(task, UP_TO_DATE, "done by another run"))
        return ""
    owned = session.freshness.owned_states(ws) if step.edits else {}
    key = decision.manifest.key(session.store.seed)
    attempt = recorder.begin(ws, step, decision, key)
    return _attempt(session, recorder, ws, step, attempt, _Before(decision, owned))


def _attempt(
    session: Session,
    recorder: Recorder,
    ws: WorkstreamPlan,
    step: StepPlan,
    attempt: Attempt,
    before: _Before,
) -> str:
    log = os.path.join(LOGS, attempt.run_id, f"{attempt.task.replace(':', '.')}.{attempt.number}.log")
    started = time.monotonic()
    try:
        missing = session.freshness.missing_inputs(step, before.decision.seen)
        if missing:
            raise WsbuildError(
                f"input {missing[0]} is missing", "no step has made it: make it, or mend `inputs`"
            )
        outcome = _run_commands(
            _Run(session, ws, step, attempt, log, lambda pid, at: recorder.started(attempt, pid, at))
        )
    except (WsbuildError, OSError) as error:
        outcome = Outcome("failed", 1, time.monotonic() - started, str(error))
        outcome = outcome._replace(signature=signature(step.name, "failed", str(error)))
    success, note = None, ""
    if outcome.state == "ok":
        outcome, success, note = _judge(session, ws, step, outcome, before)
    recorder.end(attempt, outcome, success, log, note)
    session.tally.add(_report(step, attempt, outcome, note, before.decision, log))
    return outcome.message


def _judge(
    session: Session, ws: WorkstreamPlan, step: StepPlan, outcome: Outcome, before: _Before
) -> tuple[Outcome, Success | None, str]:
    """Look at the tree again: what did the step write, did its inputs move, are its outputs there?"""
    freshness, seed = session.freshness, session.store.seed
    after = freshness.decide(ws, step)
    started_with = before.decision.manifest
    absent = sorted(path for path, state in after.outputs.items() if state == MISSING)
    if absent:
        message = f"{step.name} ended well, but did not make {absent[0]}"
        mark = signature(step.name, "no-output", message)
        return outcome._replace(state="failed", message=message, signature=mark), None, ""
    if step.edits:
        wrote = written(before.owned, freshness.owned_states(ws))
        inputs = _undisturbed(before, after, wrote)
        return outcome, success_of(seed, step, started_with, inputs, after.outputs, wrote), ""
    made = matcher(step.outputs)
    moved = [path for path in written(before.decision.seen, after.seen) if not made(path)]
    if moved:
        more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
        return outcome, None, f"input changed while running: {moved[0]}{more}; it will run again"
    return outcome, success_of(seed, step, started_with, after.seen, after.outputs), ""


def _undisturbed(before: _Before, after: Decision, wrote: Mapping[str, str]) -> dict[str, str]:
    """The inputs to record for a step that edits: what it wrote as it is now, all else as it was."""
    recorded = dict(before.decision.seen)
    for path in wrote:
        if path in after.seen:
            recorded[path] = after.seen[path]
        else:
            recorded.pop(path, None)
    return recorded


class _Run(NamedTuple):
    """One attempt under way."""

    session: Session
    ws: WorkstreamPlan
    step: StepPlan
    attempt: Attempt
    log: str
    on_start: Callable[[int, int], None]


def _run_commands(run: _Run) -> Outcome:
    """The step's commands in turn, until one fails."""
    make_dir(run.session.root, os.path.dirname(run.log))
    total = 0.0
    values = _variables(run)
    for command in run.step.commands:
        for tries_left in range(run.step.retries, -1, -1):
            outcome = _run_command(run, command, values)
            total += outcome.duration_s
            if outcome.state in {"ok", "interrupted"} or not tries_left:
                break
        if outcome.state != "ok":
            return outcome._replace(duration_s=total)
    return Outcome("ok", 0, total)


def _variables(run: _Run) -> dict[str, str | list[str]]:
    """What `{name}` stands for in the arguments of tool profiles."""
    session, ws, attempt = run.session, run.ws, run.attempt
    context = ws.context
    values: dict[str, str | list[str]] = {
        "cwd": session.root,
        "repo_root": session.root,
        "worktree_path": session.root,
        "ws_id": ws.id,
        "run_id": attempt.run_id,
        "step": attempt.step,
        "attempt": str(attempt.number),
        "model_name": session.freshness.model,
        "message": " ".join([ws.id + ":", *context["tasks"]]),
        "files": sorted(session.freshness.owned_states(ws)),
        "files_scope": list(context["files_scope"]),
        "files_create": list(context["files_create"]),
        "python": session.python,
        "prompt_file": "",
    }
    if run.step.prompt:
        text = prompt.render(session.root, ws)
        values["prompt_file"] = prompt.write(session.root, attempt.run_id, attempt.task, attempt.number, text)
    return values


def _run_command(run: _Run, command: CommandPlan, values: Mapping[str, str | list[str]]) -> Outcome:
    session = run.session
    argv: list[str] = [SHELL, "-c", command.shell] if command.shell else list(command.argv)
    cwd = session.root
    if command.profile:
        where = f"tool profile {command.profile}"
        argv = template.render(argv, values, where, paths=PATH_VARIABLES)
        if command.cwd:
            cwd = os.path.join(session.root, template.render([command.cwd], values, where)[0])
    found = session.freshness.tools.find(argv[0])
    result = process.run(
        process.Command(
            argv=(found or argv[0], *argv[1:]),
            env=_environment(session, command, run.attempt),
            cwd=cwd,
            timeout_sec=command.timeout,
            grace_sec=session.plan.config.grace_sec,
        ),
        log=os.path.join(session.root, run.log),
        success=command.success,
        cap=session.plan.config.log_limit,
        on_start=run.on_start,
    )
    if result.state == "ok":
        return Outcome("ok", result.exit_code, result.duration_s)
    output = result.output.decode("utf-8", "backslashreplace")
    message = f"{command.label} {_ending(result, command)}"
    if result.state == "interrupted":  # not an error of the step
        return Outcome(result.state, result.exit_code, result.duration_s, message, output=output)
    mark = signature(run.step.name, f"{command.label}:{result.state}:{result.exit_code}", output)
    return Outcome(result.state, result.exit_code, result.duration_s, message, mark, output)


def _environment(session: Session, command: CommandPlan, attempt: Attempt) -> dict[str, str]:
    given = {
        name: session.environ.get(name, "") if value is None else value
        for name, value in command.env.items()
        if value is not None or name in session.environ
    }
    own = {
        "PATH": session.freshness.tools.path,
        "WSBUILD_ROOT": session.root,
        "WSBUILD_WORKSTREAM": attempt.ws_id,
        "WSBUILD_STEP": attempt.step,
    }
    return process.tool_env(session.environ, {**own, **given})


def _ending(result: process.Result, command: CommandPlan) -> str:
    starts = command.argv[0] if command.argv else SHELL
    return {
        "timeout": f"took longer than {command.timeout:g} s and was ended",
        "missing": f"cannot be started: {starts} is not on PATH or cannot be executed",
        "crashed": f"was killed by signal {result.signal}",
        "interrupted": "was interrupted",
    }.get(result.state, f"exited with {result.exit_code}")


def _report(
    step: StepPlan, attempt: Attempt, outcome: Outcome, note: str, decision: Decision, log: str
) -> StepReport:
    reasons = decision.reasons
    why = str(reasons[0]) if reasons else "forced"
    if len(reasons) > 1:
        why += f" (+{len(reasons) - 1} more)"
    if outcome.state == "ok":
        noted = (note,) if note else ()
        return StepReport(attempt.task, EXECUTED, why, outcome.duration_s, attempt.number, noted)
    tail = outcome.output.rstrip().splitlines()[-TAIL_LINES:]
    shown = [
        "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in line) for line in tail
    ]
    details = (*shown, f"log: {log}" if step.commands else "", f"why it ran: {why}")
    return StepReport(
        attempt.task,
        FAILED,
        outcome.message.split("\n")[0],
        outcome.duration_s,
        attempt.number,
        tuple(line for line in details if line),
    )
