"""Task (go-task): one task for each step, compared by checksum."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, SLOW, count, first_line, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.generate import Graph, Workstream

NAME = "go-task"
STATE: tuple[str, ...] = (".task",)
PACKAGE = Package("PyPI", ("go-task-bin==3.54.0",), "bin/task")
LARGEST = SLOW

__all__ = ["LARGEST", "NAME", "PACKAGE", "STATE", "check", "command", "ran", "version", "write"]


def version() -> str:
    return first_line(PACKAGE.find(), "--version", pattern=r"([\d.]*\d)")


def _tasks(ws: Workstream) -> Iterator[tuple[str, dict[str, Any]]]:
    """A step waits for the one before it, the first for the workstreams that this one needs."""
    waits_for = list(ws.needs)
    for step in ws.steps:
        name = f"{ws.name}:{step.name}"
        yield (
            name,
            {"deps": waits_for, "cmds": [step.line], "sources": step.inputs, "generates": [step.output]},
        )
        waits_for = [name]
    yield ws.name, {"desc": "digest the inputs", "deps": waits_for}


def write(root: str, graph: Graph) -> None:
    tasks = {name: task for ws in graph.workstreams.values() for name, task in _tasks(ws)}
    tasks["all"] = {"deps": list(graph.workstreams)}
    # JSON is YAML as well. Without `run: once` what several need would be looked at several times.
    write_text(root, "Taskfile.yml", json.dumps({"version": "3", "run": "once", "tasks": tasks}, indent=1))


def command(name: str, ws: Workstream) -> list[str] | None:
    one_job = "--concurrency=1"
    words = {BUILD: [one_job, "all"], BUILD_ONE: [one_job, ws.name], LIST: ["--list"]}.get(name)
    return None if words is None else [PACKAGE.find(), *words]


def ran(output: str) -> int:
    return count(r"^task: \[\S+\] sha256sum ", output)
