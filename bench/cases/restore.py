"""The tools that keep results: nothing is to be done; all outputs are gone, and come back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.cases.setting import NOOP_WARMUP, Setting, Site, absent, cold, lay_out, noop
from bench.generate import make_graph, remove_outputs
from bench.measure import Command, once
from bench.peers import turbo, wsbuild_run
from bench.peers.peer import BUILD, forget
from bench.peers.registry import CACHING
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.peers.peer import CachingPeer

TARGET = 1 / 3
"""How long it may take, in units of what turbo takes."""

NOOP = 1 / 20
"""How long `wsbuild run` may take to find nothing to do, in units of what turbo takes."""

RUNS = 5
"""So many turns count at most: each takes long."""


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
    argv = site.argv(BUILD)
    yield Command(peer.NAME, argv, site.root, prepare, verify)
    if peer.NAME == turbo.NAME:
        many_jobs = [word for word in argv if word != turbo.ONE_JOB]
        yield Command(f"{peer.NAME}, many jobs", many_jobs, site.root, prepare, verify)


def _tables(setting: Setting, peers: Sequence[CachingPeer], workstreams: int, word: str) -> Iterator[Table]:
    graph = make_graph(workstreams)
    by_name = {peer.NAME: peer for peer in peers}
    sites = lay_out(setting, peers, graph, f"restore-{workstreams}")
    for site in sites:
        setting.tell(f"filling the cache of {site.peer.NAME}")
        once(cold(site), setting.scratch)
    size = f"{workstreams} workstreams, {graph.steps} steps"
    has_target = sites[0].peer.NAME == turbo.NAME and workstreams == setting.restored
    yield Table(
        f"Nothing to do, by those that keep results: {size}",
        f"All outputs are as built.{word}",
        sites[0].peer.NAME,
        setting.measure([noop(site) for site in sites], warmup=NOOP_WARMUP),
        {wsbuild_run.NAME: NOOP} if has_target else {},
        absent=absent(peers),
    )
    for known, title in ((True, "All outputs removed"), (False, "In a fresh checkout with the cache")):
        commands = [
            command for site in sites for command in _restore(site, by_name[site.peer.NAME], known=known)
        ]
        found = setting.measure(commands)
        note = f"Every output is back, and no step ran for it. `many jobs` is turbo's default.{word}"
        if not known:
            note += " wsbuild reads and checks all bundles anew."
        targets = {wsbuild_run.NAME: TARGET} if known and has_target else {}
        yield Table(f"{title}: {size}", note, sites[0].peer.NAME, found, targets, absent=absent(peers))


def restore(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """Those that take minutes with many workstreams are compared with few."""
    size = setting.restored
    slow = [peer for peer in CACHING if peer.LARGEST.restore < size]
    names = ", ".join(peer.NAME for peer in slow)
    word = f" With {setting.few} workstreams, as more take minutes: {names}." if slow else ""
    some = setting.short(RUNS)
    yield from _tables(some, [peer for peer in CACHING if peer not in slow], size, word)
    if slow:
        short = setting.short()
        word = f" {names}: they take minutes with {size} workstreams."
        yield from _tables(short, CACHING, min(setting.few, size), word)
