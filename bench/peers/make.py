"""GNU make: one rule for each step, compared by modification time."""

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

NAME = "make"
STATE: tuple[str, ...] = ()
PACKAGE: Package | None = None
LARGEST = Largest()

__all__ = ["LARGEST", "NAME", "PACKAGE", "STATE", "check", "command", "ran", "version", "write"]


def version() -> str:
    return first_line(program(NAME), "--version", pattern="GNU Make (.+)")


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


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {
        BUILD: ["-j1", "all"],
        BUILD_ONE: ["-j1", ws.name],
        BUILD_TWO: ["-j2", "all"],
        # It has no list: this is the way to have all rules printed, and nothing done.
        LIST: ["-pn", "Makefile"],
    }.get(name)
    return None if words is None else [program(NAME) or NAME, *words]


def ran(output: str) -> int:
    return count("^sha256sum ", output)
