"""Statuses back into the files of epics: the lines `status:` and `updated:`, and no other byte."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.documents.document import RefusedError
from wsbuild.errors import StateError
from wsbuild.model import Problem
from wsbuild.planning.project.epics import DONE as DONE_WORDS
from wsbuild.planning.project.page import with_fields
from wsbuild.planning.project.standing import BLOCKED, DONE, FAILED, IN_PROGRESS, time_of
from wsbuild.planning.project.to_bundles import workstream_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.model import Workstream
    from wsbuild.planning.project.epics import Epic, Layout, Task
    from wsbuild.planning.project.page import Page
    from wsbuild.planning.project.standing import Standing

_STARTED = frozenset({"in-progress", "in_progress", "in progress", "started"})
_ALIKE = (DONE_WORDS, _STARTED)
WRITTEN, NEWER = "written", "newer"


class Change(NamedTuple):
    """A file whose status is `before` and should be `after`, since `at`. `state` is WRITTEN, or NEWER where
    somebody has changed the file since: then it stays. `raw` is what is to be written over `old`.
    """

    file: str
    before: str
    after: str
    at: str
    state: str
    old: bytes
    raw: bytes


def owners(workstreams: Sequence[Workstream]) -> dict[str, str]:
    """The workstreams by the files of the tasks that they are."""
    found = {}
    for ws in workstreams:
        origin = ws.metadata.get("ccpm")
        if isinstance(origin, dict) and isinstance(origin.get("file"), str):
            found[origin["file"]] = ws.id
    return found


def owner(epic: Epic, task: Task, owned: Mapping[str, str]) -> str:
    """The id of the workstream of a task, whether there is one or not."""
    return task.page.text("workstream") or owned.get(task.file) or workstream_id(epic, task)


def word_for(layout: Layout, standing: Standing) -> str:
    """The status that a layout has for a standing."""
    return {IN_PROGRESS: "in-progress", DONE: layout.done, FAILED: "blocked", BLOCKED: "blocked"}[
        standing.word
    ]


def _are_alike(one: str, other: str) -> bool:
    return one == other or any(one in words and other in words for words in _ALIKE)


def _is_newer(updated: str, at: str) -> bool:
    theirs, ours = time_of(updated), time_of(at)
    return theirs is not None and ours is not None and theirs > ours


def _change(page: Page, before: str, after: str, at: str) -> Change | None:
    """What is to become of a page; None where it says so already. Raises RefusedError."""
    if _are_alike(before, after):
        return None
    if _is_newer(page.text("updated"), at):
        return Change(page.file, before, after, at, NEWER, page.raw, page.raw)
    fields = {"status": after}
    if "updated" in page.front.data:
        fields["updated"] = at
    return Change(page.file, before, after, at, WRITTEN, page.raw, with_fields(page.raw, fields))


def _epic_word(epic: Epic, now: Sequence[str]) -> str:
    """The status of an epic whose tasks have these."""
    if all(each in DONE_WORDS for each in now):
        return epic.place.layout.epic_done
    is_begun = any(each in DONE_WORDS | _STARTED | {"blocked"} for each in now)
    return "in-progress" if is_begun else epic.status


def _sidecar(epic: Epic, after: str, at: str) -> Change | None:
    if not epic.sidecar.strip():
        return None
    fields = {"status": after, "updated_at": at} if b"updated_at:" in epic.sidecar else {"status": after}
    new = with_fields(epic.sidecar, fields, yaml=True)
    return Change(epic.place.sidecar, epic.status, after, at, WRITTEN, epic.sidecar, new)


def _of_epic(
    epic: Epic, standings: Mapping[str, Sequence[Standing]], owned: Mapping[str, str], problems: list[Problem]
) -> list[Change]:
    changes: list[Change] = []
    now, times = [], []
    for task in epic.tasks:
        known = standings.get(owner(epic, task, owned))
        status = task.status
        if known:
            after = word_for(epic.place.layout, known[-1])
            change = _tried(task.page, status, after, known[-1].at, problems)
            changes += [change] if change else []
            if change is None or change.state == WRITTEN:
                status = after
            times.append(known[-1].at)
        now.append(status)
    if times and (after := _epic_word(epic, now)) != epic.status:
        change = _tried(epic.page, epic.status, after, max(times), problems)
        if change is not None:
            changes.append(change)
            try:
                beside = _sidecar(epic, after, max(times)) if change.state == WRITTEN else None
                changes += [beside] if beside else []
            except RefusedError as error:
                problems.append(Problem(epic.place.sidecar, "", error.line, *error.refusal))
    return changes


def _tried(page: Page, before: str, after: str, at: str, problems: list[Problem]) -> Change | None:
    try:
        return _change(page, before, after, at)
    except RefusedError as error:
        problems.append(Problem(page.file, "/status", page.line("status"), *error.refusal))
        return None


def status_changes(
    epics: Sequence[Epic], standings: Mapping[str, Sequence[Standing]], owned: Mapping[str, str]
) -> tuple[list[Change], list[Problem]]:
    """What is to be written into the files of epics, and where that cannot be."""
    problems: list[Problem] = []
    changes = [change for epic in epics for change in _of_epic(epic, standings, owned, problems)]
    return changes, problems


def replace(root: str, file: str, old: bytes, new: bytes) -> None:
    """Write a file that still has the bytes `old`. Raises StateError where it has not, OSError."""
    path = os.path.realpath(os.path.join(root, file))
    with open(path, "rb") as there:
        if there.read() != old:
            raise StateError(f"{file} has changed meanwhile", "say it again")
        mode = os.fstat(there.fileno()).st_mode & 0o7777
    write_atomic(path, new, mode)


def write(root: str, changes: Sequence[Change]) -> None:
    """Write what is to be written. Raises StateError, OSError."""
    for change in changes:
        if change.state == WRITTEN:
            replace(root, change.file, change.old, change.raw)
