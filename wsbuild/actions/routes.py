"""What the result of a routed step depends on: who would be asked first now, and how."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.aim.lookup import Lookup
from wsbuild.aim.registry import Tool
from wsbuild.cache.digest import sha256_text
from wsbuild.cache.manifest import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.cache.files import FileStates
    from wsbuild.cache.manifest import Manifest
    from wsbuild.identity import Tools

MISSING = "missing"


class Ground(NamedTuple):
    """Where a route is looked at: `env_line` gives what stands for a variable in a key, `model` is the name
    that agents are given.
    """

    tools: Tools
    states: FileStates
    environ: Mapping[str, str]
    env_line: Callable[[str, str | None], str]
    model: str


def add_lines(lines: Manifest, capability: str, route: Mapping[str, Any], ground: Ground) -> None:
    """Add the tool that is there and would be asked first, and how that is done. Who is asked behind it does
    not count: an agent is not asked again because another one was installed.
    """
    lookup = Lookup(ground.tools, ground.environ, route["folder"])
    for row, profile in zip(route["tools"], route["profiles"], strict=True):
        tool = _tool(row)
        path = lookup.find(tool)
        if not path:
            continue
        lines.add("tool", tool.id, ground.tools.identity(path, tool.version))
        own = lookup.adapter(tool).own
        if own:
            state = ground.states.state(os.path.realpath(own))
            lines.add("tool", f"{tool.id}: adapter", sha256_text("\0".join((state, *tool.args))))
        elif tool.commands:
            lines.add("field", f"{tool.id}: commands", {key: list(has) for key, has in tool.commands.items()})
        elif profile is not None:
            lines.add("field", f"{tool.id}: profile", profile["fields"])
            for name, value in profile["env"].items():
                lines.add("env", name, ground.env_line(name, value))
            if "{model_name}" in canonical_json(profile["fields"]):
                lines.add("field", "model_name", ground.model)
        return
    lines.add("tool", capability, MISSING)


def _tool(row: Mapping[str, Any]) -> Tool:
    """The tool that was written as JSON."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    commands = {name: tuple(words) for name, words in row["commands"].items()}
    return Tool(**{**values, "commands": commands})
