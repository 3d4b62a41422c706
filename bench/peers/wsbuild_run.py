"""The same graph as wsbuild's, run by its own command in the place of doit's."""

from __future__ import annotations

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, program
from bench.peers.wsbuild import STATE, available, write

NAME = "wsbuild run"

__all__ = ["NAME", "STATE", "available", "check", "command", "write"]


def command(name: str, workstream: str) -> list[str] | None:
    words = {BUILD: ["run"], BUILD_ONE: ["run", f"ws:{workstream}"]}.get(name)
    return None if words is None else [program("wsbuild") or "wsbuild", *words]
