"""mypy, which checks the types of Python: https://mypy.readthedocs.io/"""

from __future__ import annotations

import configparser
import json
import os
import tomllib
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError, literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

DOCS = "https://mypy.readthedocs.io/en/stable/_refs.html#code-"


TARGETS = frozenset({"files", "packages", "modules"})
"""Settings that say what to check where no arguments do."""


def command(files: Sequence[str]) -> list[str]:
    """Its own cache is off: that would be a state no key knows of."""
    options = ["--output=json", "--no-incremental", f"--cache-dir={os.devnull}", "--no-error-summary"]
    return ["mypy", *options, *literal(files)]


def command_in(root: str, files: Sequence[str]) -> list[str]:
    """A project may say which files it is for, or which not: the latter counts only where mypy itself looks
    for files.
    """
    settings = _settings(root)
    if not TARGETS.isdisjoint(settings):
        return command([])
    return command(["."] if "exclude" in settings else files)


def _settings(root: str) -> dict[str, object]:
    """Those of the file that mypy takes: the first of these that has some, see
    https://mypy.readthedocs.io/en/stable/config_file.html
    """
    for name in ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"):
        try:
            with open(os.path.join(root, name), encoding="utf-8") as file:
                text = file.read()
            if name == "pyproject.toml":
                tables = tomllib.loads(text).get("tool", {})
                if "mypy" in tables:
                    return dict(tables["mypy"])
            else:
                sections = configparser.RawConfigParser()
                sections.read_string(text)
                if "mypy" in sections:
                    return dict(sections["mypy"])
        except (OSError, ValueError, configparser.Error):
            continue  # mypy tells what is wrong
    return {}


def parse(output: Output) -> Iterator[Finding]:
    """An object in each line, with columns from 0. What is no Python stops it: that is found in the
    project; whatever else stops it is a failure.
    """
    for line in output.stdout.splitlines():
        if not line.startswith("{"):
            raise ToolError(line)
        row = json.loads(line)
        code = row["code"] or "misc"
        if output.exit_code == 2 and code != "syntax":
            raise ToolError(f"{row['file']}: {row['message']}")
        yield Finding(
            output.relative(row["file"]),
            max(row["line"], 0),
            max(row["column"] + 1, 0),
            code,
            "syntax" if code == "syntax" else "type",
            "error" if row["severity"] == "error" else "info",
            " ".join(filter(None, (row["message"], row["hint"]))),
            "" if code == "syntax" else DOCS + code,
        )
