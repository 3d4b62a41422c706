"""How a workstream remembers the tasks that it came from, and how they are found again.

An anchor is the number of a task (empty where it has none), `@`, and a digest of its text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsbuild.planning.openspec.tasks import Task

DIGITS = 10

SAME, CHANGED, GONE, UNSURE = "same", "changed", "gone", "unsure"


class Match(NamedTuple):
    """What became of a task: `task` is where it is now. CHANGED: its number says something else by now.
    UNSURE: several tasks say the same.
    """

    state: str
    task: Task | None = None


def digest(task: Task) -> str:
    """Of what a task says, without its number, however it is wrapped."""
    words = " ".join(task.text.removeprefix(task.number).split())
    return hashlib.sha256(words.encode()).hexdigest()[:DIGITS]


def anchor(task: Task) -> str:
    """What is remembered of a task."""
    return f"{task.number}@{digest(task)}"


class _Free:
    """The tasks that belong to no anchor yet."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._free: dict[int, Task] = {}
        self._by: dict[tuple[str, str], list[int]] = {}
        for at, task in enumerate(task for task in tasks if task.boxed):
            self._free[at] = task
            for how, name in (("anchor", anchor(task)), ("text", digest(task)), ("number", task.number)):
                self._by.setdefault((how, name), []).append(at)

    def count(self, how: str, name: str) -> int:
        return sum(at in self._free for at in self._by.get((how, name), ()))

    def take(self, how: str, name: str) -> Task | None:
        """The first that fits."""
        at = next((at for at in self._by.get((how, name), ()) if at in self._free), None)
        return None if at is None else self._free.pop(at)


def match(anchors: Sequence[str], tasks: Iterable[Task]) -> list[Match]:
    """What became of each anchor among all the tasks of a change that have a box.

    All anchors of the change have to be given: a task belongs to one of them.
    """
    free = _Free(tasks)
    found = [_match(SAME, free.take("anchor", one)) for one in anchors]
    texts = Counter(one.partition("@")[2] for one, there in zip(anchors, found, strict=True) if not there)
    several = {text for text, count in texts.items() if max(count, free.count("text", text)) > 1}
    for at, one in enumerate(anchors):
        text = one.partition("@")[2]
        if not found[at] and text in several and free.count("text", text):
            found[at] = Match(UNSURE)
        elif not found[at]:
            found[at] = _match(SAME, free.take("text", text))
    for at, one in enumerate(anchors):
        number = one.partition("@")[0]
        if not found[at] and number:
            found[at] = _match(CHANGED, free.take("number", number))
    return [each or Match(GONE) for each in found]


def _match(state: str, task: Task | None) -> Match | None:
    return Match(state, task) if task else None
