"""A change in one file of YAML: `bundle-id` and `items`, as an older tool wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsbuild import schemas
from wsbuild.model import Problem
from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.change import Change
from wsbuild.planning.openspec.deltas import ADDED, ASKED, Requirement, Scenario
from wsbuild.planning.openspec.tasks import Group, Task, TaskList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.schemas import Document

CHANGE, BUNDLE = "CH-", "openspec-"


def _is_task(item: Mapping[str, Any]) -> bool:
    return str(item["id"]).lower().startswith(("t-", "task"))


def _text(item: Mapping[str, Any]) -> str:
    """What an item says; what has neither title nor description, nothing."""
    title, description = item.get("title", "").strip(), item.get("description", "").strip()
    return "\n".join(filter(None, (title, description)))


def _task(item: Mapping[str, Any], line: int) -> Task:
    text = _text(item)
    return Task("", text, line, False, False, (), parse(text).blocks)


def _requirement(item: Mapping[str, Any], rel: str, line: int, kind: str) -> Requirement:
    pairs = [(pair["when"], pair["then"]) for pair in item.get("when-then", ())]
    texts = [f"WHEN {' '.join(when.split())} THEN {' '.join(then.split())}" for when, then in pairs]
    scenarios = tuple(Scenario("", text, line, parse(text).blocks) for text in texts)
    name, text = item.get("title", "").strip() or item["id"], item.get("description", "").strip()
    return Requirement(kind, "", name, text, rel, line, scenarios, parse(text).blocks)


def _change(document: Document, rel: str) -> Change:
    data = document.data
    items = [(item, document.line(f"/items/{at}")) for at, item in enumerate(data["items"])]
    about = next((item for item, _ in items if item["id"].startswith(CHANGE)), {"id": ""})
    named = any(_is_task(item) for item, _ in items)
    tasks: list[Task] = []
    requirements = []
    for item, line in items:
        is_task = not item["id"].startswith(CHANGE) and (_is_task(item) or not named)
        if is_task:
            tasks.append(_task(item, line))
        if item.get("when-then") or not (is_task or item["id"].startswith(CHANGE)):
            kind = ASKED if is_task or item["id"].startswith(CHANGE) else ADDED
            requirements.append(_requirement(item, rel, line, kind))
    name = data.get("bundle-id") or data["bundle_id"]
    name = about["id"].removeprefix(CHANGE) or name.removeprefix(BUNDLE) or name
    groups = (Group("", "", tasks[0].line, tuple(tasks)),) if tasks else ()
    return Change(
        id=name,
        place=rel,
        title=about.get("title", "").strip() or name,
        tasks_file=rel,
        tasks=TaskList(groups, False),
        requirements=tuple(requirements),
        directory=False,
    )


def read_bundle(path: str, rel: str) -> tuple[Change | None, list[Problem]]:
    """The change that the file `path` holds, which problems call `rel`."""
    document, problems = schemas.read_document(path, rel)
    if document is None:
        return None, problems
    problems = schemas.check(document, "openspec_bundle", rel)
    if problems:
        return None, problems
    change = _change(document, rel)
    hint = "write a `title`"
    empty = [
        Problem(rel, "", task.line, "empty-task", "a task says nothing", hint)
        for task in change.tasks.walk()
        if not task.text
    ]
    if not change.tasks.groups:
        empty.append(
            Problem(rel, "/items", 0, "nothing-to-do", "the bundle has no tasks", "write items `T-1`")
        )
    return change, empty
