"""Pylint, a linter for Python that follows imports: https://pylint.readthedocs.io/"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError, literal
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

DOCS = "https://pylint.readthedocs.io/en/stable/user_guide/messages"
_SEVERITY = {"error": "error", "warning": "warning"}


def command(files: Sequence[str]) -> list[str]:
    """One process: messages about several files, as that they import each other, are made of all."""
    return ["pylint", "--output-format=json2", "--persistent=n", "--jobs=1", *literal(files)]


def parse(output: Output) -> Iterator[Finding]:
    """One object for each message; `fatal` is one about Pylint itself."""
    for row in json.loads(output.stdout)["messages"]:
        kind, symbol = row["type"], row["symbol"]
        if kind == "fatal":
            raise ToolError(row["message"])
        is_syntax = symbol == "syntax-error"
        yield Finding(
            output.relative(row["path"]),
            row["line"],
            row["column"] + 1,
            symbol,
            "syntax" if is_syntax else "other" if kind == "error" else "style",
            _SEVERITY.get(kind, "info"),  # type: ignore[arg-type]
            row["message"],
            f"{DOCS}/{kind}/{symbol}.html",
        )
