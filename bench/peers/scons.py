"""SCons: one Command for each step, compared by content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, SLOW, count, first_line, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "scons"
STATE: tuple[str, ...] = (".sconsign.dblite",)
PACKAGE = Package("PyPI", ("scons==4.11.1",), "bin/scons")
LARGEST = SLOW

SCONSTRUCT = '''\
"""The steps of steps.json: the output, the inputs and the line of each."""

import json
import os

# Without tools it looks for no compilers.
DefaultEnvironment(tools=[])
environment = Environment(tools=[], ENV={"PATH": os.environ["PATH"]})
with open("steps.json", encoding="utf-8") as file:
    for output, inputs, line in json.load(file):
        environment.Command(output, inputs, line)
'''

__all__ = ["LARGEST", "NAME", "PACKAGE", "STATE", "check", "command", "ran", "version", "write"]


def version() -> str:
    return first_line(PACKAGE.find(), "--version", pattern=r"SCons: v([\d.]*\d)")


def write(root: str, graph: Graph) -> None:
    steps = [(step.output, step.inputs, step.line) for ws in graph.workstreams.values() for step in ws.steps]
    write_text(root, "steps.json", json.dumps(steps))
    write_text(root, "SConstruct", SCONSTRUCT)


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {BUILD: ["."], BUILD_ONE: [ws.result]}.get(name)
    return None if words is None else [PACKAGE.find(), "-j1", *words]


def ran(output: str) -> int:
    return count("^sha256sum ", output)
