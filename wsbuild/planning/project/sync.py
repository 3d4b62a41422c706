"""What has to be said on GitHub: from how workstreams stand, and from what was said already."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.planning.project.issues import mark
from wsbuild.planning.project.standing import BLOCKED, DONE, FAILED, IN_PROGRESS
from wsbuild.planning.project.statuses import owner, owners

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.model import Workstream
    from wsbuild.planning.project.epics import Epic, Issue
    from wsbuild.planning.project.page import Page
    from wsbuild.planning.project.standing import Standing

CREATED, STATUS, TASKS, LABEL = "created", "status", "tasks", "label"
"""What can have been said: an issue was made, a status told, the tasks of an epic ticked, a label made."""

_ISSUE = re.compile(r"#?([1-9][0-9]{0,17})|https?://[^/\s]+/([\w.-]+/[\w.-]+)/issues/([1-9][0-9]{0,17})")
_WORST = (FAILED, BLOCKED, IN_PROGRESS, DONE)


class Said(NamedTuple):
    """Something that was said in a repository: `what` is one of CREATED, STATUS, TASKS and LABEL, `key` what
    it is about, `value` the number of the issue, the status and its time, a digest of the list.
    """

    repository: str
    what: str
    key: str
    value: str


class Target(NamedTuple):
    """An issue, or one to be: `number` is 0 where none is known. `workstreams` are those that it is about,
    `page` the file that is to name it, `body` what it says when it is made.
    """

    key: str
    title: str
    number: int
    workstreams: tuple[str, ...]
    page: Page | None = None
    body: str = ""
    is_done: bool = False
    """Whether its file says so."""
    elsewhere: bool = False
    """Whether its file names an issue of another repository: then nothing is said of it."""

    @property
    def mark(self) -> str:
        """By which its issue is found."""
        return mark("issue", self.key)


class Due(NamedTuple):
    """What is to be said of a target: the statuses by workstream, and the one for its label ('' for none)."""

    target: Target
    statuses: tuple[tuple[str, Standing], ...]
    word: str


class EpicDue(NamedTuple):
    """The issue of an epic, and those of its tasks; `digest` is of what its list is to be."""

    target: Target
    tasks: tuple[Target, ...]
    done: frozenset[str]
    """The keys of the tasks that are done."""
    word: str
    digest: str


class Dues(NamedTuple):
    """All that is to be said, in this order."""

    tasks: tuple[Due, ...]
    epics: tuple[EpicDue, ...]


class Known:
    """What was said in one repository."""

    def __init__(self, repository: str, said: Iterable[Said]) -> None:
        self._said: dict[tuple[str, str], str] = {}
        for each in said:
            if each.repository.casefold() == repository.casefold():
                self.add(each)
        self.repository = repository

    def add(self, said: Said) -> None:
        """Something more was said; of statuses the last counts."""
        self._said[said.what, said.key] = said.value

    def get(self, what: str, key: str) -> str:
        """What was said of it, '' for nothing."""
        return self._said.get((what, key), "")

    def is_elsewhere(self, issue: Issue | None) -> bool:
        """Whether an issue is one of another repository."""
        return issue is not None and issue.repository.casefold() not in {"", self.repository.casefold()}

    def number(self, issue: Issue | None, key: str) -> int:
        """The issue that a file names, if it is of this repository, or that was made for it; else 0."""
        if issue is not None and not self.is_elsewhere(issue):
            return issue.number
        made = self.get(CREATED, key)
        return int(made) if made.isdecimal() else 0


def _number_of(ws: Workstream, repository: str) -> int:
    """The issue that a bundle names, if it is one of the repository."""
    found = _ISSUE.fullmatch(ws.ccpm_issue.strip())
    if found is None or (found[2] or repository).casefold() != repository.casefold():
        return 0
    return int(found[1] or found[3])


def _word(standings: Mapping[str, Sequence[Standing]], ws_ids: Iterable[str]) -> str:
    """The one word for several workstreams: DONE where all are, else the worst; '' where nothing is known."""
    words = [standings[ws_id][-1].word if ws_id in standings else "" for ws_id in ws_ids]
    known = [word for word in _WORST if word in words]
    if known and known[0] == DONE and "" in words:
        return IN_PROGRESS
    return known[0] if known else ""


def value_of(standing: Standing) -> str:
    """What is noted of a status that was told."""
    return f"{standing.at} {standing.word}"


def _unsaid(
    target: Target, standings: Mapping[str, Sequence[Standing]], known: Known
) -> tuple[tuple[str, Standing], ...]:
    """What was not told of the workstreams of a target: of one that nothing was told of only the last."""
    found: list[tuple[str, Standing]] = []
    for ws_id in target.workstreams:
        last = known.get(STATUS, f"{target.key} {ws_id}")
        stood = list(standings.get(ws_id, ()))
        told = [at for at, each in enumerate(stood) if value_of(each) == last]
        later = stood[told[-1] + 1 :] if told else [each for each in stood if each.at > last[: len(each.at)]]
        found += [(ws_id, each) for each in (later if last else later[-1:])]
    return tuple(sorted(found, key=lambda row: (row[1].at, row[0])))


def _epic_targets(epic: Epic, owned: Mapping[str, str], known: Known) -> tuple[Target, list[Target]]:
    tasks = []
    for task in epic.tasks:
        ws_id, body = owner(epic, task, owned), task.page.body.strip()
        key, elsewhere = f"task {ws_id}", known.is_elsewhere(task.issue)
        number = known.number(task.issue, key)
        tasks.append(Target(key, task.title, number, (ws_id,), task.page, body, task.is_done, elsewhere))
    key, elsewhere = f"epic {epic.place.folder}", known.is_elsewhere(epic.issue)
    ids = tuple(ws_id for target in tasks for ws_id in target.workstreams)
    body, number = epic.page.body.strip(), known.number(epic.issue, key)
    return Target(key, epic.title, number, ids, epic.page, body, elsewhere=elsewhere), tasks


def _digest(data: Any) -> str:
    return sha256_text(json.dumps(data, sort_keys=True))[:16]


def _epic_due(
    target: Target, tasks: Sequence[Target], standings: Mapping[str, Sequence[Standing]], known: Known
) -> EpicDue | None:
    """What is to be said of an epic; None where it was."""
    done = frozenset(
        task.key
        for task in tasks
        if (_word(standings, task.workstreams) or (DONE if task.is_done else "")) == DONE
    )
    words = [_word(standings, task.workstreams) or (DONE if task.is_done else "") for task in tasks]
    worst = next((word for word in _WORST if word in words), "")
    word = DONE if tasks and len(done) == len(tasks) else IN_PROGRESS if worst == DONE else worst
    digest = _digest([word, [(task.key, task.title, task.key in done) for task in tasks]])
    if target.number and known.get(TASKS, target.key) == digest:
        return None
    return EpicDue(target, tuple(tasks), done, word, digest)


def dues(
    epics: Sequence[Epic],
    workstreams: Sequence[Workstream],
    standings: Mapping[str, Sequence[Standing]],
    known: Known,
    only: frozenset[str] | None = None,
) -> Dues:
    """What is to be said: of each task of an epic, each epic, and each issue that a bundle names. With `only`
    nothing is said of what none of these workstreams is part of.
    """
    owned = owners(workstreams)
    targets: list[Target] = []
    whole: list[EpicDue] = []
    for epic in epics:
        target, tasks = _epic_targets(epic, owned, known)
        targets += tasks
        if not target.elsewhere and (only is None or only.intersection(target.workstreams)):
            epic_due = _epic_due(target, tasks, standings, known)
            whole += [epic_due] if epic_due else []
    of_epics = {ws_id for target in targets for ws_id in target.workstreams}
    named: dict[int, list[Workstream]] = {}
    for ws in workstreams:
        number = _number_of(ws, known.repository)
        if number and ws.id not in of_epics:
            named.setdefault(number, []).append(ws)
    targets += [
        Target(f"issue {number}", rows[0].id, number, tuple(ws.id for ws in rows))
        for number, rows in named.items()
    ]
    found = []
    for target in targets:
        if target.elsewhere or (only is not None and not only.intersection(target.workstreams)):
            continue
        due = Due(target, _unsaid(target, standings, known), _word(standings, target.workstreams))
        if due.statuses or (not target.number and not target.is_done):
            found.append(due)
    return Dues(tuple(found), tuple(whole))
