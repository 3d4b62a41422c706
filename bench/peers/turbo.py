"""Turborepo: a workspace package for each workstream, a script for each step; restores from its cache.

A package of the npm registry, installed into the benchmark's own folder at the first use. It starts
scripts by `npm run`, whose own start is most of the time of its cold build: a shim in npm's place runs
the line itself. Where everything is restored nothing is started.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, first_line, program, write_text

if TYPE_CHECKING:
    from bench.generate import Graph

NAME = "turbo"
VERSION = "2.11.11"
STATE: tuple[str, ...] = (".turbo",)
KNOWN: tuple[str, ...] = ()
TOOLS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".tools")
PROGRAM = os.path.join(TOOLS, "node_modules", ".bin", "turbo")
SHIM = """\
#!/bin/sh
# npm run NAME, without npm: the steps of a package are the files in its `lines`.
exec sh "lines/$2"
"""
ONE_JOB = "--concurrency=1"
SET_UP = 'PATH="$PWD/.shim:$PATH" TURBO_TELEMETRY_DISABLED=1 exec "$0" "$@"'

__all__ = ["KNOWN", "NAME", "STATE", "available", "check", "command", "restored", "write"]


@lru_cache(maxsize=1)
def available() -> str | None:
    """Its version, after installing it; None where there is no npm, or no such package for this machine."""
    npm = program("npm")
    if not os.path.exists(PROGRAM) and npm:
        os.makedirs(TOOLS, exist_ok=True)
        argv = [npm, "install", "--prefix", TOOLS, "--no-audit", "--no-fund", f"{NAME}@{VERSION}"]
        subprocess.run(argv, capture_output=True, check=False)
    return first_line(PROGRAM, "--version")


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


def command(name: str, workstream: str) -> list[str] | None:
    words = {BUILD: [], BUILD_ONE: [f"--filter={workstream}..."]}.get(name)
    run = ["run", "s00", "s01", "s02", "--cache=local:rw", "--ui=stream", ONE_JOB]
    return None if words is None else ["/bin/sh", "-c", SET_UP, PROGRAM, *run, *words]


def restored(output: str) -> int:
    """How many steps a build says it restored."""
    found = re.search(r"Cached:\s+(\d+) cached", output)
    return int(found[1]) if found else 0
