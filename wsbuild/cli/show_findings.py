"""What detectors have found, in the form that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsbuild.cli.text import json_text
from wsbuild.detectors.engine import SKIPPED, Report

if TYPE_CHECKING:
    from wsbuild.detectors.finding import Finding


FORMATS = ("text", "json", "sarif", "junit", "github")


def render(report: Report, form: str, show_all: bool = False) -> str:
    """A report in one of FORMATS, or as `stat`; `show_all` leaves out nothing of a text."""
    if form == "json":
        return as_json(report)
    if form == "sarif":
        from wsbuild.reports.sarif import as_sarif

        return as_sarif(report)
    if form == "junit":
        from wsbuild.reports.junit import as_junit

        return as_junit(report)
    from wsbuild.reports.findings import as_github, as_stat, as_text

    if form == "text":
        return as_text(report, show_all)
    return as_github(report) if form == "github" else as_stat(report)


def as_json(report: Report) -> str:
    """As `wsbuild/detect/1`."""
    told = report.detectors
    data = {
        "counts": {
            "files": report.files,
            "findings": len(report.findings),
            "suppressed": len(report.suppressed),
            "baseline": report.baseline,
            "fixed": len({path for _, path in report.fixed}),
            "tool_calls": sum(one.calls for one in told),
            "from_cache": sum(one.cached for one in told),
            "skipped_detectors": sum(one.status == SKIPPED for one in told),
        },
        "detectors": [
            {"id": one.id, "status": one.status, "reason": one.reason, "version": one.version} for one in told
        ],
        "findings": [_fields(finding) for finding in report.findings],
        "suppressed": [_fields(finding) for finding in report.suppressed],
        "fixed": [{"detector": name, "path": path} for name, path in report.fixed],
        "errors": [{"detector": name, "path": path, "message": why} for name, path, why in report.errors],
    }
    return json_text("detect", data)


def _fields(finding: Finding) -> dict[str, Any]:
    fields = finding._asdict()
    del fields["suppressed"]
    return fields
