"""What is measured: which commands over which graph, what comes before each run, what is a right answer."""

from __future__ import annotations

import itertools
import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bench import detectors
from bench.generate import Graph, change, make_graph, remove_outputs, stamps, write_inputs
from bench.measure import Command, Figures, in_turn, once
from bench.peers import turbo, wsbuild, wsbuild_run
from bench.peers.peer import BUILD, BUILD_ONE, LIST, forget, program, write_text
from bench.peers.registry import CACHING, LARGE, PEERS
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.peers.peer import CachingPeer, Peer

MANY_STEPS = 10
TARGET = 2.0
"""How many times a doit that knows no task wsbuild may take to list, or to find nothing to do."""

NOOP, NOOP_LARGE, NOOP_LARGE_DOIT = 1.2, 0.6, 2.5
"""How long it may take to find nothing to do, in units of what ninja takes: `wsbuild run` with few and with
many workstreams, and `doit run` with many.
"""

NOOP_WARMUP = 3
"""The first runs after a build read what was just written, and remember it when its times can be believed."""

COLD_RUNS = 3
"""A cold run is long, and so varies less: it needs fewer."""


class Setting(NamedTuple):
    """What all cases share."""

    scratch: str
    runs: int
    workstreams: int
    """How many there are in the graph that is built."""
    many: int
    """How many there are in the graph that is listed."""
    restored: int
    """How many there are in the graph that is restored."""
    large: int
    """How many there are in the graph that is only looked at."""
    tell: Callable[[str], None]

    def measure(
        self, commands: Sequence[Command], *, runs: int | None = None, warmup: int = 1
    ) -> dict[str, list[Figures]]:
        """The commands in turn, of which the first `warmup` do not count."""
        return in_turn(commands, self.scratch, runs or self.runs, warmup=warmup, tell=self.tell)


class Site(NamedTuple):
    """A tool and the directory where it has the graph."""

    peer: Peer
    root: str
    graph: Graph

    def command(self, name: str) -> list[str]:
        """The tool's command. Raises LookupError where it has none such."""
        argv = self.peer.command(name, self.graph.last)
        if argv is None:
            raise LookupError(f"{self.peer.NAME} has no command for {name}")
        return argv


def _site(setting: Setting, peer: Peer, graph: Graph, name: str) -> Site:
    setting.tell(f"laying out {len(graph.workstreams)} workstreams for {name}")
    root = os.path.join(setting.scratch, name)
    os.mkdir(root)
    write_inputs(root, graph)
    peer.write(root, graph)
    return Site(peer, root, graph)


def _listed(graph: Graph, output: str) -> list[str]:
    shown = {line.split()[0] for line in output.splitlines() if line.strip()}
    return [f"ws:{name} is not listed" for name in graph.workstreams if f"ws:{name}" not in shown]


def _untouched(site: Site, graph: Graph, before: list[tuple[int, int, int]]) -> Callable[[str], list[str]]:
    def verify(_: str) -> list[str]:
        moved = stamps(site.root, graph) != before
        return ["an output was written again"] if moved else site.peer.check(site.root, graph)

    return verify


def many(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:
    """wsbuild over a graph so large that looking at all of it shows, beside a doit that knows no task.

    The layers are three, so that the workstream that is asked for needs few others.
    """
    graph = make_graph(setting.many, steps=MANY_STEPS, files=2, layers=3)
    site = _site(setting, wsbuild, graph, "many")
    empty = os.path.join(setting.scratch, "empty")
    os.mkdir(empty)
    write_text(empty, "dodo.py", "")
    base = Command("doit list, no tasks", [program("doit") or "doit", "list"], empty)
    show = Command("doit list", site.command(LIST), site.root, verify=partial(_listed, graph))
    build = Command(f"doit run ws:{graph.last}", site.command(BUILD_ONE), site.root)
    setting.tell("the first list, which reads all bundles")
    first = once(show, setting.scratch)
    setting.tell(f"building ws:{graph.last}")
    once(build, setting.scratch)
    needed = graph.closure(graph.last)
    verify = _untouched(site, needed, stamps(site.root, needed))
    again = Command(f"{build.name}, nothing to do", build.argv, site.root, verify=verify)
    wanted = [base, *([show] if "list" in chosen else []), *([again] if "noop-one" in chosen else [])]
    yield Table(
        f"Among {setting.many} workstreams of {MANY_STEPS} steps",
        f"ws:{graph.last} and what it needs are {len(needed.workstreams)} workstreams, {needed.steps} steps. "
        f"The first `doit list`, which reads and checks all bundles, took {first.wall_s:.1f} s.",
        base.name,
        setting.measure(wanted),
        {show.name: TARGET, again.name: TARGET},
    )


def _cold(site: Site) -> Command:
    def prepare() -> None:
        remove_outputs(site.root, site.graph)
        forget(site.root, site.peer.STATE)

    check = partial(site.peer.check, site.root, site.graph)
    return Command(site.peer.NAME, site.command(BUILD), site.root, prepare, lambda _: check())


def _noop(site: Site) -> Command:
    verify = _untouched(site, site.graph, stamps(site.root, site.graph))
    return Command(site.peer.NAME, site.command(BUILD), site.root, verify=verify)


def _changed(site: Site) -> Command:
    numbers = itertools.count()
    path = site.graph.workstreams[site.graph.last].files[0]
    check = partial(site.peer.check, site.root, site.graph)
    return Command(
        site.peer.NAME,
        site.command(BUILD),
        site.root,
        lambda: change(site.root, path, next(numbers)),
        lambda _: check(),
    )


def build(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:
    """Every tool that is installed over the same graph."""
    graph = make_graph(setting.workstreams)
    sites = [_site(setting, peer, graph, peer.NAME) for peer in PEERS if peer.available()]
    base = _base(sites)
    size = f"{setting.workstreams} workstreams, {graph.steps} steps"
    # What is measured first leaves all outputs in place for what comes after.
    runs = min(COLD_RUNS, setting.runs) if "cold" in chosen else 1
    found = setting.measure([_cold(site) for site in sites], runs=runs)
    if "cold" in chosen:
        yield Table(f"The first build: {size}", "Neither outputs nor state.", base, found, {})
    if "noop" in chosen:
        found = setting.measure([_noop(site) for site in sites], warmup=NOOP_WARMUP)
        targets = {"wsbuild run": NOOP} if base == "ninja" else {}
        yield Table(f"Nothing to do: {size}", "All outputs are as built.", base, found, targets)
    if "change" in chosen:
        found = setting.measure([_changed(site) for site in sites])
        again = len(graph.workstreams[graph.last].steps)
        note = f"It belongs to the last workstream, so {again} steps are run again."
        yield Table(f"One input file changed: {size}", note, base, found, {})


def _base(sites: Sequence[Site]) -> str:
    """The tool that ratios are to."""
    names = [site.peer.NAME for site in sites]
    return next((name for name in ("ninja", "make") if name in names), names[0])


def large(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """A graph so large that what is done for each file is all that counts."""
    graph = make_graph(setting.large)
    sites = [_site(setting, peer, graph, f"{peer.NAME}-large") for peer in LARGE if peer.available()]
    for site in sites:
        setting.tell(f"building {setting.large} workstreams by {site.peer.NAME}")
        once(_cold(site), setting.scratch)
    # What doit has built, wsbuild's own command finds built.
    sites += [site._replace(peer=wsbuild_run) for site in sites if site.peer is wsbuild]
    found = setting.measure([_noop(site) for site in sites], warmup=NOOP_WARMUP)
    size = f"{setting.large} workstreams, {graph.steps} steps"
    base = _base(sites)
    targets = {"wsbuild run": NOOP_LARGE, "wsbuild": NOOP_LARGE_DOIT} if base == "ninja" else {}
    yield Table(f"Nothing to do: {size}", "All outputs are as built.", base, found, targets)


def _restored(site: Site, peer: CachingPeer, output: str) -> list[str]:
    """Every output is back, and no step was run for it."""
    count = peer.restored(output)
    missing = [f"{count} of {site.graph.steps} steps were restored"] if count != site.graph.steps else []
    return missing + peer.check(site.root, site.graph)


def _restore(site: Site, peer: CachingPeer, *, known: bool) -> Iterator[Command]:
    """With one job at a time like all else here; of turbo, whose default that is not, with that too."""

    def prepare() -> None:
        remove_outputs(site.root, site.graph)
        forget(site.root, () if known else peer.KNOWN)

    verify = partial(_restored, site, peer)
    argv = site.command(BUILD)
    yield Command(peer.NAME, argv, site.root, prepare, verify)
    if turbo.ONE_JOB in argv:
        many_jobs = [word for word in argv if word != turbo.ONE_JOB]
        yield Command(f"{peer.NAME}, many jobs", many_jobs, site.root, prepare, verify)


def restore(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """The tools that keep results: all outputs are gone, and come back."""
    graph = make_graph(setting.restored)
    sites = [
        (_site(setting, peer, graph, f"{peer.NAME}-restore"), peer) for peer in CACHING if peer.available()
    ]
    for site, _ in sites:
        setting.tell(f"filling the cache of {site.peer.NAME}")
        once(_cold(site), setting.scratch)
    base = sites[0][0].peer.NAME
    size = f"{setting.restored} workstreams, {graph.steps} steps"
    for known, title in ((True, "All outputs removed"), (False, "In a fresh checkout with the cache")):
        commands = [command for site, peer in sites for command in _restore(site, peer, known=known)]
        found = setting.measure(commands)
        note = "Every output is back, and no step ran for it. `many jobs` is turbo's default."
        if not known:
            note += " wsbuild reads and checks all bundles anew."
        yield Table(f"{title}: {size}", note, base, found, {"wsbuild": 1.0} if known else {})


CASES = {
    "list": many,
    "noop-one": many,
    "cold": build,
    "noop": build,
    "change": build,
    "noop-large": large,
    "restore": restore,
    "detect": detectors.detect,
    "detect-all": detectors.detect_all,
}
"""By name: the function that lays out the graph for it and measures it."""
