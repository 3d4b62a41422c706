"""A change of OpenSpec as data, with line numbers: its directory, its proposal, its tasks, its deltas."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.documents.document import Builder, RefusedError
from wsbuild.documents.read import read_text
from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.paths import is_inside
from wsbuild.planning.markdown_tree import HEADING, MAX_BYTES, MAX_DEPTH, Node, Page, parse
from wsbuild.planning.openspec.deltas import RENAMED, Requirement, read_deltas
from wsbuild.planning.openspec.paths import CHANGES
from wsbuild.planning.openspec.tasks import TaskList, task_list

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHIVE = "archive"
TASKS, PROPOSAL, DESIGN, SPEC = "tasks.md", "proposal.md", "design.md", "spec.md"

_TITLE = re.compile(r"(?:change )?proposal\b:?\s*|change:\s*", re.IGNORECASE)
_IMPACT = re.compile(r"(?:\d+\.\s*)?impact", re.IGNORECASE)
_DECISIONS = re.compile(r"(?:\d+\.\s*)?(?:design )?decisions?", re.IGNORECASE)


class Change(NamedTuple):
    """What is to be done, wherever it was written down.

    `place` is the directory or file it comes from, `tasks_file` the one with the tasks, both from the
    root; `impact` what its proposal says of the files that it concerns; `design` all that its design says,
    and `decisions` what was decided there. Only what comes from a `directory` has boxes to tick.
    """

    id: str
    place: str
    title: str
    tasks_file: str
    tasks: TaskList
    requirements: tuple[Requirement, ...] = ()
    impact: tuple[Node, ...] = ()
    design: tuple[Node, ...] = ()
    decisions: tuple[Node, ...] = ()
    directory: bool = True


def change_ids(root: str) -> list[str]:
    """The changes of the project that are not archived, sorted. Raises UserError where there are none."""
    try:
        with os.scandir(os.path.join(root, CHANGES)) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError as error:
        hint = "`openspec init` makes it; work in the project that has it, or say `wsbuild -C DIR`"
        raise UserError(f"{CHANGES} cannot be read: {str(error.strerror).lower()}", hint) from error
    return sorted(name for name in names if name != ARCHIVE and not name.startswith("."))


def find_change(root: str, word: str) -> str:
    """The id of the change that a word names: by its id, or as a path from the root.

    Raises UserError for one that is archived, is not there, or is a link out of the project.
    """
    name = os.path.normpath(word).removeprefix(f"{CHANGES}/") if word.strip() else ""
    if name.split("/")[0] == ARCHIVE:
        hint = "what is archived is done; move it back to import it"
        raise UserError(f"{word} is the archive of changes, or in it", hint)
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise UserError(f"{word!r:.80} is no id of a change", _known(root, ""))
    path = os.path.join(root, CHANGES, name)
    if os.path.isdir(path):
        if not is_inside(root, f"{CHANGES}/{name}"):
            raise UserError(f"{CHANGES}/{name} is a link out of the project", "name a change that is in it")
        return name
    if any(one.endswith(f"-{name}") for one in _archived(root)):
        raise UserError(f"{name} is archived: it is done", "`openspec list` shows the changes that are not")
    raise UserError(f"there is no change {name!r:.80}", _known(root, name))


def _archived(root: str) -> list[str]:
    try:
        return os.listdir(os.path.join(root, CHANGES, ARCHIVE))
    except OSError:
        return []


def _known(root: str, name: str) -> str:
    from difflib import get_close_matches

    known = change_ids(root)
    near = get_close_matches(name[:100], known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(known)}" if known else "`openspec new change NAME` makes one"


def read_page(root: str, rel: str) -> tuple[Page | None, list[Problem]]:
    """The page at `rel` from the root; without problems None means that there is none."""
    path = os.path.join(root, rel)
    if not os.path.lexists(path):
        return None, []
    if not is_inside(root, rel):
        message, hint = "is a link out of the project", "put the file itself there"
        return None, [Problem(rel, "", 0, "outside", message, hint)]
    source, problems = read_text(path, rel, MAX_BYTES)
    if source is None:
        return None, problems
    page = parse(source.text)
    if page.too_deep:
        message = f"is nested more than {MAX_DEPTH // 2} lists or quotes deep"
        return None, [Problem(rel, "", page.too_deep, "too-deep", message, "write it flatter")]
    return page, []


def _front(page: Page, rel: str) -> tuple[str, list[Problem]]:
    """The title in front matter."""
    from wsbuild.documents.yaml_text import read_yaml

    if not page.front.strip():
        return "", []
    build = Builder(rel)
    try:
        document = read_yaml(page.front, build)
    except RefusedError as error:
        line = error.line + 1 if error.line else 1
        return "", [Problem(rel, "", line, *error.refusal)]
    problems = [each._replace(line=each.line + 1) for each in build.problems]
    title = document.data.get("title") if isinstance(document.data, dict) else None
    return (title.strip() if isinstance(title, str) else ""), problems


def _headline(page: Page) -> str:
    """The first heading, where it says more than that this is a proposal."""
    first = next((block.plain() for block in page.blocks if block.kind == HEADING), "")
    return _TITLE.sub("", first, count=1).strip() if _is_top(page) else ""


def _is_top(page: Page) -> bool:
    return any(block.kind == HEADING and block.level == 1 for block in page.blocks[:1])


def _section(page: Page, name: re.Pattern[str]) -> tuple[Node, ...]:
    """What stands below the headings of that name."""
    found: list[Node] = []
    level = 0
    for block in page.blocks:
        if block.kind == HEADING and (not level or block.level <= level):
            level = block.level if name.fullmatch(block.plain().strip(":")) else 0
        elif level:
            found.append(block)
    return tuple(found)


def _spec_files(root: str, place: str) -> Iterator[tuple[str, str]]:
    """The capabilities that a change concerns, with their files."""
    top = os.path.join(root, place, "specs")
    for directory, names, files in os.walk(top):
        names.sort()
        if SPEC in files:
            capability = os.path.relpath(directory, top)
            yield capability, f"{place}/specs/{capability}/{SPEC}"


def _check(change: Change) -> list[Problem]:
    """What keeps a change from being work that somebody could do."""
    hint = "write what is to be done, or remove it"
    problems = [
        Problem(change.tasks_file, "", task.line, "empty-task", "a task says nothing", hint)
        for task in change.tasks.walk()
        if not task.text and not task.nested
    ]
    if not change.tasks.groups and not [one for one in change.requirements if one.kind != RENAMED]:
        message = "the change has neither tasks nor requirements"
        hint = f"write tasks into {change.tasks_file}, as `- [ ] 1.1 ...`"
        problems.append(Problem(change.place, "", 0, "nothing-to-do", message, hint))
    return problems


def read_change(root: str, name: str) -> tuple[Change, list[Problem]]:
    """The change `name`, which is there, and what is wrong with it."""
    place = f"{CHANGES}/{name}"
    proposal, problems = read_page(root, f"{place}/{PROPOSAL}")
    tasks, wrong = read_page(root, f"{place}/{TASKS}")
    problems += wrong
    design, wrong = read_page(root, f"{place}/{DESIGN}")
    problems += wrong
    title = ""
    if proposal:
        title, wrong = _front(proposal, f"{place}/{PROPOSAL}")
        title = title or _headline(proposal)
        problems += wrong
    requirements: list[Requirement] = []
    for capability, rel in _spec_files(root, place):
        page, wrong = read_page(root, rel)
        problems += wrong
        requirements += read_deltas(page, capability, rel) if page else []
    change = Change(
        id=name,
        place=place,
        title=title or " ".join(re.split(r"[-_.\s]+", name)).strip() or name,
        tasks_file=f"{place}/{TASKS}",
        tasks=task_list(tasks) if tasks else TaskList((), True),
        requirements=tuple(requirements),
        impact=_section(proposal, _IMPACT) if proposal else (),
        design=tuple(design.blocks) if design else (),
        decisions=_section(design, _DECISIONS) if design else (),
    )
    return change, problems or _check(change)


def warnings(change: Change) -> list[Problem]:
    """What OpenSpec, or wsbuild, will not do as its author may have meant it."""
    found = []
    if change.directory and change.tasks.groups and not change.tasks.boxed:
        message = "no task has a box: OpenSpec counts none of them, and none can be ticked"
        line = _first(change.tasks)
        found.append(Problem(change.tasks_file, "", line, "no-boxes", message, "write `- [ ] 1.1 ...`"))
    for lines, code, message, hint in (
        (
            change.tasks.loose,
            "no-box",
            "what has no box beside tasks that have one is no task, and left out",
            "give it a box, or indent it below a task",
        ),
        (
            change.tasks.missed,
            "not-an-item",
            "looks like a task, and is part of the words before it to Markdown",
            "write `- [ ] `, with an empty line above where it begins with a number",
        ),
    ):
        if lines:
            told = ", ".join(str(line) for line in lines[:5]) + (", ..." if len(lines) > 5 else "")
            found.append(Problem(change.tasks_file, "", lines[0], code, f"{message}: line {told}", hint))
    return found


def _first(tasks: TaskList) -> int:
    return next((task.line for task in tasks.walk()), 0)
