"""What the benchmark asks of a tool that it compares, and what several tools answer alike."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bench.peers.tools import NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.generate import Graph, Workstream
    from bench.peers.tools import Package

LIST, BUILD, BUILD_ONE, BUILD_TWO = "list", "build", "build-one", "build-two"
"""The commands a tool may have: show the tasks, build all, build one workstream and what it needs, and build
all with two jobs at a time.
"""


class Largest(NamedTuple):
    """With how many workstreams a tool takes part at most, by what is asked of it: more takes it minutes."""

    build: int = sys.maxsize
    """In what may run every step."""
    look: int = sys.maxsize
    """In what runs few steps or none."""
    show: int = sys.maxsize
    """In listing."""
    restore: int = sys.maxsize
    """In bringing results back."""


SLOW = Largest(build=100, look=100, show=100, restore=100)


class Versioned(Protocol):
    """A tool of any kind."""

    def version(self) -> str:
        """The version of the tool. Raises NotInstalledError, which says why it takes no part."""

    def __hash__(self) -> int:
        """Modules have it, and so has what stands for one."""


class Peer(Versioned, Protocol):
    """A tool, as a module of plain functions. All run one job at a time, but for BUILD_TWO."""

    NAME: str
    STATE: tuple[str, ...]
    """What the tool keeps between runs, relative to the root: removed before a cold run."""
    LARGEST: Largest

    @property
    def PACKAGE(self) -> Package | None:  # noqa: N802 - a constant of modules
        """What the benchmark installs for it; None for what the machine or the project's environment has."""

    def write(self, root: str, graph: Graph) -> None:
        """Write the graph down as the tool wants it; the input files are there already."""

    def command(self, name: str, ws: Workstream) -> list[str] | None:
        """The argument list for a command; None where the tool has none such."""

    def ran(self, output: str) -> int | None:
        """How many steps a build with that output says it has run; None where the tool does not tell."""

    def check(self, root: str, graph: Graph) -> list[str]:
        """What is wrong with the tool's build of `graph`, one line each."""


class CachingPeer(Peer, Protocol):
    """A tool that keeps results and brings them back."""

    KNOWN: tuple[str, ...]
    """Of what it keeps, what a fresh checkout with only the cache carried over would not have."""

    def restored(self, output: str) -> int:
        """How many steps a build with that output brought back from the cache, starting nothing."""


class Presence(NamedTuple):
    """Whether a tool takes part."""

    version: str
    reason: str
    """Why not; empty where it does."""


@cache
def presence(tool: Versioned) -> Presence:
    """Asked of each tool once: some take a second to say."""
    try:
        return Presence(tool.version(), "")
    except NotInstalledError as error:
        return Presence("", str(error))


def program(name: str) -> str | None:
    """Where the program is: beside this Python, or on the PATH."""
    beside = os.path.dirname(sys.executable)
    return shutil.which(name, path=beside) or shutil.which(name)


def first_line(path: str | None, *arguments: str, pattern: str = "(.+)") -> str:
    """The version: the first line the program prints, or what `pattern` finds in all that it prints.

    Raises NotInstalledError where it does not run.
    """
    if path is None:
        raise NotInstalledError("this machine does not have it")
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotInstalledError(str(error)) from error
    found = re.search(pattern, done.stdout)
    if done.returncode or found is None:
        told = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise NotInstalledError(f"it does not run here: {told or f'exit code {done.returncode}'}")
    return found[1].strip()


def count(pattern: str, output: str) -> int:
    """How many lines begin with what the pattern stands for."""
    return len(re.findall(pattern, output, re.MULTILINE))


def number(pattern: str, output: str) -> int:
    """The number that the pattern finds, 0 where it finds none."""
    found = re.search(pattern, output, re.MULTILINE)
    return int(found[1]) if found else 0


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
