"""wsbuild: one bundle file for each workstream, compared by content; run by doit with wsbuild's loader."""

from __future__ import annotations

import json
import os
from importlib import metadata
from typing import TYPE_CHECKING, Any

from bench.generate import OUTPUTS, check
from bench.peers.peer import BUILD, BUILD_ONE, BUILD_TWO, LIST, Largest, number, program, write_text
from bench.peers.tools import NotInstalledError

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream
    from bench.peers.tools import Package

NAME = "wsbuild"
STATE: tuple[str, ...] = ("state", ".wsbuild")
KNOWN: tuple[str, ...] = ("state", ".wsbuild/plan", ".wsbuild/logs")
PACKAGE: Package | None = None
LARGEST = Largest()

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
    try:
        if program("doit"):
            return metadata.version("wsbuild")
    except metadata.PackageNotFoundError:
        pass
    raise NotInstalledError("this environment does not have it")


def _bundle(ws: Workstream) -> dict[str, Any]:
    return {
        "id": f"ws-{ws.name}",
        "openspec_change": "bench",
        "ccpm_issue": 1,
        "gate": 1,
        "tasks": ["digest the inputs"],
        "files_scope": [f"{ws.name}/{OUTPUTS}/"],
        "depends_on": [f"ws-{name}" for name in ws.needs],
        "steps": [
            {
                "name": step.name,
                "run": ["sh", "-c", step.line],
                "inputs": step.inputs,
                "outputs": [step.output],
                "needs": [before.name] if before else [],
            }
            for before, step in zip((None, *ws.steps), ws.steps, strict=False)
        ],
    }


def write(root: str, graph: Graph) -> None:
    os.makedirs(os.path.join(root, "workstreams"))
    for ws in graph.workstreams.values():
        write_text(root, f"workstreams/{ws.name}.json", json.dumps(_bundle(ws), indent=2))
    write_text(root, "pyproject.toml", '[tool.doit]\nloader = "wsbuild"\n')


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {
        BUILD: ["run"],
        BUILD_ONE: ["run", f"ws:{ws.name}"],
        BUILD_TWO: ["run", "-n", "2"],
        LIST: ["list"],
    }.get(name)
    return None if words is None else [program("doit") or "doit", *words]


def ran(output: str) -> int:
    return number(r"[:,] (\d+) executed", output)


def restored(output: str) -> int:
    return number(r"^run-\S+: (\d+) restored$", output)
