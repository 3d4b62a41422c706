"""Semgrep, which finds code by patterns: https://semgrep.dev/docs/"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_SEVERITY = {
    "ERROR": "error",
    "CRITICAL": "error",
    "HIGH": "error",
    "WARNING": "warning",
    "MEDIUM": "warning",
}
_RULES = "--config=.semgrep.yml"
_QUIET = ("--metrics=off", "--disable-version-check", "--quiet")


def command(files: Sequence[str]) -> list[str]:
    """With the rules of the project: others would come over the network, and change by themselves."""
    return ["semgrep", "scan", "--json", "--error", _RULES, *_QUIET, "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """What rules with a `fix` say."""
    return ["semgrep", "scan", "--autofix", _RULES, *_QUIET, "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each finding. What could not be parsed wholly is only mentioned."""
    report = json.loads(output.stdout)
    for problem in report["errors"]:
        if "path" not in problem or problem["level"] == "error":
            raise ToolError(problem.get("message") or str(problem.get("type")))
        path, message = output.relative(problem["path"]), problem["message"].splitlines()[0]
        spans = problem.get("spans") or [{"start": {"line": 0, "col": 0}}]
        place = spans[0]["start"]["line"], spans[0]["start"]["col"]
        yield Finding(path, *place, "syntax", "syntax", "warning", message)
    for row in report["results"]:
        extra = row["extra"]
        yield Finding(
            output.relative(row["path"]),
            row["start"]["line"],
            row["start"]["col"],
            row["check_id"],
            "security",
            _SEVERITY.get(extra["severity"], "info"),  # type: ignore[arg-type]
            extra["message"],
            extra.get("metadata", {}).get("source", ""),
        )
