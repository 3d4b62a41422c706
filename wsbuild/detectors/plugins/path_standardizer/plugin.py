r"""Paths that work on one machine only.

- PATH001: a path into somebody's home directory (`/home/ann/...`, `/Users/ann/...`, `C:\Users\ann\...`).
- PATH002: another path that begins with the letter of a drive (`D:\data`, `C:/data`).
- PATH003: a relative path with backslashes and a usual ending (`src\app\main.py`); `fix` writes slashes.

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

_NAME = r"[A-Za-z0-9_.-]"
_USERS = r"\b[A-Za-z]:(?:\\\\?|/)Users(?:\\\\?|/)"
_HOME = re.compile(rf"(?:(?<![\w./])/(?:home|Users)/|{_USERS}){_NAME}+[/\\]")
_DRIVE = re.compile(rf"(?<![\w/\\])[A-Za-z]:(?:\\\\?(?![nrt0\"'\\])|/(?!/)){_NAME}{{2,}}")
_ENDINGS = "py|pyi|md|json|ya?ml|toml|txt|cfg|ini|sh|ps1|psm1|js|ts|jsx|tsx|html|css|sql|xml|csv"
_BACKSLASHES = re.compile(
    rf"(?<=[\s\"'`(\[])(?:\.{{1,2}}\\)?(?:[A-Za-z0-9_-]{{2,}}\\)+[A-Za-z0-9_.-]{{2,}}\.(?:{_ENDINGS})(?=[\s\"'`)\],;:.]|$)"
)
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
        path, number, column, code = json.loads(line)
        yield Finding(path, number, column, code, "style", "warning", _MESSAGES[code])


def look(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and code of what is found in a text."""
    for number, line in enumerate(f" {line}" for line in text.splitlines()):
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
    is_fix = words[:1] == ["--fix"]
    code = 0
    for path in words[is_fix:]:
        with open(path, encoding="latin-1", newline="") as file:
            text = file.read()
        if is_fix:
            if (mended := mend(text)) != text:
                with open(path, "w", encoding="latin-1", newline="") as file:
                    file.write(mended)
            continue
        for found in look(text):
            sys.stdout.write(json.dumps([os.path.normpath(path), *found]) + "\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
