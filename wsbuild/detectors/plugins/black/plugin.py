"""Black, the formatter of Python: https://black.readthedocs.io/"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_WOULD = re.compile(r"would reformat (?P<path>.+)")
_CANNOT = re.compile(r"error: (?P<message>cannot parse): (?P<path>.+?):(?P<line>\d+):(?P<column>\d+)")


def command(files: Sequence[str]) -> list[str]:
    """It only looks."""
    return ["black", "--check", "--workers=1", "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """It writes only what is formatted differently."""
    return ["black", "--quiet", "--workers=1", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """A line for each file, among others; 123 is told of what is no Python, and of its own failures."""
    for line in output.stderr.splitlines():
        if found := _WOULD.fullmatch(line):
            path = output.relative(found["path"])
            message = "Black would format it differently"
            yield Finding(path, 0, 0, "unformatted", "formatting", "warning", message)
        elif found := _CANNOT.fullmatch(line):
            path, message = output.relative(found["path"]), found["message"]
            yield Finding(
                path, int(found["line"]), int(found["column"]), "syntax", "syntax", "error", message
            )
        elif line.startswith("error: "):
            raise ToolError(line.removeprefix("error: "))
