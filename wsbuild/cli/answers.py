"""What is asked of `wsbuild detect`, and what it answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from wsbuild.detectors.engine import Report
    from wsbuild.detectors.project import Project


class Request(NamedTuple):
    """What is to be judged, and how it is told: `paths` are seen from the root of the project; without
    `jobs` there are as many as processors. With `new_only` what is in the baseline does not count;
    `baseline` writes it. `which` is `staged`, `changed` (after the revision `since`) or '' (all files).
    With `strict` a detector that is skipped has failed.
    """

    paths: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    jobs: int = 0
    form: str = "text"
    fix: bool = False
    show_all: bool = False
    new_only: bool = False
    baseline: bool = False
    which: str = ""
    since: str = ""
    strict: bool = False


class Answer(NamedTuple):
    """What the command ends with, and what it prints."""

    code: int
    out: str
    err: str = ""


NOTHING_STAGED = Answer(EXIT_OK, "nothing is staged that is to be judged\n")


def import_rest() -> None:
    """Import what is only needed for the answer: it takes a while, and so do tools."""
    import wsbuild.cli.show_findings
    import wsbuild.detectors.keeping
    import wsbuild.reports.findings  # noqa: F401


def answer(request: Request, report: Report, project: Project) -> Answer:
    """What to end with, and what to print."""
    from wsbuild.cli.show_findings import render
    from wsbuild.detectors.engine import SKIPPED

    warning = project.verdicts.warning
    if request.new_only:
        from wsbuild.detectors import baseline

        project.watch.note(os.path.join(project.root, baseline.FILE))
        old = baseline.load(project.root)
        new = [one for one in report.findings if one.fingerprint not in old]
        report = report._replace(findings=new, baseline=len(report.findings) - len(new))
    lacking = request.strict and any(one.status == SKIPPED for one in report.detectors)
    code = EXIT_FAILED if report.findings or report.errors or lacking else EXIT_OK
    out = render(report, request.form, request.show_all)
    return Answer(code, out, f"wsbuild: {warning}\n" if warning else "")
