"""What is done, from workstreams back to the lists of tasks that they came from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.documents.read import read_text
from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.paths import is_inside
from wsbuild.planning.markdown_tree import MAX_BYTES
from wsbuild.planning.openspec.change import TASKS, find_change
from wsbuild.planning.openspec.paths import CHANGES
from wsbuild.planning.openspec.ticks import DONE, UNDONE, tick
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from wsbuild.planning.openspec.known import Known
    from wsbuild.planning.openspec.ticks import Left, Tick


class Synced(NamedTuple):
    """What became of a list of tasks: `path` from the root."""

    change: str
    path: str
    ticks: tuple[Tick, ...]
    left: tuple[Left, ...]


class _Plan(NamedTuple):
    synced: Synced
    target: str
    data: bytes


def _there(root: str, change: str) -> bool:
    """Whether a change that a workstream came from still is one with a list of tasks."""
    try:
        name = find_change(root, change)
    except UserError:
        return False
    return os.path.lexists(os.path.join(root, CHANGES, name, TASKS))


def _wanted(root: str, known: Sequence[Known], words: Sequence[str]) -> list[str]:
    with_tasks = sorted({one.change for one in known if one.anchors})
    if not words:
        return [one for one in with_tasks if _there(root, one)]
    names = list(dict.fromkeys(find_change(root, word) for word in words))
    for name in names:
        if name not in with_tasks:
            hint = f"say `wsbuild spec import {name}` first; only boxes that it has found can be ticked"
            raise UserError(f"no workstream has tasks of the change {name!r}", hint)
    return names


def _plan(root: str, change: str, anchors: Sequence[tuple[str, str]]) -> _Plan:
    rel = f"{CHANGES}/{change}/{TASKS}"
    path = os.path.realpath(os.path.join(root, rel))
    if not is_inside(root, rel):
        hint = "put the file itself there"
        raise ProblemsError([Problem(rel, "", 0, "outside", "is a link out of the project", hint)])
    source, problems = read_text(path, rel, MAX_BYTES)
    if source is None:
        raise ProblemsError(problems)
    result = tick(source.data, source.text, anchors)
    return _Plan(Synced(change, rel, result.ticks, result.left), path, result.data)


def sync(
    root: str,
    known: Sequence[Known],
    words: Sequence[str],
    *,
    done: Collection[str],
    undone: Collection[str],
    check: bool,
) -> list[Synced]:
    """Tick the tasks of workstreams that are `done`, clear those of `undone` ones; with `check` only say it.

    All changes that workstreams came from, or those that `words` name. Raises UserError for a name of
    which nothing is known, ProblemsError where a list cannot be read, OSError.
    """
    plans = []
    for change in _wanted(root, known, words):
        anchors = [
            (text, DONE if one.id in done else UNDONE if one.id in undone else "")
            for one in known
            if one.change == change
            for text in one.anchors
        ]
        plans.append(_plan(root, change, anchors))
    for plan in plans:
        if plan.synced.ticks and not check:
            write_atomic(plan.target, plan.data, os.stat(plan.target).st_mode & 0o7777)
    return [plan.synced for plan in plans]
