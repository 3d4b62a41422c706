"""Everything the user wrote, read and checked together: settings, tool profiles, limits and bundles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild import bundle, config, graph, limits
from wsbuild.aim import load as aim
from wsbuild.detectors import registry
from wsbuild.model import Problem
from wsbuild.tools import profiles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from wsbuild.aim.load import Aim
    from wsbuild.bundle import Bundles
    from wsbuild.config import Config
    from wsbuild.detectors.contract import Detector
    from wsbuild.graph import Graph
    from wsbuild.model import Workstream
    from wsbuild.tools.profiles import Profile

LAND = "land"
"""The step that is added behind all others where these work in a worktree."""


class Loaded(NamedTuple):
    """What was read; `detectors` and `aim` only where some may be named, or capabilities are."""

    config: Config
    limits: limits.Settings
    profiles: Mapping[str, Profile]
    detectors: Mapping[str, Detector]
    aim: Aim | None
    workstreams: tuple[Workstream, ...]
    graph: Graph
    problems: list[Problem]


def load(root: str, environ: Mapping[str, str], only: Sequence[str] = ()) -> Loaded:
    """Read and check settings, profiles and bundles (or just the bundle files `only`)."""
    return assemble(root, environ, bundle.load(root, environ, only))


def assemble(root: str, environ: Mapping[str, str], bundles: Bundles) -> Loaded:
    """Read and check settings and profiles, and with them bundles that have been read."""
    settings, problems = config.load(root)
    breaker, breaker_problems = limits.load(root)
    tool_profiles, profile_problems = profiles.load(root)
    drawn = graph.build(
        bundles.workstreams,
        policy=settings.overlap,
        isdir=lambda rel: os.path.isdir(os.path.join(root, rel)),
    )
    problems = [*problems, *breaker_problems, *profile_problems, *bundles.problems, *drawn.problems]
    detectors: dict[str, Detector] = {}
    if _names_detectors(settings, bundles.workstreams, tool_profiles):
        known, detector_problems = registry.load(root)
        problems += detector_problems
        detectors = {one.id: one for one in known}
    routing: Aim | None = None
    if any(ws.capability for ws in bundles.workstreams):
        routing, aim_problems = aim.load(root, environ, tool_profiles)
        problems += aim_problems
    loaded = Loaded(
        settings, breaker, tool_profiles, detectors, routing, bundles.workstreams, drawn, problems
    )
    problems.extend(_unknown_tools(loaded))
    return loaded


def _names_detectors(
    settings: Config, workstreams: Sequence[Workstream], known: Mapping[str, Profile]
) -> bool:
    """Whether anything is named that may be a detector."""
    named = [name for _, names in _configured(settings) for name in names]
    steps = [step for ws in workstreams for step in ws.steps]
    named += [name for step in steps for name in step.detectors]
    own = {name for name, profile in known.items() if profile.source == profiles.FILE}
    return not own.issuperset(named) or any(step.tool and step.tool not in known for step in steps)


def _unknown_tools(loaded: Loaded) -> list[Problem]:
    """Profiles and detectors that are named but do not exist."""
    known = {*loaded.profiles, *loaded.detectors}
    problems = [
        _no_profile(name, config.FILE, key, 0, known)
        for key, names in _configured(loaded.config)
        for name in names
        if name not in known
    ]
    for ws in loaded.workstreams:
        if ws.source in {problem.file for problem in loaded.problems}:
            continue
        problems += _gates(ws, loaded.config)
        named = [("/tool", ws.tool)] if ws.tool and not ws.steps else []
        if not ws.steps and not edit_tool(ws, loaded.profiles) and not is_routed(ws, loaded):
            problems.append(_no_capability(ws))
        for at, step in enumerate(ws.steps):
            if step.name == LAND and ws.isolation == "worktree":
                problems.append(_land_is_taken(ws, at))
            named += [(f"/steps/{at}/tool", step.tool)] if step.tool else []
            named += [(f"/steps/{at}/detectors/{i}", name) for i, name in enumerate(step.detectors)]
        problems += [
            _no_profile(name, ws.source, ws.pointer + pointer, ws.line, known)
            for pointer, name in named
            if name not in (loaded.profiles if pointer == "/tool" else known)
        ]
    return problems


def _configured(settings: Config) -> Iterator[tuple[str, Sequence[str]]]:
    """The profiles and detectors that the settings name, and the places where they do."""
    yield "/pipeline/static", settings.static
    yield "/pipeline/runtime", settings.runtime
    for kind, names in settings.test_gates.items():
        yield f"/test_gates/{kind}", names


def _gates(ws: Workstream, settings: Config) -> Iterator[Problem]:
    """Test gates that must be passed and cannot be."""
    for at, gate in enumerate(ws.test_gates):
        kind, pointer = gate["type"], f"{ws.pointer}/test_gates/{at}"
        if ws.steps:
            message = "a workstream with `steps` has no test gates"
            yield Problem(ws.source, pointer, ws.line, "gate-with-steps", message, "make it one of its steps")
        elif gate.get("required", True) and not settings.test_gates.get(kind):
            message = f"{kind} is required, and nothing says what it runs"
            hint = f"name tool profiles under `test_gates` in {config.FILE}, or do not require it"
            yield Problem(ws.source, pointer, ws.line, "unknown-gate", message, hint)


def _no_profile(name: str, file: str, pointer: str, line: int, known: Collection[str]) -> Problem:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    hint += f"profiles are defined in {profiles.FILE}, detectors below {registry.FOLDER}; "
    hint += f"known: {', '.join(sorted(known))}"
    return Problem(
        file, pointer, line, "unknown-tool", f"no tool profile or detector is named {name!r}", hint
    )


def _land_is_taken(ws: Workstream, at: int) -> Problem:
    message = f"a step cannot be named {LAND!r} with `isolation: worktree`: that is the step added behind all"
    return Problem(
        ws.source, f"{ws.pointer}/steps/{at}/name", ws.line, "reserved-name", message, "rename the step"
    )


def _no_capability(ws: Workstream) -> Problem:
    return Problem(
        ws.source,
        ws.pointer + "/capability",
        ws.line,
        "unknown-tool",
        f"no tool profile offers the capability {ws.capability!r}, and no rule of AIM speaks of it",
        "name a `tool`, list the capability in a profile's aim_capabilities, or write a rule for it",
    )


def edit_tool(ws: Workstream, known: Mapping[str, Profile]) -> str:
    """The profile that edits: the one named, else the first that offers the capability."""
    if ws.tool:
        return ws.tool
    able = [name for name in sorted(known) if ws.capability in known[name].aim_capabilities]
    return able[0] if able else ""


def is_routed(ws: Workstream, loaded: Loaded) -> bool:
    """Whether what a workstream edits by is chosen by the rules of AIM."""
    found = loaded.aim
    return (
        bool(ws.capability) and found is not None and not found.off and found.rule(ws.capability) is not None
    )
