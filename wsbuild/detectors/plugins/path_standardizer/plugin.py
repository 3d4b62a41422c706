r"""Paths that work on one machine only, and what the project has given up.

- PATH001: a path into somebody's home directory (`/home/ann/...`, `/Users/ann/...`, `C:\Users\ann\...`).
- PATH002: another path that begins with the letter of a drive (`D:\data`, `C:/data`).
- PATH003: a relative path with backslashes and a usual ending (`src\app\main.py`); `fix` writes slashes.
- PATH100 to PATH102: imports and paths that `config/path_standards.yaml` has given up, as `wsbuild
  check-imports` finds them (`wsbuild.detectors.standards`: where that finds something else, the version of
  the manifest is raised); `fix` writes what takes their place.

Only what is surely a path counts: one of PATH003 has names of two characters or more, so that `\n` and
`\t` are none, and stands alone, in quotes, in backquotes or in brackets.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output
    from wsbuild.detectors.finding import Severity
    from wsbuild.detectors.standards.rules import Standards
    from wsbuild.model import Problem

_NAME = r"[A-Za-z0-9_.-]"
_USERS = r"\b[A-Za-z]:(?:\\\\?|/)Users(?:\\\\?|/)"
_HOME = re.compile(rf"(?:(?<![\w./])/(?:home|Users)/|{_USERS}){_NAME}+[/\\]")
_DRIVE = re.compile(rf"(?<![\w/\\])[A-Za-z]:(?:\\\\?(?![nrt0\"'\\])|/(?!/)){_NAME}{{2,}}")
_ENDINGS = "py|pyi|md|json|ya?ml|toml|txt|cfg|ini|sh|ps1|psm1|js|ts|jsx|tsx|html|css|sql|xml|csv"
_BACKSLASHES = re.compile(
    rf"(?<=[\s\"'`(\[])(?:\.{{1,2}}\\)?(?:[A-Za-z0-9_-]{{2,}}\\)+[A-Za-z0-9_.-]{{2,}}\.(?:{_ENDINGS})(?=[\s\"'`)\],;:.]|$)"
)
_LINE_END = re.compile("\r\n|\r|\n")
_MESSAGES = {
    "PATH001": "a path into somebody's home directory works on one machine only",
    "PATH002": "a path that begins with a drive works on one machine only",
    "PATH003": "a relative path with backslashes works on Windows only",
}


def command(files: Sequence[str]) -> list[str]:
    """This module itself, as a program."""
    return ["{python}", "-m", __name__, *files]


def fix(files: Sequence[str]) -> list[str]:
    """Slashes for the backslashes of relative paths."""
    return ["{python}", "-m", __name__, "--fix", *files]


def parse(output: Output) -> Iterator[Finding]:
    """A JSON array in each line."""
    for line in output.stdout.splitlines():
        path, number, column, code, *told = json.loads(line)
        severity: Severity = "error" if told else "warning"
        yield Finding(path, number, column, code, "style", severity, told[0] if told else _MESSAGES[code])


def look(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and code of what is found in a text."""
    for number, line in enumerate(f" {line}" for line in _LINE_END.split(text)):
        taken: list[tuple[int, int]] = []
        for code, pattern in (("PATH001", _HOME), ("PATH002", _DRIVE), ("PATH003", _BACKSLASHES)):
            for found in pattern.finditer(line):
                if not any(start < found.end() and found.start() < end for start, end in taken):
                    taken.append(found.span())
                    yield number + 1, found.start(), code


def mend(text: str) -> str:
    """A text with slashes in the relative paths that had backslashes; all else is as it was."""
    lines = []
    for line in text.splitlines(keepends=True):
        spans = [found.span() for found in _BACKSLASHES.finditer(f" {line}")]
        whole = f" {line}"
        for start, end in spans:
            whole = whole[:start] + whole[start:end].replace("\\", "/") + whole[end:]
        lines.append(whole[1:])
    return "".join(lines)


def main(words: list[str]) -> int:
    """Judge or mend files; gives the exit code."""
    from wsbuild.detectors.standards import rules

    standards, problems = rules.load(os.getcwd())
    if words[:1] == ["--fix"]:
        for path in words[1:]:
            _mend(path, standards)
        return 0
    found = [row for path in words for row in _judge(path, standards, problems)]
    sys.stdout.write("".join(json.dumps(row) + "\n" for row in found))
    return 1 if found else 0


def _judge(path: str, standards: Standards, problems: Sequence[Problem]) -> Iterator[tuple[object, ...]]:
    from wsbuild.detectors.standards.files import BROKEN_CODE
    from wsbuild.detectors.standards.files import look as look_for
    from wsbuild.problems import describe

    name = os.path.normpath(path)
    with open(path, "rb") as file:
        data = file.read()
    for found in look(data.decode("latin-1")):
        yield name, *found
    # A tool that fails is asked again about each half of its files: one finding a file is less.
    for problem in problems[:1]:
        yield name, 0, 0, BROKEN_CODE, f"nothing can be told: {describe(problem)}"
    for one in look_for(name, data, standards):
        yield name, one.line, one.column, one.code, one.message


def _mend(path: str, standards: Standards) -> None:
    from wsbuild.atomic import write_atomic
    from wsbuild.detectors.standards.files import mend as mend_given_up

    with open(path, "rb") as file:
        data = file.read()
    mended = mend_given_up(os.path.normpath(path), mend(data.decode("latin-1")).encode("latin-1"), standards)
    if mended != data:
        write_atomic(path, mended, os.stat(path).st_mode & 0o7777)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
