"""isort, which sorts the imports of Python: https://pycqa.github.io/isort/"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_UNSORTED = re.compile(r"ERROR: (?P<path>.+) Imports are incorrectly sorted and/or formatted\.")


def command(files: Sequence[str]) -> list[str]:
    """Files that its configuration skips are skipped although they are named."""
    return ["isort", "--check-only", "--filter-files", "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """It writes only what is not sorted."""
    return ["isort", "--quiet", "--filter-files", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """A line for each file. What is no Python it takes for sorted, as it does not parse it."""
    for line in output.stderr.splitlines():
        if found := _UNSORTED.fullmatch(line):
            path = output.relative(found["path"])
            yield Finding(
                path, 0, 0, "unsorted", "formatting", "warning", "isort would sort its imports differently"
            )
        elif line.startswith("ERROR: "):
            raise ToolError(line.removeprefix("ERROR: "))
    if "Broken " in output.stdout:
        raise ToolError(f"isort said: {output.stdout.strip()}")
