"""What the body of a task says below its headings: what to do, what must hold, and which files it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning import markdown_tree
from wsbuild.planning.markdown_tree import HEADING, INLINE_CODE, ITEM, PARAGRAPH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.planning.markdown_tree import Node
    from wsbuild.planning.project.page import Page

CRITERIA = frozenset({"acceptance criteria"})
SCOPE = frozenset({"files to modify", "files affected", "files in scope", "file scope", "affected files"})
CREATE = frozenset({"files to create", "new files"})
TOLD = frozenset(
    {"description", "technical details", "technical notes", "technical approach", "implementation notes"}
)

_LINE_END = re.compile(r"\r\n?|\n")
_BOX = re.compile(r"\[[ xX]\][ \t]+")
_NEW = re.compile(r"\((?:new|create)(?: file)?\)|: (?:new|create)\b", re.IGNORECASE)
_PATH = re.compile(r"(?:[\w.@+-]+/)*[\w.@+*-]+(?:\.\w+|/)|(?:[\w.@+*-]+/)+[\w.@+*-]*")


class Named(NamedTuple):
    """A file that a task names, and the line where it does."""

    path: str
    line: int


class Sections(NamedTuple):
    """What a body says: `told` are the texts for who does the task."""

    told: tuple[str, ...]
    criteria: tuple[str, ...]
    scope: tuple[Named, ...]
    create: tuple[Named, ...]


class _Section(NamedTuple):
    """What is below a heading, up to the next of its level or above it."""

    name: str
    level: int
    first: int
    end: int
    blocks: list[Node]


def _sections(blocks: tuple[Node, ...], lines: int) -> Iterator[_Section]:
    heads = [at for at, block in enumerate(blocks) if block.kind == HEADING]
    for at in heads:
        head = blocks[at]
        later = (other for other in heads if other > at and blocks[other].level <= head.level)
        end = next(later, len(blocks))
        last = blocks[end].line if end < len(blocks) else lines + 1
        name = head.plain().strip(" :").casefold()
        yield _Section(name, head.level, head.end, last, list(blocks[at + 1 : end]))


def _items(section: _Section) -> Iterator[tuple[Node, str]]:
    """The items of all lists of a section, with the words of each."""
    for block in section.blocks:
        for node in block.walk():
            first = next((child for child in node.children if child.kind == PARAGRAPH), None)
            if node.kind == ITEM and first is not None:
                yield first, _BOX.sub("", first.plain(), count=1)


def _path(node: Node, words: str) -> str:
    """The file that an item names: its first piece of code, or else its first word if that looks like one."""
    code = next((span.text for span in node.spans() if span.kind == INLINE_CODE), "")
    if code:
        return "" if re.search(r"\s", code) else code
    first = words.split(maxsplit=1)[0].rstrip(":,") if words.split() else ""
    return first if _PATH.fullmatch(first) else ""


def read_sections(page: Page) -> Sections:
    """What the body of a page says."""
    found = markdown_tree.parse(page.body)
    lines = _LINE_END.split(page.body)
    told: list[str] = []
    criteria: list[str] = []
    scope: list[Named] = []
    create: list[Named] = []
    for section in _sections(found.blocks, len(lines)):
        if section.name in TOLD:
            text = "\n".join(lines[section.first - 1 : section.end - 1]).strip().removesuffix("---").strip()
            told += [text] if text else []
        elif section.name in CRITERIA:
            criteria += [words for _, words in _items(section)]
        elif section.name in SCOPE | CREATE:
            for node, words in _items(section):
                if path := _path(node, words):
                    is_new = section.name in CREATE or _NEW.search(words) is not None
                    (create if is_new else scope).append(Named(path, page.body_line + node.line - 1))
    return Sections(tuple(told), tuple(dict.fromkeys(criteria)), tuple(scope), tuple(create))
