"""How a workstream remembers the tasks that it came from, and how they are found again.

An anchor is the number of a task (empty where it has none), `@`, and a digest of its text.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
    return sha256_text(words)[:DIGITS]


def anchor(task: Task) -> str:
    """What is remembered of a task."""
    return f"{task.number}@{digest(task)}"


def _number(one: str) -> str:
    return one.partition("@")[0]


def _text(one: str) -> str:
    return one.partition("@")[2]


_PASSES: tuple[tuple[Callable[[str], str], str], ...] = ((str, SAME), (_text, SAME), (_number, CHANGED))
"""What a task is found by, one after the other, and what it is then."""


def match(anchors: Sequence[str], tasks: Iterable[Task]) -> list[Match]:
    """What became of each anchor among all the tasks of a change that have a box.

    All anchors of the change have to be given: a task belongs to one of them. Where there are not as many
    tasks of one text as anchors, nobody can tell which is which.
    """
    free = [task for task in tasks if task.boxed]
    found: dict[int, Match] = {}
    for key, state in _PASSES:
        wanted: dict[str, list[int]] = {}
        for at, one in enumerate(anchors):
            if at not in found and key(one):
                wanted.setdefault(key(one), []).append(at)
        there: dict[str, list[Task]] = {}
        for task in free:
            there.setdefault(key(anchor(task)), []).append(task)
        for name, places in wanted.items():
            fits = there.get(name, [])
            if len(fits) == len(places) or (fits and all(task.done for task in fits)):
                found |= {at: Match(state, task) for at, task in zip(places, fits, strict=False)}
            elif fits:
                found |= dict.fromkeys(places, Match(UNSURE))
        taken = {each.task.line for each in found.values() if each.task}
        free = [task for task in free if task.line not in taken]
    return [found.get(at, Match(GONE)) for at in range(len(anchors))]


def open_then(anchors: Sequence[str], tasks: Iterable[Task]) -> set[int]:
    """The lines of tasks that are done, and were open when the anchors were made. What is open still stands
    for an anchor before what is done.
    """
    rest = list(anchors)
    free = sorted((task for task in tasks if task.boxed), key=lambda task: task.done)
    found = set()
    for key, _ in _PASSES:
        left = Counter(filter(None, map(key, rest)))
        taken: Counter[str] = Counter()
        later = []
        for task in free:
            name = key(anchor(task))
            if taken[name] >= left[name]:
                later.append(task)
                continue
            taken[name] += 1
            if task.done:
                found.add(task.line)
        free = later
        rest = _without(rest, key, taken)
    return found


def _without(anchors: Sequence[str], key: Callable[[str], str], taken: Counter[str]) -> list[str]:
    """The anchors but so many of each key."""
    rest, over = [], Counter(taken)
    for one in anchors:
        if over[key(one)]:
            over[key(one)] -= 1
        else:
            rest.append(one)
    return rest
