"""Where the time of a run with nothing to do goes: each line does what the one above it does, and one thing
more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.cases.setting import NOOP_WARMUP, noop, renamed
from bench.measure import Command, once
from bench.peers import wsbuild_run
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.cases.field import Field

PROFILE_RUNS = 11

IMPORTS = (
    "import os; from wsbuild import memory; import wsbuild.actions.again, wsbuild.cli.entry, wsbuild.cli.text"
)
LOAD = "old = memory.load('run', os.getcwd(), [os.getcwd(), 'run'])"
LOOK = "assert old.moved(os.environ) == []"

STAGES = {
    "the interpreter": ["-I", "-S", "-c", "pass"],
    "and its site-packages": ["-c", "pass"],
    "and the modules of wsbuild": ["-c", IMPORTS],
    "and reading what the last run saw": ["-c", f"{IMPORTS}; {LOAD}"],
    "and looking at every file, by two processes": ["-c", f"{IMPORTS}; {LOAD}; {LOOK}"],
}

NOTE = (
    "Each line does what the one above it does, and one thing more. The difference of the last two is the "
    "start of the installed script, and the answer. What is left is the interpreter's own start, which no "
    "module of ours is part of, and one `lstat` for each file, which the kernel answers in one to two "
    "microseconds; half of them are asked by a fork. A test lists the modules that may be imported "
    "(`tests/e2e/test_hot_path.py`)."
)


def _interpreter(script: str) -> str:
    """The Python that an installed script names: what the last run saw is believed by the same one only."""
    with open(script, "rb") as file:
        return os.fsdecode(file.readline()[2:].strip())


def profile(field: Field) -> Iterator[Table]:
    """The stages of `wsbuild run` over the graph of the field."""
    for site in field.sites:
        if site.peer is not wsbuild_run:
            continue
        whole = renamed(noop(site), wsbuild_run.NAME)
        for _ in range(NOOP_WARMUP):
            once(whole, field.setting.scratch)
        python = _interpreter(whole.argv[0])
        stages = [Command(name, [python, *words], site.root) for name, words in STAGES.items()]
        setting = field.setting._replace(runs=max(field.setting.runs, PROFILE_RUNS))
        found = setting.measure([*stages, whole])
        yield Table(f"Where a run with nothing to do spends its time: {field.size}", NOTE, whole.name, found)
