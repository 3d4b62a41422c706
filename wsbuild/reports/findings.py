"""What detectors have found, as text: for a person, as a table of counts, and as annotations of GitHub.

Part of the hot path: imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.detectors.engine import ERROR, SKIPPED
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.detectors.engine import Report
    from wsbuild.detectors.finding import Finding

MOST_EQUAL = 10
"""Findings of one detector with one code that are shown of a file, unless all are asked for."""


def as_text(report: Report, show_all: bool = False) -> str:
    """By file, for a person; then how to have it mended, what could not be judged, and the counts."""
    lines: list[str] = []
    by_path: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_path.setdefault(finding.path, []).append(finding)
    for path, findings in by_path.items():
        lines += (path, *_of_file(findings, show_all))
    mendable = {one.detector for one in report.findings if one.category != "syntax"}
    options = "".join(f" -d {one.id}" for one in report.detectors if one.fixable and one.id in mendable)
    if options:
        lines.append(f"help      wsbuild detect --fix{options}")
    lines += [f"fixed     {name}: {path}" for name, path in report.fixed]
    return "".join(f"{_one_line(line)}\n" for line in (*lines, *_troubles(report), summary(report)))


def _of_file(findings: list[Finding], show_all: bool) -> Iterator[str]:
    shown: dict[tuple[str, str], int] = {}
    for one in findings:
        kind = one.detector, one.code
        shown[kind] = shown.get(kind, 0) + 1
        if show_all or shown[kind] <= MOST_EQUAL:
            where = f"{one.line}:{one.column}" if one.line else "-"
            message, *more = one.message.splitlines() or [""]
            said = f"{message} ..." if more else message
            yield f"  {where:<9} {one.severity:<8} {said}  [{one.detector} {one.code}]"
    for (detector, code), count in shown.items():
        if not show_all and count > MOST_EQUAL:
            yield f"  and {count - MOST_EQUAL} more like this  [{detector} {code}]  (--all shows them)"


def _troubles(report: Report) -> Iterator[str]:
    for name, why, paths in _alike(report):
        what = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
        yield f"ERROR     {name}: {f'{what} could not be judged: ' if paths[0] else ''}{why}"
    for told in report.detectors:
        if told.status == SKIPPED:
            yield f"skipped   {told.id}: {told.reason}"


def _alike(report: Report) -> list[tuple[str, str, list[str]]]:
    """What could not be judged: by whom, why, and all the files of which that is true."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, path, why in report.errors:
        found.setdefault((name, why), []).append(path)
    return [(name, why, paths) for (name, why), paths in found.items()]


def summary(report: Report) -> str:
    """The counts, in a line."""
    paths = len({one.path for one in report.findings})
    calls = sum(told.calls for told in report.detectors)
    failed = sum(told.status == ERROR for told in report.detectors)
    # Who judges the project as a whole finds something in files that were not asked for, too.
    among = f"{paths} of {_number(report.files, 'file')}" if paths <= report.files else f"{paths} files"
    found = f"{_number(len(report.findings), 'finding')} in {among}"
    quiet = f", {len(report.suppressed)} suppressed" if report.suppressed else ""
    known = f", {report.baseline} in the baseline" if report.baseline else ""
    skipped = sum(told.status == SKIPPED for told in report.detectors)
    errors = f", {_number(failed, 'detector')} failed" if failed else ""
    lacking = f", {skipped} skipped" if skipped else ""
    return f"{found}{quiet}{known}; {_number(calls, 'tool call')}{errors}{lacking}"


def as_stat(report: Report) -> str:
    """How often each code was found, the most frequent first, in how many files; and the rest as ever."""
    counts: dict[tuple[str, str], list[str]] = {}
    for one in report.findings:
        counts.setdefault((one.detector, one.code), []).append(one.path)
    rows = sorted(((len(paths), len(set(paths)), *kind) for kind, paths in counts.items()), key=_by_count)
    lines = [
        f"{found:>7}  in {_number(files, 'file'):<12} {name} {code}" for found, files, name, code in rows
    ]
    return "".join(f"{_one_line(line)}\n" for line in (*lines, *_troubles(report), summary(report)))


def _by_count(row: tuple[int, int, str, str]) -> tuple[int, str, str]:
    return -row[0], row[2], row[3]


_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(report: Report) -> str:
    """Workflow commands, which GitHub shows as annotations of a change: see
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
    """
    lines = []
    for one in report.findings:
        fields = {
            "file": one.path,
            "line": one.line,
            "col": one.column,
            "title": f"{one.detector} {one.code}",
        }
        given = ",".join(f"{name}={_property(str(value))}" for name, value in fields.items() if value)
        lines.append(f"::{_LEVELS[one.severity]} {given}::{_data(one.message)}")
    for name, why, paths in _alike(report):
        given = f"file={_property(paths[0])}," if paths[0] else ""
        what = f" this and {len(paths) - 1} more" if len(paths) > 1 else ""
        lines.append(f"::error {given}title={_property(name)}::{_data(f'it could not judge{what}: {why}')}")
    lines += [
        f"::warning title={_property(told.id)}::{_data(f'skipped: {told.reason}')}"
        for told in report.detectors
        if told.status == SKIPPED
    ]
    return "".join(f"{line}\n" for line in lines)


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _one_line(text: str) -> str:
    """A name may hold a line end, too: what follows it must not look like a line of ours."""
    return printable(text).replace("\n", "\\n")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
