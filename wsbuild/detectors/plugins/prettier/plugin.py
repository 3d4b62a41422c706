"""Prettier, the formatter of JavaScript and much else: https://prettier.io/"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError, literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_BAD = re.compile(r"\[error\] (?P<path>.+?): SyntaxError: (?P<message>.+?) \((?P<line>\d+):(?P<column>\d+)\)")


def command(files: Sequence[str]) -> list[str]:
    """A file that there is it takes by its name, whatever pattern that is."""
    return ["prettier", "--list-different", "--ignore-unknown", *literal(files)]


def fix(files: Sequence[str]) -> list[str]:
    """It writes only what is formatted differently."""
    return ["prettier", "--write", "--ignore-unknown", "--log-level=warn", *literal(files)]


def parse(output: Output) -> Iterator[Finding]:
    """The files on standard output; on the other what cannot be parsed, with an excerpt, and failures."""
    for line in output.stdout.splitlines():
        path, message = output.relative(line), "Prettier would format it differently"
        yield Finding(path, 0, 0, "unformatted", "formatting", "warning", message)
    bad = []
    for line in output.stderr.splitlines():
        if found := _BAD.fullmatch(line):
            bad.append(found["path"])
            path, place = output.relative(found["path"]), (int(found["line"]), int(found["column"]))
            yield Finding(path, *place, "syntax", "syntax", "error", found["message"])
        elif line.startswith("[error] ") and not (bad and line[8] in " >"):
            raise ToolError(line.removeprefix("[error] "))
