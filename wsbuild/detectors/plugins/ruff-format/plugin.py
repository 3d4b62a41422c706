"""Ruff, the formatter of Python, in Markdown too: https://docs.astral.sh/ruff/formatter/"""

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
    options = ["--check", "--output-format=json", "--no-cache", "--force-exclude", "--quiet"]
    return ["ruff", "format", *options, "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """It writes only what is formatted differently."""
    return ["ruff", "format", "--no-cache", "--force-exclude", "--quiet", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each file; one that is no Python is another, as is one that cannot be read."""
    if not output.stdout.startswith("["):
        raise ToolError("it printed no JSON, as it does from version 0.16 on")
    for row in json.loads(output.stdout):
        place = row["location"] or {"row": 0, "column": 0}
        if row["code"] == "unformatted":
            path, message = output.relative(row["filename"]), "Ruff would format it differently"
            yield Finding(path, 0, 0, "unformatted", "formatting", "warning", message)
        elif row["code"] == "invalid-syntax":
            path, at = output.relative(row["filename"]), (place["row"], place["column"])
            yield Finding(path, *at, "invalid-syntax", "syntax", "error", row["message"])
        elif row["message"] == NO_TEXT:
            path = output.relative(row["filename"])
            yield Finding(path, 1, 1, "io-error", "syntax", "error", NO_TEXT)
        else:
            raise ToolError(row["message"])
