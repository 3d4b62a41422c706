"""What a change does to specifications: requirements that are added, modified, removed or renamed, and the
scenarios that say when they are met.

A scenario is a heading `Scenario: ...` (or any other heading of the fourth level in a requirement, as
OpenSpec has it), or one that begins with WHEN itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning.markdown_tree import HEADING, HTML, LIST, PARAGRAPH, QUOTE
from wsbuild.planning.openspec.tasks import rendered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.planning.markdown_tree import Node, Page

ADDED, MODIFIED, REMOVED, RENAMED = "added", "modified", "removed", "renamed"
ASKED = "asked"
"""What a task asks for itself, so that it is no work besides."""

_SECTION = re.compile(r"(ADDED|MODIFIED|REMOVED|RENAMED) Requirements", re.IGNORECASE)
_REQUIREMENT = re.compile(r"Requirement:\s*(.+)", re.IGNORECASE)
_SCENARIO = re.compile(r"Scenario:\s*(.*)", re.IGNORECASE)
_WHEN = re.compile(r"WHEN\b")
_LISTED = re.compile(r"`?#+\s*Requirement:\s*(.+?)`?", re.IGNORECASE)
_RENAMING = re.compile(r"(FROM|TO):\s*`?(?:#+\s*Requirement:\s*)?(.+?)`?", re.IGNORECASE)
SCENARIO_LEVEL = 4


class Scenario(NamedTuple):
    """When a requirement is met: `text` on one line, as far as it holds no code."""

    name: str
    text: str
    line: int
    blocks: tuple[Node, ...] = ()


class Requirement(NamedTuple):
    """`kind` is ADDED, MODIFIED, REMOVED, ASKED or RENAMED (then `text` is the new name). `capability` is the
    directory of its specification, `file` where it stands, from the root.
    """

    kind: str
    capability: str
    name: str
    text: str
    file: str
    line: int
    scenarios: tuple[Scenario, ...] = ()
    blocks: tuple[Node, ...] = ()


class _Part:
    """A requirement or scenario that is being read: its heading, and what stands below."""

    def __init__(self, name: str, level: int, line: int, kind: str = "") -> None:
        self.name = name
        self.level = level
        self.line = line
        self.kind = kind
        self.blocks: list[Node] = []
        self.scenarios: list[Scenario] = []


def flat(blocks: Iterable[Node]) -> str:
    """What blocks say on one line, without emphasis; code stays as it is."""
    text = ""
    for block in blocks:
        if block.kind in {PARAGRAPH, HEADING}:
            piece = block.plain()
        elif block.kind in {LIST, QUOTE}:
            items = block.children if block.kind == LIST else [block]
            piece = " ".join(filter(None, (flat(item.children) for item in items)))
        elif block.kind == HTML:
            piece = " ".join(rendered([block]))
        else:
            piece = "\n" + "\n".join(rendered([block])) + "\n"
        between = "" if not text or not piece or "\n" in {text[-1], piece[0]} else " "
        text += between + piece
    return text.strip()


class _Reader:
    """Goes through the blocks of one page."""

    def __init__(self, capability: str, title: str, file: str) -> None:
        self.capability = capability
        self.title = title
        self.file = file
        self.found: list[Requirement] = []
        self.section = ADDED
        self.open: _Part | None = None
        self.scenario: _Part | None = None

    def make(self, kind: str, name: str, text: str, line: int) -> Requirement:
        return Requirement(kind, self.capability, name, text, self.file, line)

    def close_scenario(self) -> None:
        if self.scenario is not None and self.open is not None:
            part = self.scenario
            text = flat(part.blocks)
            if _WHEN.match(part.name):
                text = f"{part.name} {text}".rstrip()
                part.name = ""
            self.open.scenarios.append(Scenario(part.name, text, part.line, tuple(part.blocks)))
        self.scenario = None

    def close(self) -> None:
        self.close_scenario()
        part, self.open = self.open, None
        if part is not None:
            text = "\n".join(rendered(part.blocks))
            made = self.make(part.kind, part.name, text, part.line)
            self.found.append(made._replace(scenarios=tuple(part.scenarios), blocks=tuple(part.blocks)))

    def heading(self, block: Node) -> None:
        title = block.plain()
        if match := _SECTION.fullmatch(title):
            self.close()
            self.section = match[1].lower()
        elif match := _REQUIREMENT.fullmatch(title):
            self.close()
            self.open = _Part(match[1], block.level, block.line, self.section)
        elif self._is_scenario(title, block):
            self.begin_scenario(title, block)
        elif self.scenario is not None and block.level > self.scenario.level:
            self.scenario.blocks.append(block)
        else:
            self.close_scenario()
            if self.open is not None and block.level <= self.open.level:
                self.close()

    def _is_scenario(self, title: str, block: Node) -> bool:
        inside = self.open is not None and bool(self.open.level) and block.level == SCENARIO_LEVEL
        return bool(_SCENARIO.match(title) or _WHEN.match(title)) or inside

    def begin_scenario(self, title: str, block: Node) -> None:
        self.close_scenario()
        if self.open is None:
            self.open = _Part(self.title, 0, block.line, self.section)
        match = _SCENARIO.match(title)
        self.scenario = _Part(match[1] if match else title, block.level, block.line)

    def listed(self, block: Node) -> None:
        """What may be a list of requirements that are removed, or of new names for them."""
        old: tuple[str, int] | None = None
        for node in block.walk():
            if node.kind not in {PARAGRAPH, HEADING}:
                continue
            for text in [" ".join(line.split()) for line in node.text.splitlines()]:
                if self.section == REMOVED and (match := _LISTED.fullmatch(text)):
                    self.found.append(self.make(REMOVED, match[1], "", node.line))
                if self.section == RENAMED and (match := _RENAMING.fullmatch(text)):
                    if match[1].upper() == "FROM":
                        old = (match[2], node.line)
                    elif old:
                        self.found.append(self.make(RENAMED, old[0], match[2], old[1]))
                        old = None


def read_deltas(page: Page, capability: str, file: str) -> list[Requirement]:
    """The requirements of a page, in its order; those outside of any section count as added."""
    first = next((one.plain() for one in page.blocks if one.kind == HEADING and one.level == 1), "")
    reader = _Reader(capability, first or capability, file)
    for block in page.blocks:
        if block.kind == HEADING:
            reader.heading(block)
        elif reader.scenario is not None:
            reader.scenario.blocks.append(block)
        else:
            if reader.open is not None and reader.open.level:
                reader.open.blocks.append(block)
            reader.listed(block)
    reader.close()
    return reader.found
