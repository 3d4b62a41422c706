"""Tup: one rule for each step; it watches what commands read by a file system of its own (FUSE).

Unpacked from Debian's packages: it needs /dev/fuse, and the right to mount.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from bench.generate import check
from bench.peers.peer import BUILD, BUILD_ONE, Largest, count, first_line, write_text
from bench.peers.tools import NotInstalledError, Package

if TYPE_CHECKING:
    from bench.generate import Graph, Workstream

NAME = "tup"
STATE: tuple[str, ...] = (".tup",)
PACKAGE = Package("Debian", ("tup", "fuse3", "libfuse3-3", "libpcre3"), "usr/bin/tup")
LARGEST = Largest(build=1000, look=1000)
SET_UP = """\
export LD_LIBRARY_PATH="$0/lib/$(uname -m)-linux-gnu:$0/usr/lib/$(uname -m)-linux-gnu" PATH="$PATH:$0/bin"
[ -d .tup ] || [ "$1" != upd ] || "$0/usr/bin/tup" init > /dev/null || exit
exec "$0/usr/bin/tup" "$@"
"""

__all__ = ["LARGEST", "NAME", "PACKAGE", "STATE", "check", "command", "ran", "version", "write"]


def _argv(*words: str) -> list[str]:
    PACKAGE.find()
    return ["/bin/sh", "-c", SET_UP, PACKAGE.folder, *words]


def version() -> str:
    """Only where it builds something: mounting may be forbidden."""
    argv = _argv("upd")
    with tempfile.TemporaryDirectory() as root:
        write_text(root, "Tupfile", ": |> echo built > made |> made\n")
        done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode or not os.path.exists(os.path.join(root, "made")):
            told = (done.stderr or done.stdout).strip().partition("\n")[0]
            raise NotInstalledError(f"it does not run here: {told}")
    path, *words = _argv("--version")
    return first_line(path, *words, pattern=r"tup (\S+)")


def write(root: str, graph: Graph) -> None:
    rules = [
        f": {' '.join(step.inputs)} |> {step.line} |> {step.output}\n"
        for ws in graph.workstreams.values()
        for step in ws.steps
    ]
    write_text(root, "Tupfile", "".join(rules))


def command(name: str, ws: Workstream) -> list[str] | None:
    words = {BUILD: [], BUILD_ONE: [ws.result]}.get(name)
    return None if words is None else _argv("upd", "-j1", *words)


def ran(output: str) -> int:
    return count(r"^.*\d+\) \[[\d.]+s\] sha256sum ", output)
