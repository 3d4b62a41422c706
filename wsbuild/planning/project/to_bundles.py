"""Epics as bundles: a file for each epic, a workstream for each of its tasks that is left to do.

What is needed to write the epic again, byte by byte, goes along in `metadata.ccpm`: its directory is often
not in git.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.model import Problem
from wsbuild.paths import BadPathError, canonical, is_inside
from wsbuild.planning.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from wsbuild.planning.project.epics import Epic, Task
    from wsbuild.planning.project.sections import Named

LONGEST_ID = 100
"""As the schema of workstreams has it."""

LONGEST_TOLD = 20_000
"""Characters of one section of a task that go into a prompt."""

_FILLERS = frozenset({"tbd", "todo", "n/a", "none", "?", "...", "…", "unknown"})
_LINE_END = re.compile(r"\r\n?")
_NO_SLUG = re.compile(r"[^a-z0-9]+")


class Imported(NamedTuple):
    """What an epic is as bundles: no draft where no task is left to do. `left_out` are its tasks that are
    done, or that stand for a workstream which is declared elsewhere.
    """

    epic: Epic
    draft: Draft | None
    left_out: tuple[tuple[str, str], ...]


def slug(text: str) -> str:
    """`text` in the letters of an id, never empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return _NO_SLUG.sub("-", plain).strip("-") or sha256_text(text)[:8]


def file_name(epic: Epic) -> str:
    """What the bundle file of an epic is called."""
    return f"epic-{slug(epic.place.name)[:LONGEST_ID]}.yaml"


def workstream_id(epic: Epic, task: Task) -> str:
    """The id of the workstream that a task is."""
    if given := task.page.text("workstream"):
        return given
    behind = f"-{slug(task.id)}"
    return f"ws-{slug(epic.place.name)[: LONGEST_ID - len('ws-') - len(behind)].rstrip('-')}{behind}"


class _Reader:
    """Makes workstreams of the tasks of one epic, and notes what is wrong with them."""

    def __init__(self, root: str, epic: Epic, tool: str) -> None:
        self._root = root
        self._epic = epic
        self._tool = tool
        self._ids = {task.key: workstream_id(epic, task) for task in epic.tasks}
        self._groups = _conflict_groups(epic)
        self.problems: list[Problem] = []

    def _paths(self, task: Task, named: Sequence[Named]) -> list[str]:
        found: dict[str, None] = {}
        for one in named:
            if one.path.casefold() in _FILLERS:
                continue
            try:
                path = canonical(one.path)
                if not is_inside(self._root, path):
                    raise BadPathError("leads to a place where workstreams may not write, by a link")
                found[path] = None
            except BadPathError as error:
                message = f"{one.path!r:.80} {error}"
                hint = "paths stay in the project"
                self.problems.append(Problem(task.file, "", one.line, "bad-path", message, hint))
        return list(found)

    def _files(self, task: Task) -> tuple[list[str], list[str]]:
        """What a task may change, and create."""
        scope, create = self._paths(task, task.scope), self._paths(task, task.create)
        if not scope and not create and not any(each.file == task.file for each in self.problems):
            message = "says nowhere which files it may change"
            hint = "write `file_scope: [src/a.py]` between its `---`, or name them below `## Files to Modify`"
            names = ("file_scope", "files_scope", "files_to_modify")
            self.problems.append(task.page.problem("no-scope", message, hint, *names))
        return scope or create, create if scope else []

    def workstream(self, task: Task, undone: Collection[str]) -> dict[str, Any]:
        """A task as the schema of workstreams has it; what it needs and is done already is left out."""
        scope, create = self._files(task)
        priority = task.page.text("priority").casefold()
        needs = [self._ids[ref.key] for ref in task.depends_on if ref.key in undone]
        told = [text[:LONGEST_TOLD] for text in task.sections.told]
        body = _LINE_END.sub("\n", task.page.body).strip()[:LONGEST_TOLD]
        fields: dict[str, Any] = {
            "id": self._ids[task.key],
            "openspec_change": "",
            "ccpm_issue": task.issue.number if task.issue else "",
            "gate": task.page.get("gate") or 1,
            "files_scope": scope,
            "files_create": create,
            "tasks": [task.title, *(told or ([body] if body else []))],
            "acceptance_tests": list(task.sections.criteria),
            "depends_on": list(dict.fromkeys(needs)),
            "tool": task.page.text("tool") or self._tool,
            "conflict_group": self._groups.get(task.key, ""),
            "priority": "background" if priority == "low" else "",
        }
        fields = {name: value for name, value in fields.items() if value or name in _NEEDED}
        if task.page.get("parallel") is False:
            fields["parallel_ok"] = False
        return {**fields, "metadata": {"title": task.title, "ccpm": self._origin(task)}}

    def _origin(self, task: Task) -> dict[str, Any]:
        return {
            "epic": self._epic.place.name,
            "task": task.id,
            "file": task.file,
            "text": task.page.raw.decode(),
        }


_NEEDED = frozenset({"openspec_change", "ccpm_issue", "files_scope", "tasks", "tool"})


def _conflict_groups(epic: Epic) -> dict[str, str]:
    """A group for each set of tasks that conflict with each other, directly or by others."""
    group = {task.key: task.key for task in epic.tasks}
    for task in epic.tasks:
        for ref in task.conflicts_with:
            joined = {group[task.key], group[ref.key]}
            group = {key: min(joined) if at in joined else at for key, at in group.items()}
    sizes = {at: sum(each == at for each in group.values()) for at in group.values()}
    name = slug(epic.place.name)
    return {key: f"{name}-{at}" for key, at in group.items() if sizes[at] > 1}


def _beside(epic: Epic, left_out: Sequence[Task]) -> dict[str, str]:
    """The files of the epic that are no workstreams, by their paths."""
    files = {epic.place.epic_file: epic.page.raw.decode()}
    if epic.sidecar:
        files[epic.place.sidecar] = epic.sidecar.decode()
    return files | {task.file: task.page.raw.decode() for task in left_out}


def to_bundle(
    root: str, epic: Epic, declared: Mapping[str, str], *, tool: str, closed: bool = False
) -> tuple[Imported, list[Problem]]:
    """An epic as a bundle file, and what keeps it from being one.

    `declared` are the workstreams that there are by their bundle files. A task that is done is left out
    unless it is one of this epic's already, or `closed` ones are wanted: nobody is to do it again.
    """
    name = file_name(epic)
    left_out: list[tuple[Task, str]] = []
    kept = []
    for task in epic.tasks:
        source = os.path.basename(declared.get(workstream_id(epic, task), ""))
        if source and source != name and task.page.text("workstream"):
            left_out.append((task, f"is declared in {source}"))
        elif task.is_done and not closed and source != name:
            left_out.append((task, f"is {task.status}"))
        else:
            kept.append(task)
    reader = _Reader(root, epic, tool)
    elsewhere = {task.key for task, why in left_out if not task.is_done}
    undone = {task.key for task in kept} | elsewhere
    rows = [reader.workstream(task, undone) for task in kept]
    told = tuple((task.id, why) for task, why in left_out)
    if not rows or reader.problems:
        return Imported(epic, None, told), reader.problems
    rows[0]["metadata"]["ccpm"]["beside"] = _beside(epic, [task for task, _ in left_out])
    heading = f"{epic.title}\n\nOf {epic.place.folder}: `wsbuild pm import {epic.place.name}` writes it anew."
    return Imported(epic, Draft(name, tuple(rows), heading), told), []


def check_names(epics: Sequence[Epic]) -> list[Problem]:
    """Epics whose bundle files would have the same name."""
    first: dict[str, Epic] = {}
    problems = []
    for epic in epics:
        other = first.setdefault(file_name(epic), epic)
        if other is not epic:
            message = f"would be {file_name(epic)}, as {other.place.epic_file} is"
            problems.append(Problem(epic.place.epic_file, "", 1, "same-name", message, "rename one"))
    return problems
