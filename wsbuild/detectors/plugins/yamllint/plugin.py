"""yamllint, a linter for YAML: https://yamllint.readthedocs.io/"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

RULES = "https://yamllint.readthedocs.io/en/stable/rules.html#module-yamllint.rules."
_LINE = re.compile(
    r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): \[(?P<level>error|warning)\] (?P<message>.*?)"
    r"(?: \((?P<rule>[a-z-]+)\))?"
)


def command(files: Sequence[str]) -> list[str]:
    """In the form that is meant for programs."""
    return ["yamllint", "--format=parsable", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """A line for each finding; what is no YAML has no rule."""
    for line in output.stdout.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise ToolError(f"yamllint printed {line!r}")
        rule = found["rule"] or "syntax"
        is_syntax = rule == "syntax"
        yield Finding(
            output.relative(found["path"]),
            int(found["line"]),
            int(found["column"]),
            rule,
            "syntax" if is_syntax else "style",
            "error" if found["level"] == "error" else "warning",
            found["message"],
            "" if is_syntax else RULES + rule.replace("-", "_"),
        )
