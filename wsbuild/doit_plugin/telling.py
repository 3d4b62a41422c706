"""Saying on GitHub how workstreams stand: of a whole project, or at the end of a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wsbuild import bundle
from wsbuild.actions.outside import Outside
from wsbuild.errors import WsbuildError
from wsbuild.planning.project.epics import find, read_epics
from wsbuild.planning.project.standing import standings
from wsbuild.planning.project.sync import STATUS, Known, Said, dues
from wsbuild.planning.project.telling import FAILED, Log, Project, Report, Told, repository_of, synchronize
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from wsbuild.actions.session import Session
    from wsbuild.planning.project.github import Call


class Telling:
    """What is to be said of the project of a session, and saying it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._outside = Outside(session)

    def _project(self, only: frozenset[str] | None) -> Project:
        """Raises ProblemsError."""
        session = self._session
        epics, problems = read_epics(session.root, find(session.root))
        if problems:
            raise ProblemsError(problems)
        declared = bundle.load(session.root, session.environ)
        stood = standings(self._outside.moves())
        said = [Said(*(str(row.get(name, "")) for name in Said._fields)) for row in self._outside.said()]
        return Project(session.root, epics, declared.workstreams, stood, said, only)

    def pending(self) -> list[Told]:
        """What would be said; nobody is asked. Raises ProblemsError, UserError."""
        project = self._project(None)
        known = Known(repository_of(self._session.plan.config.github), project.said)
        found = dues(project.epics, project.workstreams, project.standings, known)
        targets = [*(due.target for due in found.tasks), *(epic.target for epic in found.epics)]
        rows = [Told("new", one.key, 0, one.title) for one in targets if not one.number]
        for due in found.tasks:
            if due.statuses:
                said = ", ".join(f"{ws_id} {each.word}" for ws_id, each in due.statuses)
                rows.append(Told("comment", due.target.key, due.target.number, said))
        rows += [Told("tick", epic.target.key, epic.target.number, epic.word) for epic in found.epics]
        return rows

    def tell(self, run_id: str = "") -> Report:
        """Say it; after a run, only what has changed in that. How it ended is recorded.

        Raises WsbuildError.
        """
        settings = self._session.plan.config.github
        try:
            only = self._outside.changed_in(run_id) if run_id else None
            if only is not None and not only:
                return Report("ok", "", (), 0)
            log = Log(self._note_call, self._note_said, self._session.redacted)
            report = synchronize(self._project(only), settings, self._session.environ, log)
        except WsbuildError as error:
            self._note_end(Report(FAILED, str(error), (), 0))
            raise
        if report.calls or report.message:
            self._note_end(report)
        return report

    def _note_call(self, call: Call) -> None:
        self._outside.note_call(call._asdict())

    def _note_said(self, said: Said) -> None:
        ws_id = said.key.rpartition(" ")[2] if said.what == STATUS or said.key.startswith("task ") else ""
        self._outside.note_said(ws_id, said._asdict())

    def _note_end(self, report: Report) -> None:
        rows = {"ended": report.ended, "message": report.message, "calls": report.calls}
        self._outside.note_end(rows)

    def close(self) -> None:
        """Let go of the database."""
        self._outside.close()


def tell_of_run(session: Session, run_id: str) -> None:
    """Say what a run has changed. What goes wrong is one line of warning, and no failure of the run."""
    telling = Telling(session)
    try:
        report = telling.tell(run_id)
        message = report.message
    except Exception as error:  # noqa: BLE001 - the run is over and recorded: nothing may spoil that
        message = str(error)
    finally:
        telling.close()
    if message:
        line = " ".join(session.redacted(message).split())
        sys.stderr.write(f"wsbuild: GitHub was not told everything: {line}\n")
