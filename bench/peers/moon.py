"""moon: a project for each workstream, a task for each step; restores from its cache."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, SLOW, first_line, number, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "moon"
STATE: tuple[str, ...] = (".moon/cache",)
KNOWN: tuple[str, ...] = (".moon/cache/states",)
PACKAGE = Package("npm", ("@moonrepo/cli@2.5.5",), "node_modules/@moonrepo/core-*/moon")
LARGEST = SLOW
SET_UP = 'MOON_TELEMETRY=false exec "$0" "$@"'

__all__ = [
    "KNOWN",
    "LARGEST",
    "NAME",
    "PACKAGE",
    "STATE",
    "check",
    "command",
    "ran",
    "restored",
    "version",
    "write",
]


def version() -> str:
    return first_line(PACKAGE.find(), "--version", pattern=r"moon (\S+)")


def _project(ws: Workstream) -> dict[str, Any]:
    """The first step waits for the last one of each workstream that this one needs."""
    tasks = {}
    waits_for = [f"{name}:{ws.steps[-1].name}" for name in ws.needs]
    for step in ws.steps:
        tasks[step.name] = {
            "script": step.line,
            "deps": waits_for,
            "inputs": [f"/{path}" for path in step.inputs],
            "outputs": [f"/{step.output}"],
            "options": {"runFromWorkspaceRoot": True},
        }
        waits_for = [f"~:{step.name}"]
    return {"dependsOn": list(ws.needs), "tasks": tasks}


def write(root: str, graph: Graph) -> None:
    os.makedirs(os.path.join(root, ".moon"))
    sources = {name: name for name in graph.workstreams}
    workspace = {"projects": sources, "telemetry": False, "vcs": {"defaultBranch": "main"}}
    # JSON is YAML as well.
    write_text(root, ".moon/workspace.yml", json.dumps(workspace))
    for ws in graph.workstreams.values():
        write_text(root, f"{ws.name}/moon.yml", json.dumps(_project(ws)))
    write_text(root, ".gitignore", ".moon/cache\nout\n")
    # It has git tell what files there are, and takes every build for a new one where there is no commit.
    as_somebody = ["-c", "user.name=b", "-c", "user.email=b@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*as_somebody, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def command(name: str, ws: Workstream) -> list[str] | None:
    last = ws.steps[-1].name
    words = {
        BUILD: ["run", f":{last}", "--concurrency=1"],
        BUILD_ONE: ["run", f"{ws.name}:{last}", "--concurrency=1"],
        LIST: ["query", "projects"],
    }.get(name)
    return None if words is None else ["/bin/sh", "-c", SET_UP, PACKAGE.find(), *words]


def ran(output: str) -> int:
    return number(r"Tasks: (\d+) completed", output) - restored(output)


def restored(output: str) -> int:
    return number(r"Tasks:.*\((\d+) cached", output)
