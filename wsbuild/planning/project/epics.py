"""Epics and their tasks, as they are on the disk: in the layout of CCPM, or in that of `pm/workspace`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.documents.document import RefusedError
from wsbuild.documents.read import read_bytes
from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.paths import is_inside, is_within
from wsbuild.planning.project.page import MAX_BYTES, Page, read
from wsbuild.planning.project.sections import Named, Sections, read_sections

if TYPE_CHECKING:
    from collections.abc import Sequence

EPIC = "epic.md"
SIDECAR = ".metadata.yaml"


class Layout(NamedTuple):
    """A way to lay epics out: the directory that holds them, where in an epic its tasks are, what their files
    are called, and the words for statuses.
    """

    name: str
    place: str
    tasks: str
    task_file: re.Pattern[str]
    numbered: str
    open: str
    done: str
    epic_done: str


CLAUDE = Layout(
    "claude", ".claude/epics", "", re.compile(r"[0-9]+\.md"), "{:03d}.md", "open", "closed", "completed"
)
WORKSPACE = Layout(
    *("workspace", "pm/workspace/epics", "tasks/", re.compile(r"task-[\w-]+\.md"), "task-{:02d}.md"),
    *("planned", "completed", "completed"),
)
LAYOUTS = (CLAUDE, WORKSPACE)

DONE = frozenset({"closed", "completed", "complete", "done", "archived", "implemented"})
_ISSUE = re.compile(r"(?:https?://[^/\s]+/([\w.-]+/[\w.-]+)/issues/|#)?([1-9][0-9]{0,17})")
_REF = re.compile(r"#?(?:task-)?0*([0-9]+)(?:\.md)?")


class Place(NamedTuple):
    """Where an epic is: `folder` is its directory, from the root."""

    layout: Layout
    name: str

    @property
    def folder(self) -> str:
        """The directory, from the root."""
        return f"{self.layout.place}/{self.name}"

    @property
    def epic_file(self) -> str:
        """The file of the epic itself."""
        return f"{self.folder}/{EPIC}"

    @property
    def sidecar(self) -> str:
        """What `pm/workspace` keeps beside it."""
        return f"{self.folder}/{SIDECAR}"

    def task_file(self, name: str) -> str:
        """The file of a task."""
        return f"{self.folder}/{self.layout.tasks}{name}"


class Issue(NamedTuple):
    """An issue: `repository` is `owner/name`, '' where only the number is told."""

    repository: str
    number: int


class Ref(NamedTuple):
    """Another task that one names; `key` is the same for `001`, `1`, `task-01` and `1.md`."""

    key: str
    word: str


class Task(NamedTuple):
    """A task: `id` is the name of its file without ending."""

    id: str
    page: Page
    title: str
    status: str
    issue: Issue | None
    depends_on: tuple[Ref, ...]
    conflicts_with: tuple[Ref, ...]
    scope: tuple[Named, ...]
    create: tuple[Named, ...]
    sections: Sections

    @property
    def file(self) -> str:
        """Its path from the root."""
        return self.page.file

    @property
    def key(self) -> str:
        """What others name it by."""
        return key_of(self.id)

    @property
    def is_done(self) -> bool:
        """Whether its status says that nothing is left to do."""
        return self.status in DONE


class Epic(NamedTuple):
    """An epic and its tasks, by number."""

    place: Place
    page: Page
    title: str
    status: str
    issue: Issue | None
    tasks: tuple[Task, ...]
    sidecar: bytes = b""


def key_of(word: object) -> str:
    """What a task is known by, however it is written."""
    found = _REF.fullmatch(str(word).strip())
    return found[1] if found else str(word).strip().casefold()


def issue_of(value: object) -> Issue | None:
    """The issue that a field names; None for a note that there is none yet."""
    found = None if isinstance(value, bool) else _ISSUE.fullmatch(str(value).strip())
    return Issue(found[1] or "", int(found[2])) if found else None


def place_of(file: str) -> tuple[Place, str] | None:
    """The epic that a file belongs to, and the name of the file in it (`epic.md`, `001.md`); None where it
    is no file of an epic.
    """
    for layout in LAYOUTS:
        rest = file.removeprefix(f"{layout.place}/")
        name, slash, inner = rest.partition("/")
        if rest == file or not slash or name in {"", ".", ".."}:
            continue
        task = inner.removeprefix(layout.tasks)
        if inner == EPIC or (inner == SIDECAR and layout is WORKSPACE):
            return Place(layout, name), inner
        if inner.startswith(layout.tasks) and layout.task_file.fullmatch(task):
            return Place(layout, name), task
    return None


def _is_there(root: str, file: str) -> bool:
    return os.path.lexists(os.path.join(root, file))


def find(root: str) -> list[Place]:
    """The epics that there are, by layout and name."""
    found = []
    for layout in LAYOUTS:
        try:
            names = sorted(os.listdir(os.path.join(root, layout.place)))
        except OSError:
            continue
        places = [Place(layout, name) for name in names if name[0] != "."]
        found += [each for each in places if is_within(each.epic_file) and _is_there(root, each.epic_file)]
    return found


def choose(root: str, names: Sequence[str]) -> list[Place]:
    """The epics that are called so; all where no name is given. Raises UserError."""
    places = find(root)
    looked = " nor in ".join(layout.place for layout in LAYOUTS)
    if not places:
        raise UserError(f"there is no epic in {looked}", f"an epic is a directory with a file {EPIC}")
    wanted = [name.rstrip("/").rpartition("/")[2] for name in names]
    for name in wanted:
        if all(each.name != name for each in places):
            known = ", ".join(each.name for each in places[:10])
            raise UserError(f"{name} is no epic in {looked}", f"there are: {known}")
    return [each for each in places if not names or each.name in wanted]


def _words(value: Any) -> list[str]:
    """A list, or one text with commas; notes in the place of words are none."""
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, list):
        value = [] if value is None else str(value).strip("[]").split(",")
    return [str(each).strip() for each in value if str(each).strip()]


def _refs(page: Page, *names: str) -> tuple[Ref, ...]:
    words = [word for word in _words(page.get(*names)) if word.casefold() not in {"none", "null", "n/a", "-"}]
    return tuple(Ref(key_of(word), word) for word in words)


def _files(page: Page, *names: str) -> list[Named]:
    """The files that some fields of the front matter name."""
    found = []
    for name in names:
        value = page.front.data.get(name)
        for at, word in enumerate(_words(value)):
            inner = word.replace("~", "~0").replace("/", "~1") if isinstance(value, dict) else str(at)
            found.append(Named(word, page.front.line(f"/{name}/{inner}")))
    return found


def _task(page: Page, task_id: str) -> Task:
    sections = read_sections(page)
    scope = _files(page, "files_scope", "file_scope", "files_to_modify") or list(sections.scope)
    create = _files(page, "files_create", "files_to_create") or list(sections.create)
    listed = {one.path for one in scope}
    return Task(
        task_id,
        page,
        page.text("name", "title") or task_id,
        page.text("status").casefold(),
        issue_of(page.get("github", "github_issue")),
        _refs(page, "depends_on", "dependencies"),
        _refs(page, "conflicts_with"),
        tuple(scope),
        tuple(one for one in create if one.path not in listed),
        sections,
    )


def _check_names(tasks: Sequence[Task]) -> list[Problem]:
    """Tasks that cannot be told apart, and what they name that is not there."""
    problems = []
    first: dict[str, Task] = {}
    for task in tasks:
        other = first.setdefault(task.key, task)
        if other is not task:
            message = f"has the same number as {other.file}"
            problems.append(task.page.problem("duplicate-task", message, "rename one"))
    fields = (("depends_on", "dependencies"), ("conflicts_with",))
    for task in tasks:
        for names, refs in zip(fields, (task.depends_on, task.conflicts_with), strict=True):
            for ref in refs:
                if ref.key not in first or ref.key == task.key:
                    why = "is the task itself" if ref.key == task.key else "is no task of this epic"
                    known = ", ".join(each.id for each in first.values())
                    message, hint = f"{ref.word} {why}", f"its tasks: {known}"
                    problems.append(task.page.problem("unknown-task", message, hint, *names))
    return problems


def _task_names(root: str, place: Place) -> tuple[list[str], list[Problem]]:
    folder = f"{place.folder}/{place.layout.tasks}".rstrip("/")
    try:
        names = os.listdir(os.path.join(root, folder))
    except FileNotFoundError:
        names = []
    except OSError as error:
        return [], [Problem(folder, "", 0, "unreadable", f"cannot be read: {str(error.strerror).lower()}")]
    found = [name for name in names if place.layout.task_file.fullmatch(name)]
    return sorted(found, key=lambda name: (len(key_of(name)), key_of(name), name)), []


def _sidecar(root: str, place: Place) -> tuple[bytes, list[Problem]]:
    if place.layout is not WORKSPACE or not _is_there(root, place.sidecar):
        return b"", []
    try:
        if not is_inside(root, place.sidecar):
            raise RefusedError("outside", "leads out of the project, by a link")
        return read_bytes(os.path.join(root, place.sidecar), MAX_BYTES), []
    except RefusedError as error:
        return b"", [Problem(place.sidecar, "", 0, *error.refusal)]


def read_epic(root: str, place: Place) -> tuple[Epic | None, list[Problem]]:
    """The epic at a place, and all that is wrong with its files; then it may lack tasks."""
    page, problems = read(root, place.epic_file, "ccpm_epic")
    names, wrong = _task_names(root, place)
    sidecar, unread = _sidecar(root, place)
    problems += [*wrong, *unread]
    tasks = []
    for name in names:
        task, wrong = read(root, place.task_file(name), "ccpm_task")
        problems += wrong
        if task is not None:
            tasks.append(_task(task, name.removesuffix(".md")))
    if not problems:
        problems = _check_names(tasks)
    if page is None:
        return None, problems
    title = page.text("name", "title") or place.name
    issue = issue_of(page.get("github", "github_issue"))
    return Epic(place, page, title, page.text("status").casefold(), issue, tuple(tasks), sidecar), problems


def read_epics(root: str, places: Sequence[Place]) -> tuple[list[Epic], list[Problem]]:
    """All of some epics, and all that is wrong with them."""
    found, problems = [], []
    for place in places:
        epic, wrong = read_epic(root, place)
        problems += wrong
        found += [epic] if epic else []
    return found, problems
