"""The graph that every tool is given, its input files, and what a right build of it leaves.

How a tool writes the graph down is its peer's business.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

INPUT_BYTES = 2048
INPUTS, OUTPUTS = "in", "out"

SHAPES = ("layered", "chain", "wide")
"""Each workstream depends on some of the layer before it; on the one before it; on none."""


@dataclass(frozen=True)
class Step:
    """One command: it writes the SHA-256 of each input to its output.

    So the last output answers for every byte that went in, however far upstream, and stays small.
    """

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def line(self) -> str:
        """The command, for a POSIX shell; no path needs quotes."""
        return f"sha256sum {' '.join(self.inputs)} > {self.output}"


@dataclass(frozen=True)
class Workstream:
    """Some files of its own, the workstreams it needs (by name), and steps that come one after another."""

    name: str
    needs: tuple[str, ...]
    files: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def result(self) -> str:
        """The output that those who need this workstream read."""
        return self.steps[-1].output


@dataclass(frozen=True)
class Graph:
    """The workstreams by name, each after what it needs, and the seed of the contents of its files."""

    workstreams: dict[str, Workstream]
    seed: int

    @property
    def last(self) -> str:
        """The name of the workstream that nothing needs."""
        return next(reversed(self.workstreams))

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return sum(len(ws.steps) for ws in self.workstreams.values())

    def closure(self, name: str) -> Graph:
        """The workstream and all that it needs, as a graph of its own."""
        wanted, waiting = {name}, [name]
        while waiting:
            new = set(self.workstreams[waiting.pop()].needs) - wanted
            wanted |= new
            waiting.extend(sorted(new))
        return Graph({name: ws for name, ws in self.workstreams.items() if name in wanted}, self.seed)


def modest(graph: Graph, deep: int = 3) -> str:
    """The last workstream that needs few others: only such as are at most `deep` layers from the first.

    In a graph of layers with two needs each, it needs six.
    """
    depth: dict[str, int] = {}
    for name, ws in graph.workstreams.items():
        depth[name] = 1 + max((depth[need] for need in ws.needs), default=0)
    return next(name for name in reversed(depth) if depth[name] <= deep)


def _needs(shape: str, at: int, layers: range, needs: int, rng: random.Random) -> Sequence[int]:
    """The numbers of the workstreams that the one with number `at` needs; `layers` has each one's start."""
    if shape == "wide":
        return []
    if shape == "chain":
        return [at - 1] if at and needs else []
    here = max(start for start in layers if start <= at)
    before = range(max(0, here - layers.step), here)
    return sorted(rng.sample(before, min(needs, len(before))))


def _steps(name: str, files: Sequence[str], upstream: Iterable[str], count: int) -> Iterator[Step]:
    inputs = (*files, *upstream)
    for at in range(count):
        output = f"{name}/{OUTPUTS}/{at:02}.txt"
        yield Step(f"s{at:02}", inputs, output)
        inputs = (output,)


def make_graph(
    workstreams: int,
    *,
    steps: int = 3,
    files: int = 10,
    needs: int = 2,
    shape: str = "layered",
    layers: int = 10,
    seed: int = 1,
) -> Graph:
    """The graph of that size; the same arguments make the same graph on every machine.

    `steps` and `files` are for each workstream; `needs` is how many earlier ones each depends on
    where the shape leaves it open (0: none in any shape); `layers` is for the shape `layered`.
    """
    rng = random.Random(seed)
    starts = range(0, workstreams, max(1, -(-workstreams // layers)))
    names = [f"w{at:05}" for at in range(workstreams)]
    made: dict[str, Workstream] = {}
    for at, name in enumerate(names):
        needed = tuple(names[other] for other in _needs(shape, at, starts, needs, rng))
        own = tuple(f"{name}/{INPUTS}/{number:02}.txt" for number in range(files))
        found = _steps(name, own, [made[other].result for other in needed], steps)
        made[name] = Workstream(name, needed, own, tuple(found))
    return Graph(made, seed)


def content(graph: Graph, path: str) -> bytes:
    """What the input file has in it."""
    text = hashlib.shake_256(f"{graph.seed}:{path}".encode()).hexdigest(INPUT_BYTES // 2)
    return f"{text[:-1]}\n".encode()


def change(root: str, path: str, number: int) -> None:
    """Give the input file other contents, different for each `number`."""
    with open(os.path.join(root, path), "wb") as file:
        file.write(f"change {number}\n".encode())


def touch(root: str, graph: Graph) -> None:
    """Give all input files a new time of change, and leave their contents."""
    for ws in graph.workstreams.values():
        for path in ws.files:
            os.utime(os.path.join(root, path))


def write_inputs(root: str, graph: Graph) -> None:
    """Write the input files below `root`, and the empty directories that the outputs go to."""
    for ws in graph.workstreams.values():
        for name in (INPUTS, OUTPUTS):
            os.makedirs(os.path.join(root, ws.name, name), exist_ok=True)
        for path in ws.files:
            with open(os.path.join(root, path), "wb") as file:
                file.write(content(graph, path))


def remove_outputs(root: str, graph: Graph) -> None:
    """Leave the directories of the outputs empty, as before the first build."""
    for ws in graph.workstreams.values():
        place = os.path.join(root, ws.name, OUTPUTS)
        shutil.rmtree(place)
        os.mkdir(place)


def _read(root: str, path: str) -> bytes:
    with open(os.path.join(root, path), "rb") as file:
        return file.read()


def _digest(path: str, known: Mapping[str, bytes], made: Mapping[str, bytes]) -> str:
    return hashlib.sha256(known[path] if path in known else made[path]).hexdigest()


def expected(root: str, graph: Graph) -> dict[str, bytes]:
    """What a right build leaves, from what the input files have in them now: outputs by path."""
    made: dict[str, bytes] = {}
    for ws in graph.workstreams.values():
        known = {path: _read(root, path) for path in ws.files}
        for step in ws.steps:
            lines = [f"{_digest(path, known, made)}  {path}\n" for path in step.inputs]
            made[step.output] = "".join(lines).encode()
    return made


def check(root: str, graph: Graph) -> list[str]:
    """What is wrong with the build of `graph` below `root`: one line for each wrong output."""
    wrong = []
    for path, right in expected(root, graph).items():
        if not os.path.exists(os.path.join(root, path)):
            wrong.append(f"{path} is missing")
        elif _read(root, path) != right:
            wrong.append(f"{path} is not made of what its inputs have in them")
    return wrong


def stamps(root: str, graph: Graph) -> list[tuple[int, int, int]]:
    """When each output was last written, for the proof that a run wrote none of them.

    An entry is (inode, modification time, change time), the times in nanoseconds.
    """
    found = []
    for ws in graph.workstreams.values():
        for step in ws.steps:
            state = os.stat(os.path.join(root, step.output))
            found.append((state.st_ino, state.st_mtime_ns, state.st_ctime_ns))
    return found
