"""The commands of a step: rendered, started one after the other, supervised; nothing is recorded here."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions import prompt
from wsbuild.actions.outcome import Limit, Outcome
from wsbuild.errors import EXIT_FAILED
from wsbuild.identity import SHELL
from wsbuild.statedir import make_dir
from wsbuild.tools import process, template
from wsbuild.tools.command import MISSING_CODE
from wsbuild.tools.signature import signature
from wsbuild.tools.usage import Usage, complaint, limited_until, used

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.actions.outcome import Attempt
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import CommandPlan, StepPlan, WorkstreamPlan

PATH_VARIABLES = frozenset({"files", "files_scope", "files_create"})


class Run(NamedTuple):
    """One attempt under way; `text` is its prompt where that is not the prompt of the edit."""

    session: Session
    ws: WorkstreamPlan
    step: StepPlan
    attempt: Attempt
    log: str
    on_start: Callable[[int, int], None]
    text: str = ""


def run_commands(run: Run) -> Outcome:
    """The step's commands in turn, until one fails."""
    make_dir(run.session.root, os.path.dirname(run.log))
    total, usage = 0.0, Usage()
    answered: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    outcome = Outcome("ok", 0, total)
    # Explicit steps have none: what they run is written out.
    is_template = run.step.prompt or any(command.profile for command in run.step.commands)
    values = _variables(run) if is_template else {}
    for command in run.step.commands:
        for tries_left in range(run.step.retries, -1, -1):
            outcome = _run_command(run, command, values)
            total, usage = total + outcome.duration_s, usage.plus(outcome.usage)
            if outcome.state in {"ok", "interrupted"} or outcome.limit is not None or not tries_left:
                break
        if outcome.state == "ok" and command.limit_output and outcome.limit is None:
            answered = (*answered, command.label)
        if outcome.state not in {"ok", "interrupted"} and not command.blocking:
            warnings = (*warnings, outcome.message)
            outcome = Outcome("ok", 0, 0.0, output=outcome.output)
        outcome = outcome._replace(duration_s=total, usage=usage, answered=answered, warnings=warnings)
        if outcome.state != "ok":
            return outcome
    return outcome._replace(exit_code=0)


def _variables(run: Run) -> dict[str, str | list[str]]:
    """What `{name}` stands for in the arguments of tool profiles."""
    session, ws, attempt = run.session, run.ws, run.attempt
    place, context = session.place(ws), ws.context
    values: dict[str, str | list[str]] = {
        "cwd": place.root,
        "repo_root": place.root,
        "worktree_path": place.root,
        "ws_id": ws.id,
        "run_id": attempt.run_id,
        "step": attempt.step,
        "attempt": str(attempt.number),
        "model_name": session.freshness.model,
        "message": " ".join([ws.id + ":", *context["tasks"]]),
        "files": sorted(place.freshness.owned_states(ws)),
        "files_scope": list(context["files_scope"]),
        "files_create": list(context["files_create"]),
        "python": session.python,
        "home": session.root,
        "prompt_file": "",
        "files_from": "",
        "payload_file": "",
    }
    if any(template.names(command.argv).count("files_from") for command in run.step.commands):
        listed = "".join(f"{path}\0" for path in values["files"])
        values["files_from"] = prompt.write(
            session.root, attempt.run_id, attempt.task, attempt.number, listed, "files"
        )
    if run.step.prompt:
        text = run.text or prompt.render(place.root, ws)
        text = session.redacted(text)
        values["prompt_file"] = prompt.write(session.root, attempt.run_id, attempt.task, attempt.number, text)
        if any(command.capability for command in run.step.commands):
            values["payload_file"] = _write_payload(run, text, list(values["files"]))
    return values


def _write_payload(run: Run, text: str, files: list[str]) -> str:
    """Keep what is handed over where a capability is routed; gives the path."""
    given = run.step.fields.get("capability_payload") or {}
    more = str(given.get("prompt", ""))
    payload = {
        "files": files,
        "files_scope": run.ws.context["files_scope"],
        "files_create": run.ws.context["files_create"],
        **given,
        "prompt": f"{text}\n{more}\n" if more and not run.text else text,
    }
    attempt = run.attempt
    said = json.dumps(run.session.redactor.all(payload), indent=2)
    return prompt.write(run.session.root, attempt.run_id, attempt.task, attempt.number, said, "payload.json")


def _run_command(run: Run, command: CommandPlan, values: Mapping[str, str | list[str]]) -> Outcome:
    session, place = run.session, run.session.place(run.ws)
    if command.unrouted:
        session.warn(f"AIM is not used: {command.unrouted}; tool profiles are used directly")
    argv: list[str] = [SHELL, "-c", command.shell] if command.shell else list(command.argv)
    cwd = place.root
    if command.profile:
        where = f"tool profile {command.profile}"
        argv = template.render(argv, values, where, paths=PATH_VARIABLES)
        if command.cwd:
            cwd = os.path.join(place.root, template.render([command.cwd], values, where)[0])
    found = session.freshness.tools.find(argv[0])
    log = os.path.join(session.root, run.log)
    logged = os.path.getsize(log) if command.usage_output and os.path.exists(log) else 0
    result = process.run(
        process.Command(
            argv=(found or argv[0], *argv[1:]),
            env=_environment(run, command),
            cwd=cwd,
            timeout_sec=command.timeout,
            grace_sec=session.plan.config.grace_sec,
        ),
        log=log,
        success=command.success,
        cap=session.plan.config.log_limit,
        on_start=run.on_start,
        redactor=session.redactor,
    )
    output = result.output.decode("utf-8", "backslashreplace")
    outcome = Outcome(result.state, result.exit_code, result.duration_s, output=output)
    outcome = outcome._replace(usage=_usage(command, log, logged))
    if result.state != "interrupted":
        outcome = outcome._replace(limit=_limit(command, output, session.plan.config.limit_wait_sec))
    if result.state == "ok":
        return outcome._replace(complaint=complaint(command.failure_output, output))
    if outcome.limit is not None:  # no error of the step
        return outcome._replace(message=outcome.limit.message)
    message = _message(result, command, output)
    if result.state == "interrupted":
        return outcome._replace(message=message)
    mark = signature(run.step.name, f"{command.label}:{result.state}:{result.exit_code}", output)
    return outcome._replace(message=message, signature=mark, command=command.label)


def _usage(command: CommandPlan, log: str, start: int) -> Usage:
    """What a command says it has used; its output begins at the byte `start` of the log."""
    if not command.usage_output:
        return Usage()
    with open(log, "rb") as file:
        file.seek(start)
        return used(command.usage_output, file.read().decode("utf-8", "replace"))


def _limit(command: CommandPlan, output: str, wait_s: float) -> Limit | None:
    """The usage limit that a command says it has reached."""
    if not command.limit_output:
        return None
    found = limited_until(command.limit_output, output, time.time(), wait_s)
    return None if found is None else Limit(command.label, *found)


def _environment(run: Run, command: CommandPlan) -> dict[str, str]:
    session, attempt = run.session, run.attempt
    passed = {**dict.fromkeys(command.pass_env), **command.env}
    given = {
        name: session.environ.get(name, "") if value is None else value
        for name, value in passed.items()
        if value is not None or name in session.environ
    }
    own = {
        "PATH": session.freshness.tools.path,
        "WSBUILD_ROOT": session.place(run.ws).root,
        "WSBUILD_WORKSTREAM": attempt.ws_id,
        "WSBUILD_STEP": attempt.step,
    }
    return {**session.visible, **own, **given}


def _hindrance(result: process.Result, command: CommandPlan) -> str:
    starts = command.argv[0] if command.argv else SHELL
    if result.exit_code == MISSING_CODE:
        return f"{starts} is not on PATH, or what it needs to run is not there"
    said = result.output.decode("utf-8", "backslashreplace").strip()
    return said.rpartition(": ")[2] if said.startswith("cannot start ") else said


def _message(result: process.Result, command: CommandPlan, output: str) -> str:
    """Why a command failed; detectors say themselves what they have found."""
    if command.capability and output.strip():
        return output.strip().splitlines()[-1].removeprefix("aim: ")
    if command.detectors and result.exit_code == EXIT_FAILED and output.strip():
        return f"{command.label}: {output.strip().splitlines()[-1]}"
    return f"{command.label} {_ending(result, command)}"


def _ending(result: process.Result, command: CommandPlan) -> str:
    return {
        "timeout": f"took longer than {command.timeout:g} s and was ended",
        "missing": f"cannot be started: {_hindrance(result, command)}",
        "crashed": f"was killed by signal {result.signal}",
        "interrupted": "was interrupted",
    }.get(result.state, f"exited with {result.exit_code}")
