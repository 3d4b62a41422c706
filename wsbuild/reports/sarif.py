"""What detectors have found as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wsbuild.detectors.engine import ERROR, SKIPPED

if TYPE_CHECKING:
    from wsbuild.detectors.engine import Report, Told
    from wsbuild.detectors.finding import Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def as_sarif(report: Report) -> str:
    """A run for each detector. What a line takes back is a result that is suppressed in the source."""
    runs = [_run(told, report) for told in report.detectors]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=1) + "\n"


def _run(told: Told, report: Report) -> dict[str, Any]:
    found = [one for one in (*report.findings, *report.suppressed) if one.detector == told.id]
    codes = list(dict.fromkeys(one.code for one in found))
    urls = {one.code: one.url for one in found if one.url}
    rules = [{"id": code, **({"helpUri": urls[code]} if code in urls else {})} for code in codes]
    driver: dict[str, Any] = {"name": told.id, "rules": rules}
    if told.version:
        driver["version"] = told.version
    return {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(told, report)],
        "results": [_result(one, codes.index(one.code)) for one in found],
    }


def _invocation(told: Told, report: Report) -> dict[str, Any]:
    """One that was skipped has not failed, and has not judged either."""
    notes = [_note("error", why, path) for name, path, why in report.errors if name == told.id]
    if told.status == SKIPPED:
        notes.append(_note("warning", f"skipped: {told.reason}", ""))
    good = told.status not in {ERROR, SKIPPED} and not notes
    return {"executionSuccessful": good, "toolExecutionNotifications": notes}


def _note(level: str, text: str, path: str) -> dict[str, Any]:
    where = {"locations": [{"physicalLocation": {"artifactLocation": _place(path)}}]} if path else {}
    return {"level": level, "message": {"text": _text(text)}, **where}


def _result(one: Finding, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _place(one.path)}
    if one.line:
        place["region"] = {"startLine": one.line, **({"startColumn": one.column} if one.column else {})}
    return {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": _LEVELS[one.severity],
        "message": {"text": _text(one.message)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"wsbuild/v1": one.fingerprint},
        "properties": {"category": one.category},
        **({"suppressions": [{"kind": "inSource"}]} if one.suppressed else {}),
    }


def _place(path: str) -> dict[str, str]:
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}


def _text(text: str) -> str:
    """Without halves of characters, which no JSON parser has to take."""
    return text.encode("utf-8", "backslashreplace").decode() or " "
