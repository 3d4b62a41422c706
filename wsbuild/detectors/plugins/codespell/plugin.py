"""codespell, which finds common misspellings: https://github.com/codespell-project/codespell"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError, literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_LINE = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<message>(?P<word>\S+) ==> .*)")


def command(files: Sequence[str]) -> list[str]:
    """Without a summary, and without colors."""
    return ["codespell", "--disable-colors", *literal(files)]


def fix(files: Sequence[str]) -> list[str]:
    """Words for which there is one correction."""
    return ["codespell", "--write-changes", "--disable-colors", *literal(files)]


def parse(output: Output) -> Iterator[Finding]:
    """A line for each finding. It knows no columns."""
    for line in output.stdout.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise ToolError(f"codespell printed {line!r}")
        yield Finding(
            output.relative(found["path"]),
            int(found["line"]),
            0,
            "misspelling",
            "style",
            "warning",
            found["message"],
        )
