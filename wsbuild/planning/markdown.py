"""A Markdown text as what stands in it one after the other: blocks of lines, as CommonMark has them.

What a page is for is not known here. Only blocks are parsed: text within a line stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.documents.document import Builder, RefusedError
from wsbuild.documents.yaml_text import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from wsbuild.model import Problem

LIMIT = 4 * 2**20
"""Bytes of a page that are read: ever longer ones take ever longer to parse."""

_LINE_END = re.compile(r"\r\n?")
_FENCE = re.compile(r"---[ \t]*")
_FENCE_END = re.compile(r"(?:---|\.\.\.)[ \t]*")

HEADING, PARAGRAPH, LIST, CODE, TABLE = "heading", "paragraph", "list", "code", "table"
QUOTE, HTML, RULE, DEFINITIONS = "quote", "html", "rule", "definitions"

_KINDS = {
    "heading_open": HEADING,
    "paragraph_open": PARAGRAPH,
    "bullet_list_open": LIST,
    "ordered_list_open": LIST,
    "fence": CODE,
    "code_block": CODE,
    "table_open": TABLE,
    "blockquote_open": QUOTE,
    "html_block": HTML,
    "hr": RULE,
}


class Block(NamedTuple):
    """Lines that belong together: `start` to `end`, from 1, both in it, without blank lines around.

    `text` is these lines with LF between them. A heading has a `level` of 1 to 6 and a `title`.
    """

    kind: str
    start: int
    end: int
    text: str
    level: int = 0
    title: str = ""


class Page(NamedTuple):
    """What a text holds. `frontmatter` is what its YAML at the top says, `body` the line after that;
    where that YAML is wrong, `problems` say so and there is none.
    """

    blocks: tuple[Block, ...]
    frontmatter: Mapping[str, Any]
    body: int
    problems: tuple[Problem, ...]

    @property
    def title(self) -> str:
        """The first heading of the first level; '' where there is none."""
        return next((one.title for one in self.blocks if one.level == 1 and one.title), "")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _frontmatter(lines: Sequence[str], rel: str) -> tuple[Mapping[str, Any], int, list[Problem]]:
    """What stands between `---` at the top and the next one, how many lines that takes, and what is
    wrong there. What is not closed, or no set of fields, is Markdown.
    """
    if not _FENCE.fullmatch(lines[0]):
        return {}, 0, []
    end = next((at for at, line in enumerate(lines) if at and _FENCE_END.fullmatch(line)), 0)
    if not end:
        return {}, 0, []
    build = Builder(rel)
    try:
        # The line end stands for the line above, so that problems have the lines of the page.
        data = read_yaml("\n" + "\n".join(lines[1:end]) + "\n", build).data
    except RefusedError as error:
        if error.refusal.code == "empty":
            return {}, end + 1, []
        build.refuse(error.refusal, error.line, "")
        return {}, end + 1, build.problems
    if build.problems:
        return {}, end + 1, build.problems
    return (data, end + 1, []) if isinstance(data, Mapping) else ({}, 0, [])


def _range(token: Token, lines: Sequence[str]) -> tuple[int, int]:
    """The lines of a token, from 0, the last one not in it, without blank ones at the end."""
    start, end = token.map or (0, 0)
    while end > start + 1 and not lines[end - 1].strip(" \t"):
        end -= 1
    return start, end


def _tops(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The tokens of each block that is in no other."""
    start = 0
    for at, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[start : at + 1]
            start = at + 1


def _definitions(start: int, end: int, lines: Sequence[str], above: int) -> Iterator[Block]:
    """What no token speaks of: definitions of links. Lines without a blank one between are one block."""
    first = None
    for at in range(start, end + 1):
        if at < end and lines[at].strip(" \t"):
            first = at if first is None else first
        elif first is not None:
            yield Block(DEFINITIONS, above + first + 1, above + at, "\n".join(lines[first:at]))
            first = None


def _blocks(lines: Sequence[str], above: int) -> Iterator[Block]:
    """The blocks of lines that have `above` others above them."""
    seen = 0
    for tokens in _tops(_parser().parse("\n".join(lines))):
        token = tokens[0]
        start, end = _range(token, lines)
        yield from _definitions(seen, start, lines, above)
        seen = end
        kind = _KINDS[token.type]
        block = Block(kind, above + start + 1, above + end, "\n".join(lines[start:end]))
        if kind == HEADING:
            title = " ".join(tokens[1].content.split())
            block = block._replace(level=int(token.tag[1:]), title=title)
        yield block
    yield from _definitions(seen, len(lines), lines, above)


def parse(text: str, rel: str = "") -> Page:
    """The page that `text` is; problems call it `rel`. Any text is one.

    Lines end as CommonMark says: with LF, CR or both.
    """
    lines = _LINE_END.sub("\n", text).split("\n")
    frontmatter, above, problems = _frontmatter(lines, rel)
    blocks = tuple(_blocks(lines[above:], above))
    return Page(blocks, frontmatter, above + 1, tuple(problems))
