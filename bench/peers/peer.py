"""What the benchmark asks of a tool that it compares, and what several tools answer alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.generate import Graph

LIST, BUILD, BUILD_ONE = "list", "build", "build-one"
"""The commands a tool may have: show the tasks, build all, build one workstream and what it needs."""


class Peer(Protocol):
    """A tool, as a module of plain functions. All run one job at a time."""

    NAME: str
    STATE: tuple[str, ...]
    """What the tool keeps between runs, relative to the root: removed before a cold run."""

    def available(self) -> str | None:
        """The version of the tool; None where it is not installed."""

    def write(self, root: str, graph: Graph) -> None:
        """Write the graph down as the tool wants it; the input files are there already."""

    def command(self, name: str, workstream: str) -> list[str] | None:
        """The argument list for a command; None where the tool has none such."""

    def check(self, root: str, graph: Graph) -> list[str]:
        """What is wrong with the tool's build of `graph`, one line each."""


class CachingPeer(Peer, Protocol):
    """A tool that keeps results and brings them back."""

    KNOWN: tuple[str, ...]
    """Of what it keeps, what a fresh checkout with only the cache carried over would not have."""

    def restored(self, output: str) -> int:
        """How many steps a build with that output brought back from the cache, starting nothing."""


def program(name: str) -> str | None:
    """Where the program is: beside this Python, or on the PATH."""
    beside = os.path.dirname(sys.executable)
    return shutil.which(name, path=beside) or shutil.which(name)


def first_line(name: str, *arguments: str) -> str | None:
    """The first line the program prints, which names its version; None where it does not run."""
    path = program(name)
    if path is None:
        return None
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0].strip() or None


def write_text(root: str, name: str, text: str) -> None:
    """Write one of the tool's own files."""
    with open(os.path.join(root, name), "w", encoding="utf-8") as file:
        file.write(text)


def forget(root: str, names: Iterable[str]) -> None:
    """Remove some of what a tool keeps between runs."""
    for name in names:
        path = os.path.join(root, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
