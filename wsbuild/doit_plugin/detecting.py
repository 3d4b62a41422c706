"""`detect` and `detect:<id>` as doit tasks: detectors over the whole project, all in one go."""

from __future__ import annotations

import os
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from wsbuild.actions.tally import EXECUTED, FAILED, SKIPPED, UP_TO_DATE, StepReport
from wsbuild.detectors import baseline, engine
from wsbuild.detectors.keeping import keep
from wsbuild.detectors.project import Project, choose
from wsbuild.detectors.selection import select
from wsbuild.detectors.settings import load
from wsbuild.reports.findings import as_text
from wsbuild.statedir import make_database_room
from wsbuild.tasks import DETECT, DetectorTask, detect_task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.actions.session import Session
    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.engine import Report
    from wsbuild.detectors.selection import Selection
    from wsbuild.tasks import WorkTask


class Detecting:
    """The detectors that words name, over the project of a session."""

    def __init__(self, session: Session, words: Iterable[str]) -> None:
        self._session = session
        self._lock = Lock()
        self._judged: Report | None = None
        only = [word.partition(":")[2] for word in words]
        self._chosen = self._choose([] if "" in only else only)

    def _choose(self, only: list[str]) -> list[Detector]:
        settings, detectors = load(self._session.root, self._session.root)
        return choose(detectors, only, settings.detectors)

    def tasks(self) -> list[WorkTask]:
        """A task for each, behind that of all."""
        members = [
            DetectorTask(f"{DETECT}:{one.id}", one.manifest.name, one.id, self.perform)
            for one in self._chosen
        ]
        return [detect_task([task.name for task in members]), *members]

    @cached_property
    def _project(self) -> Project:
        session = self._session
        if session.writing:
            make_database_room(session.root, session.environ)
        ignore = session.plan.config.ignore
        return Project(
            session.root, session.root, session.environ, ignore, session.redactor, writing=session.writing
        )

    @cached_property
    def _selection(self) -> Selection:
        project = self._project
        return select(self._chosen, project.root, project.listing.files(), project.watch.lstat_file)

    @cached_property
    def _known(self) -> Report:
        """What was known before anything was judged."""
        return self._new(self._project.engine.ask(self._chosen, self._selection))

    def _new(self, report: Report) -> Report:
        """A report without what is in the baseline, where there is one."""
        if not os.path.exists(os.path.join(self._session.root, baseline.FILE)):
            return report
        old = baseline.load(self._session.root)
        new = [one for one in report.findings if one.fingerprint not in old]
        return report._replace(findings=new, baseline=len(report.findings) - len(new))

    def reasons(self, name: str) -> list[str]:
        """Why a detector has something to do, or to say; empty where all is judged and nothing was found."""
        with self._lock:
            return _reasons(_only(self._known, name))

    def perform(self, name: str) -> str:
        """Judge what is not judged yet, of all detectors at the first call; gives why one fails, empty when
        it does not.
        """
        with self._lock:
            before = _reasons(_only(self._known, name))
            if self._judged is None:
                report = self._project.engine.detect(self._chosen, self._selection)
                _, warning = keep(self._project, self._selection.chosen, report, whole=True)
                self._session.warn(warning or self._project.verdicts.warning)
                self._judged = self._new(report)
            found = _only(self._judged, name)
        [told] = found.detectors
        failed = bool(found.findings or found.errors)
        status = SKIPPED if told.status == engine.SKIPPED else FAILED if failed else EXECUTED
        text = as_text(found).splitlines()
        reason = told.reason if status == SKIPPED else text[-1] if failed else before[0] if before else ""
        details = tuple(text[:-1]) if failed else ()
        self._session.tally.add(StepReport(f"{DETECT}:{name}", status, reason, details=details))
        return reason if failed else ""

    def up_to_date(self, name: str) -> None:
        """Note a detector that had nothing to do."""
        self._session.tally.add(StepReport(f"{DETECT}:{name}", UP_TO_DATE))

    def close(self) -> None:
        """Let go of what is remembered."""
        if "_project" in self.__dict__:
            self._project.verdicts.close()


def _only(report: Report, name: str) -> Report:
    """What a report says of one detector."""
    return report._replace(
        detectors=[one for one in report.detectors if one.id == name],
        findings=[one for one in report.findings if one.detector == name],
        suppressed=[one for one in report.suppressed if one.detector == name],
        errors=[one for one in report.errors if one[0] == name],
        baseline=0,
    )


def _reasons(report: Report) -> list[str]:
    [told] = report.detectors
    if told.status == engine.SKIPPED:
        return [told.reason]
    missing = told.files - told.cached
    found = len(report.findings)
    reasons = [f"{missing} of {told.files} files to be judged"] if missing else []
    reasons += [f"{found} finding{'' if found == 1 else 's'}"] if found else []
    return reasons + [why for _, _, why in report.errors]
