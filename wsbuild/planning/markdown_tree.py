"""Markdown as a tree of blocks with line numbers, down to the pieces of running text.

Front matter is no part of CommonMark: it is cut off before. Definitions of link targets are text like any
other here: as `[x]: done` looks like one, a ticked task would be lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_BYTES = 4 * 2**20
"""What a page may have: more is no document that somebody writes."""

MAX_DEPTH = 60
"""How deep blocks may be nested; what is deeper would not be seen."""

MAX_INLINE = 20_000
"""Longer paragraphs are taken as plain text: what looks like markup in them takes ever longer to pair."""

HEADING, PARAGRAPH, LIST, ITEM, QUOTE, FENCE, CODE, HTML, RULE = (
    *("heading", "paragraph", "list", "item", "quote", "fence", "code", "html", "rule"),
)
TEXT, INLINE_CODE, LINK, INLINE_HTML, BREAK, MARK = (
    *("text", "inline-code", "link", "inline-html", "break", "mark"),
)

_KINDS = {
    "heading_open": HEADING,
    "paragraph_open": PARAGRAPH,
    "bullet_list_open": LIST,
    "ordered_list_open": LIST,
    "list_item_open": ITEM,
    "blockquote_open": QUOTE,
    "fence": FENCE,
    "code_block": CODE,
    "html_block": HTML,
    "hr": RULE,
}
_FENCE_LINE = re.compile(r"---[ \t]*")
_LINE_END = re.compile(r"\r\n?|\n")


class Span(NamedTuple):
    """A piece of running text: `target` is where a link leads; its words follow as pieces of their own.
    MARK is what begins or ends emphasis, as it may have been meant as part of a name.
    """

    kind: str
    text: str
    target: str = ""


class Node:
    """A block. `line` is its first line from 1, `end` the line behind it. `text` is the source of a
    heading or paragraph (lines without what makes them nested), or what code or HTML holds; `level` that
    of a heading, `mark` what an item begins with (`-`, `1.`), `info` the word behind a fence.
    """

    __slots__ = ("_reader", "children", "end", "info", "kind", "level", "line", "mark", "text")

    def __init__(self, kind: str, line: int, end: int, reader: MarkdownIt | None = None) -> None:
        self.kind = kind
        self.line = line
        self.end = end
        self.text = ""
        self.level = 0
        self.mark = ""
        self.info = ""
        self.children: list[Node] = []
        self._reader = reader

    def spans(self) -> list[Span]:
        """The running text of a heading or paragraph."""
        if self._reader is None or len(self.text) > MAX_INLINE:
            return [Span(TEXT, self.text)]
        tokens = self._reader.parseInline(self.text)
        return [span for token in tokens for child in token.children or () for span in _spans(child)]

    def plain(self) -> str:
        """The running text as somebody reads it: no comments, no emphasis, code as it is written."""
        words = {INLINE_CODE: "`{}`", BREAK: " ", LINK: "", MARK: ""}
        pieces = [words.get(span.kind, "{}").format(span.text) for span in self.spans()]
        return " ".join("".join(pieces).split())

    def walk(self) -> Iterator[Node]:
        """It and all in it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


class Page(NamedTuple):
    """What a page holds. `front` is the text of its front matter, which begins on line 2."""

    blocks: tuple[Node, ...]
    front: str = ""
    too_deep: int = 0
    """The line of what is nested deeper than is read; 0 for none."""


def _spans(token: Token) -> Iterator[Span]:
    if token.type == "code_inline":
        yield Span(INLINE_CODE, token.content)
    elif token.type == "link_open":
        yield Span(LINK, "", str(token.attrGet("href") or ""))
    elif token.type == "html_inline":
        if not token.content.startswith("<!--"):
            yield Span(INLINE_HTML, token.content)
    elif token.type in {"softbreak", "hardbreak"}:
        yield Span(BREAK, "")
    elif token.type in {"em_open", "em_close", "strong_open", "strong_close"}:
        yield Span(MARK, token.markup)
    elif token.type in {"text", "text_special", "image"}:
        yield Span(TEXT, token.content)


def _split_front(text: str) -> tuple[str, str]:
    """Front matter, and the text with empty lines in its place; a `---` that nothing ends is none."""
    lines = _LINE_END.split(text)
    if not _FENCE_LINE.fullmatch(lines[0]):
        return "", text
    for at, line in enumerate(lines[1:], 1):
        if _FENCE_LINE.fullmatch(line):
            return "\n".join(lines[1:at]), "\n" * (at + 1) + "\n".join(lines[at + 1 :])
    return "", text


def _node(token: Token, reader: MarkdownIt) -> Node:
    start, end = token.map or (0, 0)
    node = Node(_KINDS[token.type], start + 1, end + 1, reader)
    node.text = token.content
    node.info = token.info.strip()
    if node.kind == HEADING:
        node.level = int(token.tag[1:])
    elif node.kind == ITEM:
        node.mark, node.info = token.info + token.markup, ""
    return node


def parse(text: str) -> Page:
    """The blocks of a page."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"maxNesting": MAX_DEPTH}).disable(["reference", "inline"], True)
    inline = MarkdownIt("commonmark")
    front, body = _split_front(text)
    root = Node("page", 1, 1)
    opened, too_deep = [root], 0
    for token in reader.parse(body):
        if token.level >= MAX_DEPTH - 1 and not too_deep:
            too_deep = (token.map or [0])[0] + 1
        if token.type == "inline":
            opened[-1].text = token.content
        elif token.nesting < 0:
            opened.pop()
        else:
            node = _node(token, inline)
            opened[-1].children.append(node)
            if token.nesting:
                opened.append(node)
    return Page(tuple(root.children), front, too_deep)
