"""How a change is split into workstreams: which tasks and requirements belong together, and their order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.patterns import intersect
from wsbuild.planning.openspec.anchors import open_then
from wsbuild.planning.openspec.deltas import RENAMED
from wsbuild.planning.openspec.tasks import Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wsbuild.planning.markdown_tree import Node
    from wsbuild.planning.openspec.change import Change
    from wsbuild.planning.openspec.deltas import Requirement
    from wsbuild.planning.openspec.known import Known
    from wsbuild.planning.openspec.paths import Finder
    from wsbuild.planning.openspec.tasks import Task

AUTO, BY_GROUP, NONE = "", "group", "none"

MOST = 7
"""Groups (or tasks, where there are none) that one workstream may have."""

_INDEPENDENT = re.compile(
    r"\((?:independent|parallel|in parallel)\b[^)]*\)|^(?:Independent|In parallel)\b",
    re.IGNORECASE | re.MULTILINE,
)


class Portion(NamedTuple):
    """The work of one workstream."""

    group: Group
    requirements: tuple[Requirement, ...] = ()

    def blocks(self) -> Iterator[Node]:
        """What it says: its tasks, and without any its requirements."""
        for task in self.group.walk():
            yield from task.blocks
        for one in () if self.group.tasks else self.requirements:
            yield from one.blocks
            yield from (block for scenario in one.scenarios for block in scenario.blocks)


def _kept(task: Task, open_before: set[int]) -> Task | None:
    """A task without what was done already when it was first seen."""
    nested = tuple(one for each in task.nested if (one := _kept(each, open_before)))
    is_work = task.line in open_before if task.done else task.boxed or not task.nested
    return task._replace(nested=nested) if nested or is_work else None


def left_to_do(change: Change, known: Sequence[Known]) -> list[Group]:
    """The groups with the tasks that are open, or that were when they were first imported."""
    open_before = open_then([text for one in known for text in one.anchors], change.tasks.walk())
    found = []
    for group in change.tasks.groups:
        tasks = tuple(one for task in group.tasks if (one := _kept(task, open_before)))
        if tasks:
            found.append(group._replace(tasks=tasks))
    return found


def _is_one(groups: Sequence[Group], finder: Finder) -> bool:
    """Whether groups are few, and concern the same files."""
    count = len(groups) if len(groups) > 1 else len(groups[0].tasks) if groups else 0
    blocks = [[block for task in group.walk() for block in task.blocks] for group in groups]
    named = [frozenset(one.pattern for one in finder.named(each)) for each in blocks]
    return count <= MOST and len({files for files in named if files}) <= 1


def _names(requirement: Requirement, group: Group) -> bool:
    """Whether a task of the group speaks of a requirement."""
    name = " ".join(requirement.name.lower().split())
    return bool(name) and any(name in " ".join(task.text.lower().split()) for task in group.walk())


def _with_requirements(groups: Sequence[Group], requirements: Iterable[Requirement]) -> list[Portion]:
    """Requirements go to the groups that name them, else to the last: only then can they be met."""
    given: list[list[Requirement]] = [[] for _ in groups]
    for one in requirements:
        naming = [at for at, group in enumerate(groups) if _names(one, group)]
        for at in naming or [len(groups) - 1]:
            given[at].append(one)
    return [Portion(group, tuple(own)) for group, own in zip(groups, given, strict=True)]


def portions(change: Change, known: Sequence[Known], split: str, finder: Finder) -> list[Portion]:
    """The work of a change, in order; empty where nothing is left to do.

    Without a word on how to `split` it stays as it is `known`, else as few as are of one kind.
    """
    requirements = [one for one in change.requirements if one.kind != RENAMED]
    groups = left_to_do(change, known)
    if not groups:
        if change.tasks.groups or not requirements:
            return []
        return [Portion(Group("", "", requirements[0].line, ()), tuple(requirements))]
    if not split and known:
        split = BY_GROUP if any(one.group for one in known) else NONE
    grouped = any(group.number for group in groups)
    if not grouped or split == NONE or (split == AUTO and _is_one(groups, finder)):
        tasks = tuple(task for group in groups for task in _under(group, grouped=grouped))
        groups = [Group("", "", groups[0].line, tasks)]
    return _with_requirements(groups, requirements)


def _under(group: Group, *, grouped: bool) -> Iterator[Task]:
    for task in group.tasks:
        headings = [group.title, task.under] if grouped else [task.under]
        yield task._replace(under=" / ".join(filter(None, headings)))


def dependencies(found: Sequence[Portion], files: Sequence[Sequence[str]]) -> list[list[int]]:
    """For each portion those that it depends on: all that go before it at once. One that says that it is
    independent, and shares no `files` with them, goes beside them.
    """
    before: list[int] = []
    beside: list[int] = []
    needs = []
    for at, portion in enumerate(found):
        alone = _INDEPENDENT.search(portion.group.said) and not any(
            _meet(files[at], files[other]) for other in beside
        )
        if not alone:
            before, beside = beside, []
        beside.append(at)
        needs.append(list(before))
    return needs


def _meet(left: Sequence[str], right: Sequence[str]) -> bool:
    return any(intersect(one, other) for one in left for other in right)
