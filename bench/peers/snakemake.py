"""Snakemake: one rule for each step of a workstream, with the workstream as wildcard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, SLOW, count, first_line, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "snakemake"
STATE: tuple[str, ...] = (".snakemake",)
PACKAGE = Package("PyPI", ("snakemake==9.27.1",), "bin/snakemake")
LARGEST = SLOW

HEAD = '''\
"""The inputs of each output are in steps.json."""

import json

with open("steps.json", encoding="utf-8") as file:
    INPUTS = json.load(file)


rule all:
    input: {results}
'''

RULE = """

rule {name}:
    input: lambda found: INPUTS[f"{{found.ws}}/{tail}"]
    output: "{{ws}}/{tail}"
    shell: "sha256sum {{input}} > {{output}}"
"""

__all__ = ["LARGEST", "NAME", "PACKAGE", "STATE", "check", "command", "ran", "version", "write"]


def version() -> str:
    return first_line(PACKAGE.find(), "--version")


def write(root: str, graph: Graph) -> None:
    every = graph.workstreams.values()
    write_text(
        root, "steps.json", json.dumps({step.output: step.inputs for ws in every for step in ws.steps})
    )
    head = HEAD.format(results=json.dumps([ws.result for ws in every]))
    tails = {step.name: step.output.removeprefix(f"{ws.name}/") for ws in every for step in ws.steps}
    rules = [RULE.format(name=name, tail=tail) for name, tail in tails.items()]
    write_text(root, "Snakefile", "".join([head, *rules]))


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {BUILD: [], BUILD_ONE: [ws.result]}.get(name)
    return None if words is None else [PACKAGE.find(), "--cores=1", *words]


def ran(output: str) -> int:
    return count(r"^(?:local)?rule s\d+:", output)
