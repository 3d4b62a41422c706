"""The tools that are compared over one graph: those for which its size is right, and a word on the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench.cases.setting import Setting, Site, absent, base_of, lay_out
from bench.generate import Graph, make_graph
from bench.peers import doit, make, ninja, wsbuild, wsbuild_run
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.measure import Figures
    from bench.peers.peer import Largest, Peer

REFERENCES: tuple[Peer, ...] = (wsbuild, wsbuild_run, doit.STOCK, make, ninja)
"""Those that are compared with few workstreams as well, for the sake of the others."""


def build_size(largest: Largest) -> int:
    return largest.build


def look_size(largest: Largest) -> int:
    return largest.look


def show_size(largest: Largest) -> int:
    return largest.show


class Field(NamedTuple):
    """The tools that are compared over one graph."""

    setting: Setting
    graph: Graph
    peers: tuple[Peer, ...]
    sites: list[Site]
    above: int | None
    """Where the tools are those that cannot be compared with so many workstreams: how many."""

    @property
    def size(self) -> str:
        """What a title says."""
        return f"{len(self.graph.workstreams)} workstreams, {self.graph.steps} steps"

    def _takes_part(self, peer: Peer, size: Callable[[Largest], int]) -> bool:
        if size(peer.LARGEST) < len(self.graph.workstreams):
            return False
        return self.above is None or peer in REFERENCES or size(peer.LARGEST) < self.above

    def taking_part(self, size: Callable[[Largest], int]) -> list[Site]:
        """The tools for which the graph is of the right size for the case."""
        return [site for site in self.sites if self._takes_part(site.peer, size)]

    def table(
        self,
        title: str,
        note: str,
        found: dict[str, list[Figures]],
        size: Callable[[Largest], int],
        targets: dict[str, float] | None = None,
        limits: dict[str, float] | None = None,
    ) -> Table:
        """The table, with a word on those that are not in it."""
        names = [site.peer.NAME for site in self.taking_part(size)]
        slow = [peer.NAME for peer in self.peers if size(peer.LARGEST) < len(self.graph.workstreams)]
        if self.above is not None:
            note += f" Those that take minutes with {self.above} workstreams, beside some that do not."
        elif slow:
            note += f" With {self.setting.few} workstreams, as more take minutes: {', '.join(slow)}."
        missing = absent(peer for peer in self.peers if self._takes_part(peer, size))
        return Table(
            f"{title}: {self.size}", note, base_of(names), found, targets or {}, limits or {}, missing
        )


def make_field(setting: Setting, peers: Sequence[Peer], workstreams: int, above: int | None) -> Field:
    """The graph of that size for those of the tools that take part with it in anything."""
    graph = make_graph(workstreams)
    peers = [peer for peer in peers if not setting.tools or peer.NAME in setting.tools]
    fit = [peer for peer in peers if max(peer.LARGEST.build, peer.LARGEST.look) >= workstreams]
    sites = lay_out(setting, fit, graph, f"build-{workstreams}")
    return Field(setting, graph, tuple(fit if above else peers), sites, above)
