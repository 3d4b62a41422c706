"""What all cases share: the sizes, the tools with the graph laid out for them, what a right answer is."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bench.generate import remove_outputs, stamps, write_inputs
from bench.measure import Command, Figures, in_turn
from bench.peers import wsbuild, wsbuild_run
from bench.peers.peer import BUILD, forget, presence
from bench.peers.registry import COARSE, REWRITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.generate import Graph, Workstream
    from bench.peers.peer import Peer

COLD_RUNS = 3
"""A long run varies less: it needs fewer."""

NOOP_WARMUP = 3
"""The first runs after a build read what was just written, and remember it when its times can be believed."""


class Setting(NamedTuple):
    """What all cases share."""

    scratch: str
    runs: int
    workstreams: int
    """How many there are in the graph that is built."""
    few: int
    """How many there are in the graph for the tools that take long."""
    many: int
    """How many there are in the graph that is listed."""
    restored: int
    """How many there are in the graph that is restored."""
    large: int
    """How many there are in the graph that is only looked at."""
    tools: Sequence[str]
    """The names of those that build the graph; none: all."""
    tell: Callable[[str], None]

    def short(self, runs: int = COLD_RUNS) -> Setting:
        """The same with so many turns at most, for what takes long."""
        return self._replace(runs=min(self.runs, runs))

    def measure(self, commands: Sequence[Command], *, warmup: int = 1) -> dict[str, list[Figures]]:
        """The commands in turn, of which the first `warmup` do not count."""
        return in_turn(commands, self.scratch, self.runs, warmup=warmup, tell=self.tell)


class Site(NamedTuple):
    """A tool and the directory where it has the graph."""

    peer: Peer
    root: str
    graph: Graph

    def argv(self, name: str, ws: Workstream | None = None) -> list[str]:
        """The tool's command, by default for the last workstream. Raises LookupError where there is none."""
        argv = self.peer.command(name, ws or self.graph.workstreams[self.graph.last])
        if argv is None:
            raise LookupError(f"{self.peer.NAME} has no command for {name}")
        return argv

    def has(self, name: str) -> bool:
        """Whether the tool has such a command."""
        return self.peer.command(name, self.graph.workstreams[self.graph.last]) is not None


def lay_out(setting: Setting, peers: Iterable[Peer], graph: Graph, name: str) -> list[Site]:
    """The graph for each of the tools that is here, below the directory `name`."""
    sites = []
    for peer in peers:
        if not presence(peer).version:
            continue
        setting.tell(f"laying out {len(graph.workstreams)} workstreams for {peer.NAME}")
        root = os.path.join(setting.scratch, name, peer.NAME.replace(", ", "-").replace(" ", "-"))
        os.makedirs(root)
        write_inputs(root, graph)
        peer.write(root, graph)
        sites.append(Site(peer, root, graph))
    return sites


def with_own_command(sites: Sequence[Site]) -> list[Site]:
    """The same and wsbuild's own command: what doit has built with wsbuild's loader, it finds built."""
    return [*sites, *(site._replace(peer=wsbuild_run) for site in sites if site.peer is wsbuild)]


def absent(peers: Iterable[Peer]) -> dict[str, str]:
    """Why those of the tools that take no part do not."""
    return {peer.NAME: presence(peer).reason for peer in peers if presence(peer).reason}


def base_of(names: Sequence[str]) -> str:
    """The tool that ratios are to."""
    return next((name for name in ("ninja", "make") if name in names), "".join(names[:1]))


def listed(graph: Graph, output: str) -> list[str]:
    """Every workstream is named in what a tool has printed."""
    shown = set(re.findall(r"\bw\d+\b", output))
    return [f"{name} is not listed" for name in graph.workstreams if name not in shown]


def _miscounted(site: Site, steps: int | None, output: str) -> list[str]:
    ran = site.peer.ran(output)
    return [f"{ran} steps have run, not {steps}"] if None not in (ran, steps) and ran != steps else []


def counted(site: Site, steps: int | None, output: str) -> list[str]:
    """As many steps as wanted have run, where the tool tells and it matters; and all outputs are right."""
    return _miscounted(site, steps, output) + site.peer.check(site.root, site.graph)


def untouched(site: Site, graph: Graph) -> Callable[[str], list[str]]:
    """The check that from now on no step runs and no output of `graph` is written."""
    before = stamps(site.root, graph)
    wrong = site.peer.check(site.root, graph)

    def verify(output: str) -> list[str]:
        """What was not written since is as right as it was: to read it all again would take long."""
        if site.peer in REWRITING:
            return counted(site._replace(graph=graph), 0, output)
        moved = ["an output was written again"] if stamps(site.root, graph) != before else []
        return moved + wrong + _miscounted(site, 0, output)

    return verify


def cold(site: Site, name: str = BUILD) -> Command:
    """A build with neither outputs nor state."""

    def prepare() -> None:
        remove_outputs(site.root, site.graph)
        forget(site.root, site.peer.STATE)

    return Command(
        site.peer.NAME, site.argv(name), site.root, prepare, partial(counted, site, site.graph.steps)
    )


def noop(site: Site) -> Command:
    """A build with nothing to do. Everything is built already."""
    return Command(site.peer.NAME, site.argv(BUILD), site.root, verify=untouched(site, site.graph))


def wait(site: Site) -> None:
    """Until the tool can tell what is written now from what was written before."""
    if site.peer in COARSE:
        time.sleep(1)


def renamed(command: Command, name: str) -> Command:
    """The same command, under another name in the table."""
    return replace(command, name=name)
