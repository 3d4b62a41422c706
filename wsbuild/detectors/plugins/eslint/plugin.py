"""ESLint, a linter for JavaScript: https://eslint.org/"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

DOCS = "https://eslint.org/docs/latest/rules/"


def command(files: Sequence[str]) -> list[str]:
    """Files that its configuration ignores are ignored although they are named."""
    return ["eslint", "--format=json", "--no-warn-ignored", *literal(files)]


def fix(files: Sequence[str]) -> list[str]:
    """What its rules can mend without a doubt."""
    return ["eslint", "--fix", "--no-warn-ignored", *literal(files)]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each file; a message without a rule is about what is no JavaScript."""
    for file in json.loads(output.stdout):
        path = output.relative(file["filePath"])
        for row in file["messages"]:
            rule = row["ruleId"] or ""
            yield Finding(
                path,
                row.get("line") or 0,
                row.get("column") or 0,
                rule or "syntax",
                "style" if rule else "syntax",
                "error" if row["severity"] == 2 else "warning",
                row["message"],
                DOCS + rule if rule and "/" not in rule else "",
            )
