"""Stock doit: a dodo.py that reads the graph from a data file, compared by MD5 behind file times."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, program, write_text

if TYPE_CHECKING:
    from bench.generate import Graph

NAME = "doit"
# The endings are those of the dbm modules that Python may have been built with.
STATE: tuple[str, ...] = (
    "__pycache__",
    *(f".doit.db{ending}" for ending in ("", ".db", ".dat", ".dir", ".bak", ".pag")),
)

DODO = '''\
"""The tasks of tasks.json: a group for each workstream, with a task for each step."""

import json

DOIT_CONFIG = {"verbosity": 0}


def task_ws():
    with open("tasks.json", encoding="utf-8") as file:
        groups = json.load(file)
    for group in groups:
        names = [f"ws:{group['name']}:{step['name']}" for step in group["steps"]]
        yield {"name": group["name"], "actions": None, "task_dep": names}
        for step in group["steps"]:
            yield {
                "name": f"{group['name']}:{step['name']}",
                "actions": [step["line"]],
                "file_dep": step["inputs"],
                "targets": [step["output"]],
            }
'''

__all__ = ["NAME", "STATE", "available", "check", "command", "write"]


def available() -> str | None:
    try:
        return version("doit") if program("doit") else None
    except PackageNotFoundError:
        return None


def write(root: str, graph: Graph) -> None:
    groups = [
        {
            "name": ws.name,
            "steps": [
                {"name": step.name, "line": step.line, "inputs": step.inputs, "output": step.output}
                for step in ws.steps
            ],
        }
        for ws in graph.workstreams.values()
    ]
    write_text(root, "tasks.json", json.dumps(groups))
    write_text(root, "dodo.py", DODO)


def command(name: str, workstream: str) -> list[str] | None:
    words = {BUILD: ["run"], BUILD_ONE: ["run", f"ws:{workstream}"], LIST: ["list", "--all"]}.get(name)
    return None if words is None else [program("doit") or "doit", *words]
