"""Bandit, which looks for common security problems in Python: https://bandit.readthedocs.io/"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_SEVERITY = {"HIGH": "error", "MEDIUM": "warning", "LOW": "info"}


def command(files: Sequence[str]) -> list[str]:
    """Without what it says beside its report."""
    return ["bandit", "--quiet", "--format=json", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """A file that it could not read it only mentions, and ends well."""
    report = json.loads(output.stdout)
    for problem in report["errors"]:
        if "syntax error" not in problem["reason"]:
            raise ToolError(f"{problem['filename']}: {problem['reason']}")
        path = output.relative(problem["filename"])
        yield Finding(path, 0, 0, "syntax", "syntax", "error", problem["reason"])
    looked_at = {output.relative(path) for path in report["metrics"]}
    skipped = sorted(
        set(output.files) - looked_at - {output.relative(e["filename"]) for e in report["errors"]}
    )
    if skipped:
        raise ToolError(f"it did not look at {skipped[0]}")
    for row in report["results"]:
        yield Finding(
            output.relative(row["filename"]),
            row["line_number"],
            row["col_offset"] + 1,
            row["test_id"],
            "security",
            _SEVERITY.get(row["issue_severity"], "info"),  # type: ignore[arg-type]
            row["issue_text"],
            row["more_info"],
        )
