"""Workstreams as epics: files that are not there. What was imported is written as it was, byte by byte."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.documents.yaml_out import write_yaml
from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.paths import is_inside
from wsbuild.planning.drafts import CHANGED, EDITED, NEW, SAME, Outcome
from wsbuild.planning.project.epics import CLAUDE, Place, key_of, place_of, read_epic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.model import Workstream
    from wsbuild.planning.project.epics import Layout


class PageDraft(NamedTuple):
    """A file to be, by its path from the root."""

    path: str
    data: bytes


def _origin(ws: Workstream) -> Mapping[str, Any]:
    found = ws.metadata.get("ccpm")
    return found if isinstance(found, dict) else {}


def _texts(ws: Workstream) -> dict[Any, Any]:
    """The files that a workstream brings along, with their texts, not looked at yet."""
    origin = _origin(ws)
    beside = origin.get("beside", {})
    files = dict(beside) if isinstance(beside, dict) else {beside: None}
    return {**files, origin.get("file"): origin.get("text")} if origin else {}


def _kept(root: str, ws: Workstream, problems: list[Problem]) -> list[PageDraft]:
    """What was imported."""
    found = []
    for path, text in _texts(ws).items():
        if not isinstance(path, str) or not isinstance(text, str):
            why, hint = (
                "does not say which file it is of, and its text",
                "remove it, or import the epic again",
            )
        elif place_of(path) is None or not is_inside(root, path):
            why, hint = f"names {path!r:.80}, which is no file of an epic", "remove it"
        else:
            found.append(PageDraft(path, text.encode()))
            continue
        problems.append(Problem(ws.source, f"{ws.pointer}/metadata/ccpm", ws.line, "bad-origin", why, hint))
    return found


def _title(ws: Workstream) -> str:
    return " ".join(str(ws.metadata.get("title") or ws.name).split())


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(words)}]"


def _front(ws: Workstream, place: Place, task_id: str, tasks: Mapping[str, str], group: Sequence[str]) -> str:
    """The front matter of a new task."""
    layout = place.layout
    needs = _list([tasks[dep] for dep in ws.depends_on if dep in tasks])
    issue = ws.ccpm_issue if ws.ccpm_issue.isdecimal() else ""
    title, parallel = _title(ws), str(ws.parallel_ok).lower()
    if layout is CLAUDE:
        head = write_yaml({"name": title, "status": layout.open})
        links = (
            f"depends_on: {needs}\nparallel: {str(ws.parallel_ok).lower()}\nconflicts_with: {_list(group)}\n"
        )
    else:
        head = write_yaml({"title": title, "epic": place.name, "task_id": task_id, "status": layout.open})
        links = f"parallel: {parallel}\ndependencies: {needs}\n"
    files = {"file_scope": [*ws.files_scope], "files_create": [*ws.files_create]}
    rest = {name: paths for name, paths in files.items() if paths}
    number = {"github_issue": int(issue)} if issue else {}
    return f"---\n{head}{links}{write_yaml({**number, **rest, 'workstream': ws.id})}---\n"


def _body(ws: Workstream, tasks: Mapping[str, str]) -> str:
    parts = [f"# Task: {_title(ws)}", "## Description", *ws.tasks]
    if ws.acceptance_tests:
        items = [f"- [ ] {test.text.replace(chr(10), ' ')}" for test in ws.acceptance_tests]
        parts += ["## Acceptance Criteria", "\n".join(items)]
    if others := [dep for dep in ws.depends_on if dep not in tasks]:
        parts += ["## Dependencies", "\n".join(f"- {dep}" for dep in others)]
    return "\n\n".join(parts) + "\n"


def _epic_text(place: Place, rows: Sequence[tuple[Workstream, str]]) -> str:
    layout = place.layout
    status = "backlog" if layout is CLAUDE else layout.open
    named = {"name": place.name} if layout is CLAUDE else {"title": place.name}
    items = [f"- [ ] {name} - {_title(ws)} (parallel: {str(ws.parallel_ok).lower()})" for ws, name in rows]
    head = f"---\n{write_yaml({**named, 'status': status})}---\n"
    return f"{head}\n# Epic: {place.name}\n\n## Tasks Created\n\n" + "\n".join(items) + "\n"


def _new(root: str, place: Place, workstreams: Sequence[Workstream]) -> tuple[list[PageDraft], list[Problem]]:
    """Workstreams as tasks of an epic, behind those that it has."""
    taken: set[str] = set()
    tasks: dict[str, str] = {}
    is_there = os.path.lexists(os.path.join(root, place.epic_file))
    if is_there:
        epic, problems = read_epic(root, place)
        if epic is None or problems:
            return [], problems
        taken = {task.key for task in epic.tasks}
        tasks = {task.page.text("workstream"): task.id for task in epic.tasks}
    added = [ws for ws in workstreams if ws.id not in tasks]
    number = max((int(key) for key in taken if key.isdecimal()), default=0)
    names = {ws.id: place.layout.numbered.format(number + at) for at, ws in enumerate(added, 1)}
    tasks |= {ws_id: name.removesuffix(".md") for ws_id, name in names.items()}
    drafts = []
    for ws in added:
        group = [
            tasks[other.id]
            for other in workstreams
            if other is not ws and ws.conflict_group and other.conflict_group == ws.conflict_group
        ]
        text = _front(ws, place, tasks[ws.id], tasks, group) + "\n" + _body(ws, tasks)
        drafts.append(PageDraft(place.task_file(names[ws.id]), text.encode()))
    if drafts and not is_there:
        rows = [(ws, names[ws.id]) for ws in added]
        drafts.insert(0, PageDraft(place.epic_file, _epic_text(place, rows).encode()))
    return drafts, []


def _new_place(name: str, layout: Layout) -> Place:
    found = place_of(Place(layout, name).epic_file)
    if found is None or name != name.strip() or name[:1] in {"", "."} or not name.isprintable():
        raise UserError(f"{name!r} is no name for an epic", "name it in one word, such as `checkout-flow`")
    return found[0]


def to_epics(
    root: str, workstreams: Sequence[Workstream], *, epic: str = "", layout: Layout = CLAUDE
) -> tuple[list[PageDraft], list[Problem]]:
    """The files of epics that workstreams come from; what comes from none goes, as a new task, into `epic`.

    Raises UserError for a name that no epic can have.
    """
    problems: list[Problem] = []
    drafts = {draft.path: draft for ws in workstreams if _origin(ws) for draft in _kept(root, ws, problems)}
    others = [ws for ws in workstreams if not _origin(ws)]
    if epic and others:
        added, wrong = _new(root, _new_place(epic, layout), others)
        problems += wrong
        drafts |= {draft.path: draft for draft in added}
    return [drafts[path] for path in sorted(drafts, key=_order)], problems


def _order(path: str) -> tuple[str, int, str, str]:
    found = place_of(path)
    assert found is not None
    place, name = found
    return place.folder, 0 if key_of(name) == name.casefold() else 1, key_of(name).zfill(20), path


def state_of(root: str, draft: PageDraft) -> Outcome:
    """What writing would do; EDITED is a file that is there and has another text. Raises OSError."""
    path = os.path.join(root, draft.path)
    try:
        with open(path, "rb") as file:
            return Outcome(draft.path, SAME if file.read() == draft.data else EDITED)
    except FileNotFoundError:
        return Outcome(draft.path, EDITED if os.path.islink(path) else NEW)


def write(root: str, drafts: Sequence[PageDraft], *, force: bool) -> list[Outcome]:
    """Write what is not there, and with `force` also over what has another text; gives what became of each.

    Raises OSError.
    """
    outcomes = []
    for draft in drafts:
        outcome = state_of(root, draft)
        if outcome.state == NEW or (force and outcome.state == EDITED):
            path = os.path.join(root, draft.path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, draft.data)
            outcome = outcome if outcome.state == NEW else Outcome(draft.path, CHANGED)
        outcomes.append(outcome)
    return outcomes
