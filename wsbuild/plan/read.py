"""Everything the user wrote, read and checked together: settings, tool profiles, limits and bundles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild import bundle, config, graph, limits
from wsbuild.model import Problem
from wsbuild.tools import profiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.config import Config
    from wsbuild.graph import Graph
    from wsbuild.model import Workstream
    from wsbuild.tools.profiles import Profile

LAND = "land"
"""The step that is added behind all others where these work in a worktree."""


class Loaded(NamedTuple):
    """What was read."""

    config: Config
    limits: limits.Settings
    profiles: Mapping[str, Profile]
    workstreams: tuple[Workstream, ...]
    graph: Graph
    problems: list[Problem]


def load(root: str, environ: Mapping[str, str], only: Sequence[str] = ()) -> Loaded:
    """Read and check settings, profiles and bundles (or just the bundle files `only`)."""
    settings, problems = config.load(root)
    breaker, breaker_problems = limits.load(root)
    tool_profiles, profile_problems = profiles.load(root)
    bundles = bundle.load(root, environ, only)
    drawn = graph.build(
        bundles.workstreams,
        policy=settings.overlap,
        isdir=lambda rel: os.path.isdir(os.path.join(root, rel)),
    )
    problems = [*problems, *breaker_problems, *profile_problems, *bundles.problems, *drawn.problems]
    loaded = Loaded(settings, breaker, tool_profiles, bundles.workstreams, drawn, problems)
    problems.extend(_unknown_tools(loaded))
    return loaded


def _unknown_tools(loaded: Loaded) -> list[Problem]:
    """Profiles that are named but do not exist."""
    problems = [
        _no_profile(name, config.FILE, f"/pipeline/{key}", 0, loaded.profiles)
        for key, names in (("static", loaded.config.static), ("runtime", loaded.config.runtime))
        for name in names
        if name not in loaded.profiles
    ]
    for ws in loaded.workstreams:
        if ws.source in {problem.file for problem in loaded.problems}:
            continue
        named = [("/tool", ws.tool)] if ws.tool and not ws.steps else []
        if not ws.steps and not edit_tool(ws, loaded.profiles):
            problems.append(_no_capability(ws))
        for at, step in enumerate(ws.steps):
            if step.name == LAND and ws.isolation == "worktree":
                problems.append(_land_is_taken(ws, at))
            named += [(f"/steps/{at}/tool", step.tool)] if step.tool else []
            named += [(f"/steps/{at}/detectors/{i}", name) for i, name in enumerate(step.detectors)]
        problems += [
            _no_profile(name, ws.source, ws.pointer + pointer, ws.line, loaded.profiles)
            for pointer, name in named
            if name not in loaded.profiles
        ]
    return problems


def _no_profile(name: str, file: str, pointer: str, line: int, known: Mapping[str, Profile]) -> Problem:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    hint += f"profiles are defined in config/tool_profiles.json; known: {', '.join(sorted(known))}"
    return Problem(file, pointer, line, "unknown-tool", f"no tool profile is named {name!r}", hint)


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
        f"no tool profile offers the capability {ws.capability!r}",
        "name a `tool`, or list the capability in a profile's aim_capabilities",
    )


def edit_tool(ws: Workstream, known: Mapping[str, Profile]) -> str:
    """The profile that edits: the one named, else the first that offers the capability."""
    if ws.tool:
        return ws.tool
    able = [name for name in sorted(known) if ws.capability in known[name].aim_capabilities]
    return able[0] if able else ""
