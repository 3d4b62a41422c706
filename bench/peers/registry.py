"""The tools that are compared: add a module here and it takes part in every case it has a command for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.peers import doit, make, ninja, turbo, wsbuild, wsbuild_run

if TYPE_CHECKING:
    from bench.peers.peer import CachingPeer, Peer

PEERS: tuple[Peer, ...] = (wsbuild, wsbuild_run, doit, make, ninja)

LARGE: tuple[Peer, ...] = (wsbuild, ninja)
"""Those that are asked to look at a large graph."""

CACHING: tuple[CachingPeer, ...] = (turbo, wsbuild)
"""Those that can bring results back which are not there any more."""
