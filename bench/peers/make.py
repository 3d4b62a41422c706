"""GNU make: one rule for each step, compared by modification time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, first_line, program, write_text

if TYPE_CHECKING:
    from bench.generate import Graph

NAME = "make"
STATE: tuple[str, ...] = ()

__all__ = ["NAME", "STATE", "available", "check", "command", "write"]


def available() -> str | None:
    line = first_line("make", "--version")
    return line.removeprefix("GNU Make ") if line else None


def write(root: str, graph: Graph) -> None:
    results = [ws.result for ws in graph.workstreams.values()]
    rules = [
        f"{step.output}: {' '.join(step.inputs)}\n\t{step.line}\n"
        for ws in graph.workstreams.values()
        for step in ws.steps
    ]
    names = [f"{ws.name}: {ws.result}\n" for ws in graph.workstreams.values()]
    phony = f".PHONY: all {' '.join(graph.workstreams)}\n"
    # Without built-in rules make looks for fewer files: the way a large Makefile is written.
    head = f"MAKEFLAGS += --no-builtin-rules\n.SUFFIXES:\nall: {' '.join(results)}\n"
    write_text(root, "Makefile", "".join([head, phony, *names, *rules]))


def command(name: str, workstream: str) -> list[str] | None:
    words = {BUILD: ["all"], BUILD_ONE: [workstream]}.get(name)
    return None if words is None else [program(NAME) or NAME, "-j1", *words]
