"""Ninja: one build statement for each step, compared by modification time and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import (
    BUILD,
    BUILD_ONE,
    BUILD_TWO,
    LIST,
    Largest,
    count,
    first_line,
    program,
    write_text,
)

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream
    from bench.peers.tools import Package

NAME = "ninja"
STATE: tuple[str, ...] = (".ninja_log", ".ninja_deps")
PACKAGE: Package | None = None
LARGEST = Largest()

__all__ = ["LARGEST", "NAME", "PACKAGE", "STATE", "check", "command", "ran", "version", "write"]


def version() -> str:
    return first_line(program(NAME), "--version")


def write(root: str, graph: Graph) -> None:
    steps = [
        f"build {step.output}: run {' '.join(step.inputs)}\n  line = {step.line}\n"
        for ws in graph.workstreams.values()
        for step in ws.steps
    ]
    names = [f"build {ws.name}: phony {ws.result}\n" for ws in graph.workstreams.values()]
    everything = f"build all: phony {' '.join(graph.workstreams)}\ndefault all\n"
    write_text(root, "build.ninja", "".join(["rule run\n  command = $line\n", *steps, *names, everything]))


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {
        BUILD: ["-j1", "all"],
        BUILD_ONE: ["-j1", ws.name],
        BUILD_TWO: ["-j2", "all"],
        LIST: ["-t", "targets", "all"],
    }.get(name)
    return None if words is None else [program(NAME) or NAME, *words]


def ran(output: str) -> int:
    return count(r"^\[\d+/\d+\] ", output)
