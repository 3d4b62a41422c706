"""Gitleaks, which finds secrets: https://github.com/gitleaks/gitleaks"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import REPORT, ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output


def command(files: Sequence[str]) -> list[str]:
    """It is started among copies of the files, and looks at all that is there."""
    _ = files
    output = ["--report-format=json", f"--report-path={REPORT}", "--no-banner", "--no-color"]
    return ["gitleaks", "dir", "--exit-code=42", *output, "."]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each finding; the secret itself is in none of ours. Columns are one too high in all
    lines but the first.
    """
    if not output.report.strip():
        raise ToolError("it wrote no report")
    for row in json.loads(output.report) or []:
        line, column = row["StartLine"], row["StartColumn"]
        column -= line > 1
        yield Finding(
            output.relative(row["File"]), line, column, row["RuleID"], "security", "error", row["Description"]
        )
