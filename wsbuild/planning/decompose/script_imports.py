"""The files that a JavaScript or TypeScript file imports, by a scan of its words.

Comments, text and templates are told from code. What is not: a regular expression with a quote in it may
hide what follows on its line, and names that are put together while the code runs are not known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<skip> //[^\n]* | /\*.*?(?:\*/|\Z) | `(?:\\.|[^`\\])*(?:`|\Z) )
  | (?P<text> '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" )
  | (?P<word> [\w$]+ )
  | (?P<sign> [^\s\w] )
    """,
    re.VERBOSE | re.DOTALL,
)
_CALLERS = ([("word", "import")], [("word", "require")])


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "skip":
            yield kind, match[0]


def _is_import(before: list[tuple[str, str]]) -> bool:
    """Whether the text behind these tokens names a module: `from "x"`, `import "x"`, `import("x")`,
    `require("x")`.
    """
    last = before[-1][1] if before else ""
    if last == "(":
        return before[-2:-1] in _CALLERS and not _is_member(before[:-2])
    return last in {"from", "import"} and not _is_member(before[:-1])


def _is_member(before: list[tuple[str, str]]) -> bool:
    """Whether what follows belongs to an object: a dot stands before it, and not three of them."""
    dots = [token for _, token in before[-2:]]
    return dots[-1:] == ["."] and dots != [".", "."]


def imported_specifiers(text: str) -> list[str]:
    """The relative names (`./a`, `../b.js`) of what is imported, in their order."""
    found: dict[str, None] = {}
    before: list[tuple[str, str]] = []
    for kind, token in _tokens(text):
        if kind == "text" and _is_import(before) and token[1:-1].startswith(("./", "../")):
            found[token[1:-1]] = None
        before = [*before[-3:], (kind, token)]
    return list(found)
