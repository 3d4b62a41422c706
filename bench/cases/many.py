"""wsbuild over a graph so large that looking at all of it shows, beside a doit that knows no task."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from bench.cases.setting import Setting, lay_out, listed, untouched
from bench.generate import make_graph
from bench.measure import Command, once
from bench.peers import wsbuild
from bench.peers.peer import BUILD_ONE, LIST, program, write_text
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MANY_STEPS = 10
TARGET = 2.0
"""How many times a doit that knows no task wsbuild may take to list, or to find nothing to do."""


def many(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:
    """The layers are three, so that the workstream that is asked for needs few others."""
    graph = make_graph(setting.many, steps=MANY_STEPS, files=2, layers=3)
    (site,) = lay_out(setting, [wsbuild], graph, "many")
    empty = os.path.join(setting.scratch, "empty")
    os.mkdir(empty)
    write_text(empty, "dodo.py", "")
    base = Command("doit list, no tasks", [program("doit") or "doit", "list"], empty)
    show = Command("doit list", site.argv(LIST), site.root, verify=partial(listed, graph))
    build = Command(f"doit run ws:{graph.last}", site.argv(BUILD_ONE), site.root)
    setting.tell("the first list, which reads all bundles")
    first = once(show, setting.scratch)
    setting.tell(f"building ws:{graph.last}")
    once(build, setting.scratch)
    needed = graph.closure(graph.last)
    again = Command(f"{build.name}, nothing to do", build.argv, site.root, verify=untouched(site, needed))
    wanted = [base, *([show] if "list" in chosen else []), *([again] if "noop-one" in chosen else [])]
    yield Table(
        f"Among {setting.many} workstreams of {MANY_STEPS} steps",
        f"ws:{graph.last} and what it needs are {len(needed.workstreams)} workstreams, {needed.steps} steps. "
        f"The first `doit list`, which reads and checks all bundles, took {first.wall_s:.1f} s.",
        base.name,
        setting.measure(wanted),
        {show.name: TARGET, again.name: TARGET},
    )
