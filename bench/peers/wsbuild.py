"""wsbuild: one bundle file for each workstream, compared by content; run by doit with wsbuild's loader."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from bench.generate import OUTPUTS, check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, program, write_text

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "wsbuild"
STATE: tuple[str, ...] = ("state", ".wsbuild")
KNOWN: tuple[str, ...] = ("state", ".wsbuild/plan", ".wsbuild/logs")

__all__ = ["KNOWN", "NAME", "STATE", "available", "check", "command", "restored", "write"]


def available() -> str | None:
    try:
        return version("wsbuild") if program("doit") else None
    except PackageNotFoundError:
        return None


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


def command(name: str, workstream: str) -> list[str] | None:
    words = {BUILD: ["run"], BUILD_ONE: ["run", f"ws:{workstream}"], LIST: ["list"]}.get(name)
    return None if words is None else [program("doit") or "doit", *words]


def restored(output: str) -> int:
    """How many steps a build says it restored."""
    found = re.search(r": (\d+) restored$", output, re.MULTILINE)
    return int(found[1]) if found else 0
