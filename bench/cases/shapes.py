"""Nothing to do in graphs of three shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cases.setting import (
    NOOP_WARMUP,
    Setting,
    absent,
    base_of,
    cold,
    lay_out,
    noop,
    with_own_command,
)
from bench.generate import SHAPES, make_graph
from bench.measure import once
from bench.peers.registry import GROWING
from bench.report import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def shapes(setting: Setting, chosen: Sequence[str]) -> Iterator[Grid]:  # noqa: ARG001 - it is one case
    """The same number of workstreams and steps in all of them."""
    found, steps = [], 0
    for shape in SHAPES:
        graph = make_graph(setting.workstreams, shape=shape)
        steps = graph.steps
        sites = lay_out(setting, GROWING, graph, f"shape-{shape}")
        for site in sites:
            setting.tell(f"building the {shape} graph by {site.peer.NAME}")
            once(cold(site), setting.scratch)
        commands = [noop(site) for site in with_own_command(sites)]
        found.append(setting.short().measure(commands, warmup=NOOP_WARMUP))
    yield Grid(
        f"Nothing to do, by the shape of the graph: {setting.workstreams} workstreams, {steps} steps",
        "In layers: each needs two of the layer before. A chain: each needs the one before. Wide: none does.",
        base_of(list(found[0])),
        list(SHAPES),
        found,
        absent(GROWING),
    )
