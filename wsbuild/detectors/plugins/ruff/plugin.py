"""Ruff, the linter: https://docs.astral.sh/ruff/"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output


NO_TEXT = "stream did not contain valid UTF-8"
"""Its word for a file whose content is no text: whenever it is asked, it says the same."""


def command(files: Sequence[str]) -> list[str]:
    """Its own cache is off: that would be a state no key knows of."""
    options = ["--output-format=json", "--no-cache", "--no-fix", "--force-exclude", "--quiet"]
    return ["ruff", "check", *options, "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """Only what it calls safe."""
    return ["ruff", "check", "--fix", "--no-cache", "--force-exclude", "--quiet", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each finding; a file that cannot be read is E902."""
    for row in json.loads(output.stdout):
        code, place = row["code"] or "invalid-syntax", row["location"] or {"row": 0, "column": 0}
        if code == "E902" and row["message"] != NO_TEXT:
            raise ToolError(row["message"])
        category, severity = "style", "warning"
        if code.startswith("S") and code[1:].isdigit():
            category = "security"
        elif code in {"E902", "invalid-syntax"}:
            category, severity = "syntax", "error"
        yield Finding(
            output.relative(row["filename"]),
            place["row"],
            place["column"],
            code,
            category,  # type: ignore[arg-type]
            severity,  # type: ignore[arg-type]
            row["message"],
            row["url"] or "",
        )
