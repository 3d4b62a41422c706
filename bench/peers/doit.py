"""Stock doit: a dodo.py that reads the graph from a data file, compared by MD5 behind file times.

Its other forms keep what they know in JSON or in SQLite, or compare file times alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, BUILD_TWO, LIST, Largest, count, program, write_text
from bench.peers.tools import NotInstalledError

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream
    from bench.peers.tools import Package

# The endings are those of the dbm modules that Python may have been built with.
STATE: tuple[str, ...] = (
    "__pycache__",
    *(f".doit.db{ending}" for ending in ("", ".db", ".dat", ".dir", ".bak", ".pag")),
)

DODO = '''\
"""The tasks of tasks.json: a group for each workstream, with a task for each step."""

import json

DOIT_CONFIG = {{"verbosity": 0, {config}}}


def task_ws():
    with open("tasks.json", encoding="utf-8") as file:
        groups = json.load(file)
    for group in groups:
        for step in group["steps"]:
            yield {{
                "basename": f"ws:{{group['name']}}",
                "name": step["name"],
                "actions": [step["line"]],
                "file_dep": step["inputs"],
                "targets": [step["output"]],
            }}
'''


@dataclass(eq=False)
class Form:
    """doit with one setting other than by default, or with none."""

    NAME: str
    LARGEST: Largest
    config: str = ""
    STATE: tuple[str, ...] = STATE
    PACKAGE: Package | None = None

    def version(self) -> str:
        try:
            if program("doit"):
                return version("doit")
        except PackageNotFoundError:
            pass
        raise NotInstalledError("this environment does not have it")

    def write(self, root: str, graph: Graph) -> None:
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
        write_text(root, "dodo.py", DODO.format(config=self.config))

    def command(self, name: str, ws: Workstream) -> list[str] | None:
        words = {
            BUILD: ["run"],
            BUILD_ONE: ["run", f"ws:{ws.name}"],
            BUILD_TWO: ["run", "-n", "2"],
            LIST: ["list"],
        }.get(name)
        return None if words is None else [program("doit") or "doit", *words]

    def ran(self, output: str) -> int:
        return count(r"^\.  ", output)

    def check(self, root: str, graph: Graph) -> list[str]:
        return check(root, graph)


STOCK = Form("doit", Largest())

# What a first build takes differs little between the forms.
_FORM = Largest(build=100, look=1000, show=1000)

FORMS = (
    Form("doit, JSON", _FORM, '"backend": "json"'),
    Form("doit, SQLite", _FORM, '"backend": "sqlite3"'),
    Form("doit, times", _FORM, '"check_file_uptodate": "timestamp"'),
)
