"""Has a detector judge files, and mend them where that is asked for: `linter.py DETECTOR`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from wsbuild.aim.adapters.serving import Asked, Told, failed, serve, unsupported
from wsbuild.cache.files import FileStates
from wsbuild.detectors import registry
from wsbuild.detectors.execution import Place, judge
from wsbuild.detectors.fixing import fix, fixable
from wsbuild.detectors.selection import select
from wsbuild.identity import Tools, search_path
from wsbuild.tools.process import shutdown
from wsbuild.tools.redact import Redactor

if TYPE_CHECKING:
    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.finding import Finding

FIELDS = ("path", "line", "column", "code", "category", "severity", "message", "url")


def answer(asked: Asked) -> Told:
    """Judge the files of the payload; with `fix`, mend first what can be."""
    if asked.capability != "linting":
        return unsupported(asked, "linting")
    files = asked.paths("files")
    gone = [path for path in files if not os.path.isfile(os.path.join(asked.cwd, path))]
    if gone or not files:
        return failed(f"{gone[0]} is not there" if gone else "the payload names no files", "bad_request")
    detectors, _ = registry.load(asked.home)
    detector = next(one for one in detectors if one.id == sys.argv[1])
    files = select([detector], asked.cwd, files).chosen[detector.id]
    if not files:
        return failed(f"none of the files is of a kind that {detector.id} judges", "unsupported")
    try:
        return _judged(detector, files, _place(asked, detector), mend=asked.payload.get("fix") is True)
    finally:
        shutdown()


def _judged(detector: Detector, files: list[str], place: Place, *, mend: bool) -> Told:
    judged = judge(detector, files, place)
    fixed: list[str] = []
    if mend and not judged.errors:
        mended = fix(detector, fixable(detector, _all(judged.findings)), place)
        if mended.error:
            return failed(f"it could not mend: {mended.error}", "tool_error")
        fixed = mended.paths
        judged = judge(detector, files, place) if fixed else judged
    if judged.errors:
        path, why = next(iter(sorted(judged.errors.items())))
        return failed(f"{path} could not be judged: {why}", "tool_error")
    return _told(detector, _all(judged.findings), fixed)


def _place(asked: Asked, detector: Detector) -> Place:
    path = search_path(os.environ, sys.executable)

    def find(command: str) -> str:
        found = asked.tool if command == detector.manifest.command else ""
        return found or tools.find(command)

    tools = Tools(FileStates(asked.cwd, 0, lambda _: {}), path, sys.executable)
    return Place(asked.cwd, os.environ, path, find, Redactor([]))


def _all(by_path: dict[str, list[Finding]]) -> list[Finding]:
    return sorted(finding for findings in by_path.values() for finding in findings)


def _told(detector: Detector, found: list[Finding], fixed: list[str]) -> Told:
    shown = [finding for finding in found if not finding.suppressed]
    content: dict[str, Any] = {
        "tool_id": detector.id,
        "passed": not shown,
        "findings": [{name: getattr(finding, name) for name in FIELDS} for finding in shown],
        "suppressed": len(found) - len(shown),
        "files_changed": fixed,
    }
    count = "1 finding" if len(shown) == 1 else f"{len(shown)} findings"
    mended = f", mended {len(fixed)} file{'' if len(fixed) == 1 else 's'}" if fixed else ""
    return Told(True, f"{detector.id}: {count}{mended}", content)


if __name__ == "__main__":
    serve(answer)
