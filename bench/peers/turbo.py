"""Turborepo: a workspace package for each workstream, a script for each step; restores from its cache.

It starts scripts by `npm run`, whose own start is most of the time of its cold build: a shim in npm's place
runs the line itself. Where everything is restored nothing is started.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, SLOW, first_line, number, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "turbo"
STATE: tuple[str, ...] = (".turbo",)
KNOWN: tuple[str, ...] = ()
PACKAGE = Package("npm", ("turbo@2.11.11",), "node_modules/@turbo/*/bin/turbo")
LARGEST = SLOW._replace(restore=1000)
SHIM = """\
#!/bin/sh
# npm run NAME, without npm: the steps of a package are the files in its `lines`.
exec sh "lines/$2"
"""
ONE_JOB = "--concurrency=1"
SET_UP = 'PATH="$PWD/.shim:$PATH" TURBO_TELEMETRY_DISABLED=1 exec "$0" "$@"'

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
    return first_line(PACKAGE.find(), "--version")


def _lock_file(graph: Graph) -> dict[str, Any]:
    """What `npm install` would write: the workspaces, and no package of anybody else's."""
    found: dict[str, Any] = {"": {"name": "bench", "workspaces": list(graph.workstreams)}}
    for ws in graph.workstreams.values():
        found[ws.name] = {"version": "1.0.0", "dependencies": dict.fromkeys(ws.needs, "*")}
        found[f"node_modules/{ws.name}"] = {"resolved": ws.name, "link": True}
    return {"name": "bench", "lockfileVersion": 3, "requires": True, "packages": found}


def _tasks(graph: Graph) -> dict[str, Any]:
    """The steps have the same names in all workstreams; the first waits for the last of those upstream."""
    names = [step.name for step in graph.workstreams[graph.last].steps]
    return {
        name: {
            "dependsOn": [before or f"^{names[-1]}"],
            "inputs": ["in/**"],
            "outputs": [f"out/{name.removeprefix('s')}.txt"],
            "outputLogs": "hash-only",
        }
        for before, name in zip((None, *names), names, strict=False)
    }


def write(root: str, graph: Graph) -> None:
    workspaces = list(graph.workstreams)
    top = {"name": "bench", "private": True, "packageManager": "npm@10.0.0", "workspaces": workspaces}
    write_text(root, "package.json", json.dumps(top))
    write_text(root, "package-lock.json", json.dumps(_lock_file(graph)))
    write_text(root, "turbo.json", json.dumps({"tasks": _tasks(graph)}))
    for ws in graph.workstreams.values():
        os.makedirs(os.path.join(root, ws.name, "lines"))
        for step in ws.steps:
            write_text(root, f"{ws.name}/lines/{step.name}", f"cd .. && {step.line}\n")
        package = {
            "name": ws.name,
            "version": "1.0.0",
            "private": True,
            "scripts": {step.name: f"sh lines/{step.name}" for step in ws.steps},
            "dependencies": dict.fromkeys(ws.needs, "*"),
        }
        write_text(root, f"{ws.name}/package.json", json.dumps(package))
    os.makedirs(os.path.join(root, ".shim"))
    write_text(root, ".shim/npm", SHIM)
    os.chmod(os.path.join(root, ".shim", "npm"), 0o755)


def command(name: str, ws: Workstream) -> list[str] | None:
    run = ["run", *(step.name for step in ws.steps), "--cache=local:rw", "--ui=stream", ONE_JOB]
    words = {BUILD: run, BUILD_ONE: [*run, f"--filter={ws.name}..."], LIST: ["ls"]}.get(name)
    return None if words is None else ["/bin/sh", "-c", SET_UP, PACKAGE.find(), *words]


def ran(output: str) -> int:
    return number(r"Tasks:\s+\d+ successful, (\d+) total", output) - restored(output)


def restored(output: str) -> int:
    return number(r"Cached:\s+(\d+) cached", output)
