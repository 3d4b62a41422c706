"""Bundles, settings and tool profiles to the compiled plan: which steps, which commands.

The slow path: it imports the parsers and networkx, and runs only when a spec file has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsbuild import limits
from wsbuild.aim.load import profile_of
from wsbuild.cache.digest import sha256_text
from wsbuild.cache.manifest import canonical_json
from wsbuild.plan.commands import (
    checks,
    command_fields,
    editing,
    profile_command,
    profile_inputs,
    test_command,
)
from wsbuild.plan.read import LAND
from wsbuild.plan.records import CommandPlan, StepPlan, WorkstreamPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.config import Config
    from wsbuild.model import StepSpec, Workstream
    from wsbuild.plan.archived import Shelved
    from wsbuild.plan.read import Loaded

DOC_LENGTH = 72


def _explicit(ws: Workstream, loaded: Loaded) -> tuple[StepPlan, ...]:
    steps = []
    for at, spec in enumerate(ws.steps):
        needs = spec.needs
        if needs is None:
            needs = (ws.steps[at - 1].name,) if at else ()
        commands, phase = _explicit_commands(spec, loaded)
        implicit = spec.inputs is None
        steps.append(
            StepPlan(
                name=spec.name,
                phase=phase,
                needs=needs,
                commands=commands,
                inputs=_owned(ws) if spec.inputs is None else spec.inputs,
                outputs=spec.outputs,
                implicit=implicit,
                edits=phase == "edit" and not spec.outputs,
                fields={
                    "commands": command_fields(commands),
                    "inputs": None if spec.inputs is None else list(spec.inputs),
                    "outputs": list(spec.outputs),
                },
                retries=spec.retries,
                prompt=phase == "edit" and bool(spec.tool),
                cached=spec.cache,
                incremental=spec.incremental,
            )
        )
    return _sorted_by_need(steps)


def _sorted_by_need(steps: list[StepPlan]) -> tuple[StepPlan, ...]:
    """The steps with each behind what it needs, otherwise as written. Needs have no cycles here."""
    placed: dict[str, StepPlan] = {}
    while len(placed) < len(steps):
        for step in steps:
            if step.name not in placed and all(need in placed for need in step.needs):
                placed[step.name] = step
                break
        else:
            raise AssertionError("BUG: cyclic needs passed validation")
    return tuple(placed.values())


_PHASE_OF_TYPE = {"static-check": "static", "test": "runtime"}


def _explicit_commands(spec: StepSpec, loaded: Loaded) -> tuple[tuple[CommandPlan, ...], str]:
    settings = loaded.config
    if spec.run or spec.shell:
        command = CommandPlan(
            label=spec.name,
            argv=spec.run,
            shell=spec.shell,
            env=dict(spec.env),
            pass_env=spec.pass_env,
            timeout=spec.timeout_sec or settings.timeout_sec,
        )
        return (command,), "edit"
    tool = loaded.profiles.get(spec.tool)
    found = (
        [profile_command(tool, settings, spec.timeout_sec)]
        if tool is not None
        else checks(spec.detectors or (spec.tool,), loaded, spec.timeout_sec)
    )
    commands = tuple(
        command._replace(env={**command.env, **spec.env}, pass_env=(*command.pass_env, *spec.pass_env))
        for command in found
    )
    return commands, "static" if tool is None else _PHASE_OF_TYPE.get(tool.type, "edit")


def _default(ws: Workstream, loaded: Loaded) -> tuple[StepPlan, ...]:
    settings = loaded.config
    owned = _owned(ws)

    tests = [test_command(test, settings) for test in ws.acceptance_tests if not test.manual]
    asked = {
        "tasks": list(ws.tasks),
        "openspec_change": ws.openspec_change,
        "acceptance_tests": [test.text for test in ws.acceptance_tests],
        "files_scope": list(ws.files_scope),
        "files_create": list(ws.files_create),
        "capability": ws.capability,
        "capability_payload": dict(ws.capability_payload),
    }
    scope = {"files_scope": list(ws.files_scope), "files_create": list(ws.files_create)}

    def step(
        name: str,
        needs: tuple[str, ...],
        commands: Sequence[CommandPlan],
        reads: Sequence[str] = (),
    ) -> StepPlan:
        fields = asked if name == "edit" else scope
        return StepPlan(
            name=name,
            phase=name,
            needs=needs,
            commands=tuple(commands),
            inputs=(*owned, *profile_inputs(reads, loaded)),
            outputs=(),
            implicit=True,
            edits=name == "edit",
            fields={**fields, "commands": command_fields(commands)},
            prompt=name == "edit",
        )

    asked_gates = [(gate, settings.test_gates.get(gate["type"], ())) for gate in ws.test_gates]
    gates = [
        command._replace(label=f"{gate['type']}: {command.label}", blocking=gate.get("blocking", True))
        for gate, names in asked_gates
        for command in checks(names, loaded)
    ]
    runtime = checks(settings.runtime, loaded) + tests + gates
    reads = [*settings.runtime, *(name for _, names in asked_gates for name in names)]
    return (
        step("edit", (), editing(ws, loaded)),
        step("static", ("edit",), checks(settings.static, loaded), settings.static),
        step("runtime", ("static",), runtime, reads),
        step("land", ("runtime",), ()),
    )


def _owned(ws: Workstream) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*ws.files_scope, *ws.files_create)))


def _doc(ws: Workstream) -> str:
    title = ws.metadata.get("title")
    text = title if isinstance(title, str) and title else ""
    text = text or (ws.tasks[0] if ws.tasks else "") or ", ".join(step.name for step in ws.steps)
    text = " ".join(text.split())
    return text if len(text) <= DOC_LENGTH else text[: DOC_LENGTH - 1].rstrip() + "…"


def _context(ws: Workstream) -> dict[str, Any]:
    """What prompts and argument templates may speak of."""
    return {
        "openspec_change": ws.openspec_change,
        "ccpm_issue": ws.ccpm_issue,
        "gate": ws.gate,
        "tasks": list(ws.tasks),
        "acceptance_tests": [test.text for test in ws.acceptance_tests],
        "files_scope": list(ws.files_scope),
        "files_create": list(ws.files_create),
    }


def _limits(
    steps: Sequence[StepPlan], ws: Workstream, settings: limits.Settings
) -> dict[str, dict[str, Any]]:
    """How often each kind of step that can be fixed may be tried."""
    phases = {step.phase for step in steps if not step.idle}
    return {
        phase: limits.for_step(settings, phase, ws.circuit_breaker)._asdict()
        for phase in limits.PHASES
        if phase in phases
    }


def _landing(ws: Workstream, steps: Sequence[StepPlan]) -> StepPlan:
    """The step behind all others by which what explicit steps did in a worktree arrives."""
    needed = {need for step in steps for need in step.needs}
    return StepPlan(
        name=LAND,
        phase=LAND,
        needs=tuple(step.name for step in steps if step.name not in needed),
        commands=(),
        inputs=_owned(ws),
        outputs=(),
        implicit=True,
        edits=False,
        fields={"files_scope": list(ws.files_scope), "files_create": list(ws.files_create)},
    )


def _isolation(ws: Workstream) -> str:
    if ws.isolation == "worktree" or ws.land != "files":
        return "required"
    return ws.isolation or ("none" if ws.steps else "worktree")


def _manual(ws: Workstream, settings: Config) -> tuple[str, ...]:
    """What nobody but a person looks at."""
    tests = [test.text for test in ws.acceptance_tests if test.manual]
    gates = [gate["type"] for gate in ws.test_gates if not settings.test_gates.get(gate["type"])]
    return (*tests, *(f"{kind}, as no tool is configured for it" for kind in gates))


def _definition(ws: Workstream, steps: Sequence[StepPlan]) -> str:
    """The digest of all that whoever approves a workstream agrees to: what it does, how, and to what."""
    whole = [
        _context(ws),
        [step._asdict() for step in steps],
        [action.text for action in ws.compensation_actions],
    ]
    return sha256_text(canonical_json([*whole, ws.tool, ws.capability, ws.isolation, ws.land]))


def _shelved(found: Shelved) -> dict[str, Any]:
    return {"file": found.file, "done": found.record.done, "result": found.record.result}


def _workstream_plan(ws: Workstream, rank: int, after: set[str], loaded: Loaded) -> WorkstreamPlan:
    steps = _explicit(ws, loaded) if ws.steps else _default(ws, loaded)
    if ws.steps and ws.isolation == "worktree":
        steps = (*steps, _landing(ws, steps))
    if ws.land != "files":
        steps = (*steps[:-1], steps[-1]._replace(fields={**steps[-1].fields, "land": ws.land}))
    return WorkstreamPlan(
        id=ws.id,
        rank=rank,
        doc=_doc(ws),
        kind=ws.kind,
        priority=ws.priority,
        depends_on=tuple(sorted(set(ws.depends_on) - loaded.archived.keys())),
        after=tuple(sorted(after - set(ws.depends_on))),
        parallel_ok=ws.parallel_ok,
        owned=_owned(ws),
        source=ws.source,
        steps=steps,
        context=_context(ws),
        compensation=tuple(
            CommandPlan(
                label=action.text, argv=action.run, shell=action.shell, timeout=loaded.config.timeout_sec
            )
            for action in ws.compensation_actions
        ),
        manual=_manual(ws, loaded.config),
        limits=_limits(steps, ws, loaded.limits),
        isolation=_isolation(ws),
        conflict_group=ws.conflict_group,
        max_cost_usd=ws.max_cost_usd,
        estimated_tokens=ws.estimated_context_tokens or 0,
        land=ws.land,
        archived={one: _shelved(loaded.archived[one]) for one in ws.depends_on if one in loaded.archived},
        gate=ws.gate,
        definition=_definition(ws, steps) if ws.gate > loaded.config.approval_level else "",
    )


def workstream_plans(loaded: Loaded) -> list[WorkstreamPlan]:
    """The compiled workstreams, in the order of the plan. Expects a load without problems."""
    after: dict[str, set[str]] = {ws.id: set() for ws in loaded.workstreams}
    for edge in loaded.graph.edges:
        if edge.why != "depends_on":
            after[edge.after].add(edge.before)
    return [
        _workstream_plan(loaded.graph.workstreams[ws_id], rank, after[ws_id], loaded)
        for rank, ws_id in enumerate(loaded.graph.order)
    ]


def routes(loaded: Loaded, plans: Sequence[WorkstreamPlan]) -> dict[str, dict[str, Any]]:
    """By each capability that is routed, what its result depends on: the directory of the registry, and of
    each tool in its order how it is found and asked.
    """
    commands = (command for ws in plans for step in ws.steps for command in step.commands)
    wanted = {command.capability for command in commands if command.capability}
    return {capability: _route(capability, loaded) for capability in sorted(wanted)}


def _route(capability: str, loaded: Loaded) -> dict[str, Any]:
    aim = loaded.aim
    rule = aim.rule(capability) if aim is not None else None
    assert aim is not None
    assert rule is not None
    tools = [aim.tools[name] for name in rule.chain if name in aim.tools]
    profiles = [profile_of(tool, loaded.profiles) for tool in tools]
    return {
        "folder": aim.folder,
        "tools": [tool._asdict() for tool in tools],
        "profiles": [
            None
            if profile is None
            else {
                "fields": command_fields([profile_command(profile, loaded.config)]),
                "env": dict(profile.env),
            }
            for profile in profiles
        ],
    }
