"""Writing down what became of findings, beside what is answered, which does not depend on it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from wsbuild.detectors.life import Judged, now, plan, record
from wsbuild.errors import StateError
from wsbuild.statedir import database_path
from wsbuild.store.db import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.detectors.engine import Report
    from wsbuild.detectors.project import Project


def keep(
    project: Project, selection: Mapping[str, Sequence[str]], report: Report, whole: bool
) -> tuple[bool, str]:
    """Write down a report on the files of each detector, `whole` if those are all. Gives whether a later run
    has to look again, and a warning ('' where all is well).
    """
    skipped = {one.id for one in report.detectors if one.status == "skipped"}
    failed = {(name, path) for name, path, _ in report.errors}
    judged = {
        name: [path for path in paths if (name, path) not in failed]
        for name, paths in selection.items()
        if name not in skipped and (name, "") not in failed
    }
    # Who has failed on some files says nothing about those that it was not asked about either.
    whole = whole and not failed
    path = database_path(project.root, project.environ)
    done = Judged(judged, whole)
    try:
        # Mostly there is nothing to write, and reading leaves no trace.
        with closing(open_store(path, readonly=True)) as store:
            if not any(store.read(lambda conn: plan(conn, done, report.findings))):
                return False, "\n".join(store.warnings)
        with closing(open_store(path)) as store, store.transaction() as conn:
            return record(conn, done, report.findings, now()), "\n".join(store.warnings)
    except StateError as error:
        return False, f"what became of findings is not kept: {error}"
