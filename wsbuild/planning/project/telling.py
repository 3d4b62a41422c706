"""Saying on GitHub what is to be said, one thing after the other, each noted when it is said."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.documents.document import RefusedError
from wsbuild.errors import UserError, WsbuildError
from wsbuild.planning.project import page as pages
from wsbuild.planning.project.github import Api, ApiError, LaterError, UnsureError, base_url, token_of
from wsbuild.planning.project.issues import Issues, mark, state_fields, ticked
from wsbuild.planning.project.standing import DONE, time_of
from wsbuild.planning.project.statuses import replace
from wsbuild.planning.project.sync import CREATED, LABEL, STATUS, TASKS, Known, Said, dues, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wsbuild.model import Workstream
    from wsbuild.planning.project.epics import Epic
    from wsbuild.planning.project.github import Call
    from wsbuild.planning.project.issues import Remote
    from wsbuild.planning.project.standing import Standing
    from wsbuild.planning.project.sync import Due, Dues, EpicDue, Target

LONGEST_REASON = 200
SKEW = timedelta(days=1)
"""By which the clocks here and there may differ."""

ENDED, LATER, FAILED = "ok", "later", "failed"


class Project(NamedTuple):
    """What a synchronization is about: `said` was said before; with `only` nothing is said of other
    workstreams.
    """

    root: str
    epics: Sequence[Epic]
    workstreams: Sequence[Workstream]
    standings: Mapping[str, Sequence[Standing]]
    said: Sequence[Said]
    only: frozenset[str] | None = None


class Log(NamedTuple):
    """Who records requests and what was said, and what takes secrets out of texts."""

    call: Callable[[Call], None]
    said: Callable[[Said], None]
    redact: Callable[[str], str]


class Told(NamedTuple):
    """One thing that was said, or could not be: `what` is `created`, `commented`, `ticked` or `failed`."""

    what: str
    about: str
    issue: int
    message: str = ""


class Report(NamedTuple):
    """What became of a synchronization: `ended` is `ok`, `later` (some of it is left, for the reason in
    `message`) or `failed`.
    """

    ended: str
    message: str
    rows: tuple[Told, ...]
    calls: int


def repository_of(settings: Mapping[str, Any]) -> str:
    """The repository that the settings name. Raises UserError."""
    name = str(settings["repository"] or "")
    if not re.fullmatch(r"(?!\.)[\w.-]+/(?!\.{1,2}$)[\w.-]+", name, re.ASCII):
        raise UserError(
            f"`github.repository` is {name!r}" if name else "`github.repository` names no repository",
            "write `github: {enabled: true, repository: owner/name}` into config/wsbuild.yaml",
        )
    return name


def pending(project: Project, repository: str) -> Dues:
    """What is to be said."""
    known = Known(repository, project.said)
    return dues(project.epics, project.workstreams, project.standings, known, project.only)


def _code(text: str) -> str:
    """A text from outside as code: nothing in it means anything to Markdown, and nobody is called by it."""
    line = " ".join(text.split()).replace("`", "'")
    return f"`{line[:LONGEST_REASON]}`" if line else ""


class _Teller:
    def __init__(
        self, project: Project, issues: Issues, known: Known, labels: Sequence[str], log: Log
    ) -> None:
        self._project = project
        self._issues = issues
        self._known = known
        self._labels = labels
        self._log = log
        self.rows: list[Told] = []

    def _note(self, what: str, key: str, value: str) -> None:
        said = Said(self._known.repository, what, key, value)
        self._log.said(said)
        self._known.add(said)

    def tell(self, what: Dues) -> None:
        """Say it all. What is wrong with one issue is no reason to say nothing of the others."""
        numbers: dict[str, int] = {}
        for due in what.tasks:
            self._try(due.target, partial(self._tell_task, due, numbers))
        for epic in what.epics:
            self._try(epic.target, partial(self._tell_epic, epic, numbers))

    def _try(self, target: Target, tell: Callable[[], None]) -> None:
        try:
            tell()
        except (LaterError, UnsureError):
            raise
        except ApiError as error:
            self.rows.append(Told(FAILED, target.key, target.number, error.message))

    def _number(self, target: Target) -> int:
        """The issue of a target, made where there is none; then its file says which."""
        if target.number:
            return target.number
        redact = self._log.redact
        issue = self._issues.create(redact(target.title), redact(target.body), target.mark, self._labels)
        self._note(CREATED, target.key, str(issue.number))
        self.rows.append(Told("created", target.key, issue.number, issue.url))
        try:
            self._keep_number(target, issue)
        except (RefusedError, WsbuildError, OSError) as error:
            file = target.page.file if target.page else ""
            self.rows.append(Told(FAILED, target.key, issue.number, f"{file}: {error}"))
        return issue.number

    def _keep_number(self, target: Target, issue: Remote) -> None:
        if target.page is None:
            return
        schema = "ccpm_epic" if target.key.startswith("epic ") else "ccpm_task"
        page, problems = pages.read(self._project.root, target.page.file, schema)
        if page is None:
            raise UserError(problems[0].message)
        by_number = "github" not in page.front.data and "github_issue" in page.front.data
        field = {"github_issue": str(issue.number)} if by_number else {"github": issue.url}
        new = pages.with_fields(page.raw, field)
        replace(self._project.root, page.file, page.raw, new)

    def _label(self, issue: Remote, word: str) -> None:
        if not word:
            return
        if not self._known.get(LABEL, word):
            self._issues.make_label(word)
            self._note(LABEL, word, word)
        self._issues.label(issue, word)

    def _tell_task(self, due: Due, numbers: dict[str, int]) -> None:
        target = due.target
        number = numbers[target.key] = self._number(target)
        if not due.statuses:
            return
        issue = self._issues.get(number)
        lines = [
            (self._line(ws_id, each), mark("status", ws_id, value_of(each))) for ws_id, each in due.statuses
        ]
        first = time_of(due.statuses[0][1].at)
        assert first is not None
        since = (first - SKEW).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._issues.comment(number, lines, since)
        self._label(issue, due.word)
        self._issues.update(issue, state_fields(issue, is_done=due.word == DONE))
        for ws_id, each in due.statuses:
            self._note(STATUS, f"{target.key} {ws_id}", value_of(each))
        self.rows.append(Told("commented", target.key, number, ", ".join(s.word for _, s in due.statuses)))

    def _line(self, ws_id: str, standing: Standing) -> str:
        reason = _code(self._log.redact(standing.reason))
        said = f"- `{ws_id}`: **{standing.word}** since {standing.at} (`{standing.run_id}`)"
        return f"{said}: {reason}" if reason else said

    def _tell_epic(self, due: EpicDue, numbers: Mapping[str, int]) -> None:
        number = self._number(due.target)
        issue = self._issues.get(number)
        rows = [
            (task.number or numbers.get(task.key, 0), self._log.redact(task.title), task.key in due.done)
            for task in due.tasks
        ]
        body = ticked(issue.body, [row for row in rows if row[0]])
        changed = {} if body == issue.body else {"body": body}
        self._label(issue, due.word)
        self._issues.update(issue, {**changed, **state_fields(issue, is_done=due.word == DONE)})
        if all(row[0] or row[2] or task.elsewhere for row, task in zip(rows, due.tasks, strict=True)):
            self._note(TASKS, due.target.key, due.digest)
        self.rows.append(
            Told("ticked", due.target.key, number, f"{len(due.done)} of {len(rows)} tasks are done")
        )


def synchronize(
    project: Project, settings: Mapping[str, Any], environ: Mapping[str, str], log: Log
) -> Report:
    """Say what is to be said, within the time that the `github` settings give. Raises UserError where they,
    the address or the token are wrong; for all else the report says what went wrong.
    """
    repository = repository_of(settings)
    what = pending(project, repository)
    calls = 0

    def record(call: Call) -> None:
        nonlocal calls
        calls += 1
        log.call(call)

    if not what.tasks and not what.epics:
        return Report(ENDED, "", (), 0)
    api = Api(base_url(environ), token_of(environ), float(settings["timeout_sec"]), record)
    known = Known(repository, project.said)
    teller = _Teller(project, Issues(api, repository), known, settings["labels"], log)
    ended, message = ENDED, ""
    try:
        teller.tell(what)
    except LaterError as error:
        ended, message = LATER, error.message
    except ApiError as error:
        ended, message = FAILED, error.message
    except WsbuildError as error:
        ended, message = FAILED, str(error)
    failed = [row for row in teller.rows if row.what == FAILED]
    if failed and ended == ENDED:
        ended, message = FAILED, "; ".join(f"{row.about}: {row.message}" for row in failed[:3])
    rows = tuple(row._replace(message=log.redact(row.message)) for row in teller.rows)
    return Report(ended, log.redact(message), rows, calls)
