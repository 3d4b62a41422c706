"""The same graph as wsbuild's, run by its own command in the place of doit's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, BUILD_TWO, program
from bench.peers.wsbuild import KNOWN, LARGEST, PACKAGE, STATE, ran, restored, version, write

if TYPE_CHECKING:
    from bench.generate import Workstream

NAME = "wsbuild run"

__all__ = [
    "KNOWN",
    "LARGEST",
    "NAME",
    "PACKAGE",
    "STATE",
    "check",
    "command",
    "ran",
    "restored",
    "version",
    "write",
]


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {BUILD: ["run"], BUILD_ONE: ["run", f"ws:{ws.name}"], BUILD_TWO: ["run", "-j", "2"]}.get(name)
    return None if words is None else [program("wsbuild") or "wsbuild", *words]
