"""Nx: a project for each workstream, a target for each step; restores from its cache. Without its daemon."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, SLOW, count, first_line, number, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "nx"
STATE: tuple[str, ...] = (".nx",)
# What is left there is the database that says which results the cache has.
KNOWN: tuple[str, ...] = tuple(
    f".nx/workspace-data/{name}"
    for name in ("file-map.json", "nx_files_v2.nxt", "project-graph.json", "source-maps.json")
)
PACKAGE = Package("npm", ("nx@24.0.6",), "node_modules/.bin/nx")
LARGEST = SLOW
SET_UP = 'NX_DAEMON=false NX_NO_CLOUD=true NX_TUI=false DO_NOT_TRACK=1 exec "$0" "$@"'

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
    return first_line(PACKAGE.find(), "--version", pattern=r"v?(\d+\.\d\S*)")


def _project(ws: Workstream) -> dict[str, Any]:
    """The first step waits for the last one of each workstream that this one needs."""
    targets = {}
    waits_for = [f"^{ws.steps[-1].name}"]
    for step in ws.steps:
        targets[step.name] = {
            "executor": "nx:run-commands",
            "options": {"command": step.line, "cwd": "."},
            "cache": True,
            "dependsOn": waits_for,
            "inputs": ["{projectRoot}/in/**", {"dependentTasksOutputFiles": "**/*.txt"}],
            "outputs": [f"{{workspaceRoot}}/{step.output}"],
        }
        waits_for = [step.name]
    return {"name": ws.name, "implicitDependencies": list(ws.needs), "targets": targets}


def write(root: str, graph: Graph) -> None:
    write_text(root, "package.json", json.dumps({"name": "bench", "private": True}))
    write_text(root, "nx.json", json.dumps({"analytics": False, "neverConnectToCloud": True}))
    # It wants to be found where a package of the workspace would be.
    os.symlink(os.path.join(PACKAGE.folder, "node_modules"), os.path.join(root, "node_modules"))
    write_text(root, ".gitignore", "node_modules\n.nx\nout\n")
    for ws in graph.workstreams.values():
        write_text(root, f"{ws.name}/project.json", json.dumps(_project(ws)))


def command(name: str, ws: Workstream) -> list[str] | None:
    names = ",".join(step.name for step in ws.steps)
    run = ["run-many", f"--targets={names}", "--parallel=1", "--outputStyle=stream"]
    words = {
        BUILD: run,
        BUILD_ONE: ["run", f"{ws.name}:{ws.steps[-1].name}", "--parallel=1", "--outputStyle=stream"],
        LIST: ["show", "projects"],
    }.get(name)
    return None if words is None else ["/bin/sh", "-c", SET_UP, PACKAGE.find(), *words]


def ran(output: str) -> int:
    return count("^> nx run w", output) - restored(output)


def restored(output: str) -> int:
    return number(r"read the output from the cache instead of running the command for (\d+) out of", output)
