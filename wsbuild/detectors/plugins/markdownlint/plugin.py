"""markdownlint, a linter for Markdown: https://github.com/DavidAnson/markdownlint-cli2"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

DOCS = "https://github.com/DavidAnson/markdownlint/blob/main/doc/"
_LINE = re.compile(
    r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))? (?:(?P<level>error|warning) )?"
    r"(?P<rule>[\w-]+)\S* (?P<message>.+)"
)
_COUNT = re.compile(r"(?m)^Linting: (\d+) file")


def command(files: Sequence[str]) -> list[str]:
    """A colon says that what follows is no pattern; patterns of the configuration are left out."""
    return ["markdownlint-cli2", "--no-globs", *(f":{path}" for path in files)]


def fix(files: Sequence[str]) -> list[str]:
    """What its rules can mend."""
    return ["markdownlint-cli2", "--fix", "--no-globs", *(f":{path}" for path in files)]


def parse(output: Output) -> Iterator[Finding]:
    """A line for each finding. It says how many files it has looked at, less those that are ignored."""
    if not _COUNT.search(output.stdout):
        raise ToolError("it did not say how many files it has looked at")
    for line in output.stderr.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise ToolError(f"markdownlint printed {line!r}")
        rule = found["rule"]
        yield Finding(
            output.relative(found["path"]),
            int(found["line"]),
            int(found["column"] or 0),
            rule,
            "style",
            "error" if found["level"] == "error" else "warning",
            found["message"],
            f"{DOCS}{rule.lower()}.md" if rule.startswith("MD") else "",
        )
