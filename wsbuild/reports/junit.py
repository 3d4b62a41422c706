"""What detectors have found as JUnit XML, in the form that Jenkins and GitLab read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from wsbuild.detectors.engine import SKIPPED

if TYPE_CHECKING:
    from wsbuild.detectors.engine import Report, Told
    from wsbuild.detectors.finding import Finding

# What XML 1.0 has no way to say, not even escaped.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report) -> str:
    """A suite for each detector, a case for each file with findings, or one for all where there is none:
    thousands of files that are well would hide the few that are not.
    """
    suites = "".join(_suite(told, report) for told in report.detectors)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="wsbuild detect">\n{suites}</testsuites>\n'
    )


def _suite(told: Told, report: Report) -> str:
    by_path: dict[str, list[Finding]] = {}
    for one in report.findings:
        if one.detector == told.id:
            by_path.setdefault(one.path, []).append(one)
    errors = [(path, why) for name, path, why in report.errors if name == told.id]
    cases = [_case(told.id, path, _failure(found)) for path, found in by_path.items()]
    cases += [_case(told.id, path or told.id, f"<error message={_quoted(why)}/>") for path, why in errors]
    skipped = told.status == SKIPPED
    if not cases:
        inner = f"<skipped message={_quoted(told.reason)}/>" if skipped else ""
        cases.append(_case(told.id, f"{told.files} files", inner))
    counts = f'tests="{len(cases)}" failures="{len(by_path)}" errors="{len(errors)}" skipped="{int(skipped)}"'
    return f"<testsuite name={_quoted(told.id)} {counts}>\n{''.join(cases)}</testsuite>\n"


def _case(detector: str, name: str, inner: str) -> str:
    return f"<testcase classname={_quoted(detector)} name={_quoted(name)}>{inner}</testcase>\n"


def _failure(found: list[Finding]) -> str:
    lines = (
        f"{one.path}:{one.line}:{one.column}: {one.severity}: {one.message} [{one.code}]" for one in found
    )
    first = f"{len(found)} found, the first: {found[0].message}"
    text = escape(_safe("\n".join(lines)))
    return f"<failure type={_quoted(found[0].code)} message={_quoted(first)}>{text}</failure>"


def _quoted(text: str) -> str:
    return quoteattr(_safe(text))


def _safe(text: str) -> str:
    return _UNSPEAKABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
