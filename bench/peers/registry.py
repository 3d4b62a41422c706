"""The tools that are compared: add a module here and it takes part in every case it has a command for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.peers import (
    doit,
    go_task,
    make,
    moon,
    ninja,
    nx,
    scons,
    snakemake,
    tup,
    turbo,
    wsbuild,
    wsbuild_run,
)

if TYPE_CHECKING:
    from bench.peers.peer import CachingPeer, Peer

PEERS: tuple[Peer, ...] = (
    *(wsbuild, wsbuild_run, doit.STOCK, *doit.FORMS),
    *(make, ninja, tup, scons, snakemake, go_task, turbo, nx, moon),
)

LARGE: tuple[Peer, ...] = (wsbuild, ninja)
"""Those that are asked to look at a large graph."""

GROWING: tuple[Peer, ...] = (wsbuild, doit.STOCK, make, ninja)
"""Those that are asked the same of graphs of several sizes."""

CACHING: tuple[CachingPeer, ...] = (turbo, wsbuild, wsbuild_run, nx, moon)
"""Those that can bring results back which are not there any more."""

REWRITING: tuple[Peer, ...] = (nx,)
"""Those that bring all results back from their cache also where they are there, if no daemon watches them."""

COARSE: tuple[Peer, ...] = (tup,)
"""Those that do not see that a file was written twice within a second."""
