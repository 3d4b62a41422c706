"""A graph so large that what is done for each file is all that counts, and the way up to there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bench.cases.setting import (
    NOOP_WARMUP,
    Setting,
    Site,
    absent,
    base_of,
    cold,
    lay_out,
    listed,
    noop,
    untouched,
    with_own_command,
)
from bench.generate import make_graph, modest
from bench.measure import Command, Figures, once
from bench.peers import doit, wsbuild, wsbuild_run
from bench.peers.peer import BUILD_ONE, LIST
from bench.peers.registry import GROWING, LARGE
from bench.report import Grid, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOOP, NOOP_DOIT = 0.6, 2.5
"""How long it may take to find nothing to do, in units of what ninja takes: `wsbuild run` and `doit run`."""

LISTED = 0.25
"""How long listing may take, in units of what stock doit takes."""

STEPS = (100, 10)
"""What the growth is measured from: so many parts of the large graph's workstreams."""

GROWTH = "growth"


class Sites(NamedTuple):
    """The tools over a graph of one size, all of it built."""

    setting: Setting
    all: list[Site]

    @property
    def size(self) -> str:
        """What a title says."""
        graph = self.all[0].graph
        return f"{len(graph.workstreams)} workstreams, {graph.steps} steps"

    def nothing(self) -> dict[str, list[Figures]]:
        """Nothing to do."""
        return self.setting.measure([noop(site) for site in self.all], warmup=NOOP_WARMUP)

    def one(self) -> dict[str, list[Figures]]:
        """One workstream that needs few others, with nothing to do."""
        commands = []
        for site in self.all:
            ws = site.graph.workstreams[modest(site.graph)]
            verify = untouched(site, site.graph.closure(ws.name))
            commands.append(Command(site.peer.NAME, site.argv(BUILD_ONE, ws), site.root, verify=verify))
        return self.setting.measure(commands)

    def shown(self) -> dict[str, list[Figures]]:
        """The list."""
        commands = [
            Command(site.peer.NAME, site.argv(LIST), site.root, verify=partial(listed, site.graph))
            for site in self.all
            if site.has(LIST)
        ]
        return self.setting.measure(commands)


def _built(setting: Setting, workstreams: int, chosen: Sequence[str]) -> Sites:
    """The tools that the chosen cases need; those that are only listed build nothing."""
    peers = dict.fromkeys(
        [
            *(GROWING if GROWTH in chosen else ()),
            *(LARGE if "noop-large" in chosen else ()),
            *((wsbuild, doit.STOCK) if "list-large" in chosen else ()),
        ]
    )
    sites = lay_out(setting, peers, make_graph(workstreams), f"large-{workstreams}")
    for site in sites:
        if GROWTH in chosen or ("noop-large" in chosen and site.peer in LARGE):
            setting.tell(f"building {workstreams} workstreams by {site.peer.NAME}")
            once(cold(site), setting.scratch)
    return Sites(setting, with_own_command(sites))


def _only(sites: Sites, peers: Sequence[object]) -> Sites:
    return sites._replace(all=[site for site in sites.all if site.peer in peers])


def _noop_large(sites: Sites) -> Table:
    found = _only(sites, [*LARGE, wsbuild_run]).nothing()
    base = base_of(list(found))
    targets = {wsbuild_run.NAME: NOOP, wsbuild.NAME: NOOP_DOIT} if base == "ninja" else {}
    title = f"Nothing to do: {sites.size}"
    return Table(title, "All outputs are as built.", base, found, targets, absent=absent(LARGE))


def _list_large(sites: Sites) -> Table:
    """With doit's own list first read: that of wsbuild reads the bundles once."""
    found = _only(sites, [wsbuild, doit.STOCK]).shown()
    note = "`doit list`, with wsbuild's loader and with a dodo.py. Every workstream is named."
    return Table(f"The list: {sites.size}", note, doit.STOCK.NAME, found, {wsbuild.NAME: LISTED})


def _growth(sizes: dict[int, Sites]) -> Iterator[Grid]:
    columns = [f"{workstreams:,}" for workstreams in sizes]
    needed = {
        len(sites.all[0].graph.closure(modest(sites.all[0].graph)).workstreams) for sites in sizes.values()
    }
    count = "-".join(map(str, sorted(needed)))
    for title, note, measure in (
        ("Nothing to do", "All outputs are as built.", Sites.nothing),
        ("One of many, nothing to do", f"It and what it needs are {count} workstreams.", Sites.one),
        ("The list", "Every workstream is named. make has no list: it prints its rules.", Sites.shown),
    ):
        found = [measure(sites._replace(setting=sites.setting.short())) for sites in sizes.values()]
        base = base_of(list(found[0]))
        missing = absent(GROWING)
        yield Grid(f"{title}, by the number of workstreams", note, base, columns, found, missing)


def large(setting: Setting, chosen: Sequence[str]) -> Iterator[Table | Grid]:
    """The largest graph is laid out once for all cases."""
    sites = _built(setting, setting.large, chosen)
    if "noop-large" in chosen:
        yield _noop_large(sites)
    if "list-large" in chosen:
        yield _list_large(sites)
    if GROWTH in chosen:
        smaller = dict.fromkeys(max(1, setting.large // part) for part in STEPS)
        sizes = {workstreams: _built(setting, workstreams, [GROWTH]) for workstreams in smaller}
        sizes[setting.large] = _only(sites, [*GROWING, wsbuild_run])
        yield from _growth(sizes)
