"""Ruff, the formatter of Python: https://docs.astral.sh/ruff/formatter/"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output


def command(files: Sequence[str]) -> list[str]:
    """Its own cache is off: that would be a state no key knows of."""
    options = ["--check", "--output-format=json", "--no-cache", "--force-exclude", "--quiet"]
    return ["ruff", "format", *options, "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """It writes only what is formatted differently."""
    return ["ruff", "format", "--no-cache", "--force-exclude", "--quiet", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each file; one that is no Python is another, as is one that cannot be read."""
    for row in json.loads(output.stdout):
        place = row["location"] or {"row": 0, "column": 0}
        if row["code"] == "unformatted":
            path, message = output.relative(row["filename"]), "Ruff would format it differently"
            yield Finding(path, 0, 0, "unformatted", "formatting", "warning", message)
        elif row["code"] == "invalid-syntax":
            path, at = output.relative(row["filename"]), (place["row"], place["column"])
            yield Finding(path, *at, "invalid-syntax", "syntax", "error", row["message"])
        else:
            raise ToolError(row["message"])
