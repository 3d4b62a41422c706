"""jq, which tells whether a file is JSON: https://jqlang.org/"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError, literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_ERROR = re.compile(r"parse error: (?P<message>.+) at (?:EOF at )?line (?P<line>\d+), column (?P<column>\d+)")


def command(files: Sequence[str]) -> list[str]:
    """It parses, and prints nothing."""
    return ["jq", "empty", *literal(files)]


def parse(output: Output) -> Iterator[Finding]:
    """At most one line: it stops at the first error."""
    if not output.stderr.strip():
        return
    found = _ERROR.search(output.stderr)
    if found is None:
        raise ToolError(output.stderr.strip().splitlines()[-1])
    place = int(found["line"]), int(found["column"])
    yield Finding(output.files[0], *place, "syntax", "syntax", "error", found["message"])
