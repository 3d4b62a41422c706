"""What is done, written back to a list of tasks: its boxes are ticked, and not one other byte changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.anchors import CHANGED, GONE, SAME, UNSURE, match
from wsbuild.planning.openspec.tasks import task_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsbuild.planning.openspec.tasks import Task

DONE, UNDONE = "done", "undone"
"""What a workstream may say of its tasks; where it says neither, they stay as they are."""

_LINE_END = re.compile(rb"\r\n?|\n")

WHY_NOT = {
    CHANGED: "says something else than when it was imported; import it again",
    GONE: "is not there any more; import it again",
    UNSURE: "is there several times without a number of its own; give it one, and import it again",
}


class Tick(NamedTuple):
    """A box that is ticked or, where it is not `done`, cleared."""

    line: int
    text: str
    done: bool


class Left(NamedTuple):
    """A task that is done, and not ticked; without a line it was not found."""

    line: int
    text: str
    reason: str


class Ticked(NamedTuple):
    """A list of tasks as it should be, and what is different."""

    data: bytes
    ticks: tuple[Tick, ...]
    left: tuple[Left, ...]


def _starts(data: bytes) -> list[int]:
    """Where each line begins, as Markdown counts lines."""
    return [0, *(found.end() for found in _LINE_END.finditer(data))]


def _change_box(line: bytes, *, done: bool) -> bytes:
    """A line with its box ticked or cleared: what is before the box may hold no bracket."""
    at = line.index(b"[")
    close = line.index(b"]", at)
    inner = line[at + 1 : close]
    if done:
        if not inner:
            return line[: at + 1] + b"x" + line[close:]
        # What is neither blank nor an x stands in the place of one.
        place = next((i for i, byte in enumerate(inner) if byte not in b" \t"), 0)
        rest = inner[place:].decode(errors="surrogateescape")[1:].encode(errors="surrogateescape")
        return line[: at + 1] + inner[:place] + b"x" + rest + line[close:]
    return line[: at + 1] + re.sub(rb"[xX]", b" ", inner, count=1) + line[close:]


def _open_inside(task: Task, ticked: Iterable[Task]) -> Task | None:
    """A task in another one that stays open."""
    lines = {one.line for one in ticked}
    inner = (one for each in task.nested for one in each.walk())
    return next((one for one in inner if one.boxed and not one.done and one.line not in lines), None)


def tick(data: bytes, text: str, anchors: Sequence[tuple[str, str]]) -> Ticked:
    """Tick the tasks that are done, and clear those that are undone again.

    `text` is what `data` holds; `anchors` are all tasks of the change, each with DONE or UNDONE where
    something is known of it, else with ''.
    """
    found = match([one for one, _ in anchors], task_list(parse(text)).walk())
    ticked, cleared, left = [], [], []
    for (one, said), at in zip(anchors, found, strict=True):
        if said == DONE and at.state == SAME and at.task:
            ticked += [] if at.task.done else [at.task]
        elif said == DONE and not (at.task and at.task.done):
            name = one.partition("@")[0] or "a task"
            left.append(Left(at.task.line if at.task else 0, name, WHY_NOT[at.state]))
        elif said == UNDONE and at.state == SAME and at.task and at.task.done:
            cleared.append(at.task)
    for task in list(reversed(ticked)):
        if inner := _open_inside(task, ticked):
            ticked.remove(task)
            left.append(Left(task.line, _short(task), f"has a task in it that is open, on line {inner.line}"))
    ticks = [Tick(task.line, _short(task), True) for task in ticked]
    ticks += [Tick(task.line, _short(task), False) for task in cleared]
    ticks.sort()
    return Ticked(_rewritten(data, ticks), tuple(ticks), tuple(sorted(left)))


def _short(task: Task) -> str:
    return task.text.splitlines()[0] if task.text else ""


def _rewritten(data: bytes, ticks: Sequence[Tick]) -> bytes:
    starts = [*_starts(data), len(data)]
    pieces, at = [], 0
    for one in ticks:
        start, end = starts[one.line - 1], starts[one.line]
        pieces += [data[at:start], _change_box(data[start:end], done=one.done)]
        at = end
    return b"".join([*pieces, data[at:]])
