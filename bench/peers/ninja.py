"""Ninja: one build statement for each step, compared by modification time and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, LIST, first_line, program, write_text

if TYPE_CHECKING:
    from bench.generate import Graph

NAME = "ninja"
STATE: tuple[str, ...] = (".ninja_log", ".ninja_deps")

__all__ = ["NAME", "STATE", "available", "check", "command", "write"]


def available() -> str | None:
    return first_line("ninja", "--version")


def write(root: str, graph: Graph) -> None:
    steps = [
        f"build {step.output}: run {' '.join(step.inputs)}\n  line = {step.line}\n"
        for ws in graph.workstreams.values()
        for step in ws.steps
    ]
    names = [f"build {ws.name}: phony {ws.result}\n" for ws in graph.workstreams.values()]
    everything = f"build all: phony {' '.join(graph.workstreams)}\ndefault all\n"
    write_text(root, "build.ninja", "".join(["rule run\n  command = $line\n", *steps, *names, everything]))


def command(name: str, workstream: str) -> list[str] | None:
    words = {BUILD: ["all"], BUILD_ONE: [workstream], LIST: ["-t", "targets", "all"]}.get(name)
    return None if words is None else [program(NAME) or NAME, "-j1", *words]
