"""Pyright, which checks the types of Python: https://microsoft.github.io/pyright/"""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError, literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

DOCS = "https://microsoft.github.io/pyright/#/configuration?id="
_SEVERITY = {"error": "error", "warning": "warning"}


def command(files: Sequence[str]) -> list[str]:
    """In the form that is meant for programs."""
    return ["pyright", "--outputjson", *literal(files)]


def command_in(root: str, files: Sequence[str]) -> list[str]:
    """A project that configures it says which files it is for."""
    return command([] if _configures(root) else files)


def _configures(root: str) -> bool:
    if os.path.lexists(os.path.join(root, "pyrightconfig.json")):
        return True
    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as file:
            return "pyright" in tomllib.load(file).get("tool", {})
    except (OSError, ValueError):
        return False


def parse(output: Output) -> Iterator[Finding]:
    """One object for each finding, with lines and columns from 0; one without a rule is about syntax."""
    report = json.loads(output.stdout)
    count, asked = report["summary"]["filesAnalyzed"], len(output.files)
    if count < (1 if _configures(output.root) else asked):
        raise ToolError(f"it looked at {count} of {asked} files")
    for row in report["generalDiagnostics"]:
        start, rule = row.get("range", {}).get("start"), row.get("rule", "")
        yield Finding(
            output.relative(row["file"]),
            start["line"] + 1 if start else 0,
            start["character"] + 1 if start else 0,
            rule or "syntax",
            "type" if rule else "syntax",
            _SEVERITY.get(row["severity"], "info"),  # type: ignore[arg-type]
            row["message"],
            DOCS + rule if rule else "",
        )
