"""A specification in Markdown, read for what is to be done and the files that its text names.

A requirement is an item of a checklist that is not checked off, or a section: what stands under a
heading, with the scenarios behind it.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.documents.read import read_text
from wsbuild.planning.decompose.files import Listed
from wsbuild.planning.markdown_tree import HEADING, MAX_BYTES, PARAGRAPH, parse
from wsbuild.planning.openspec.paths import Finder
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.planning.markdown_tree import Node

ENDINGS = (".md", ".markdown")
LONGEST = 400
"""How many characters of a requirement a task may have."""

_PARTS = ("tasks.md", "specs/**/*.md", "proposal.md")
_CHECK = re.compile(r"\[([ xX])\]\s+")


class Requirement(NamedTuple):
    """Something that is to be done, in words, and the files that are named for it."""

    task: str
    paths: tuple[str, ...]
    place: str
    """Where it stands, as `file:line`."""


class Spec(NamedTuple):
    """What a specification asks for. `not_files` are patterns and directories that it names."""

    name: str
    asked: tuple[Requirement, ...]
    not_files: tuple[str, ...]

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Those that name files."""
        return tuple(one for one in self.asked if one.paths)

    @property
    def nowhere(self) -> tuple[Requirement, ...]:
        """Those that name none: nobody can say where they are to be done."""
        return tuple(one for one in self.asked if not one.paths)

    @property
    def listed(self) -> list[Listed]:
        """The files that are named."""
        return [Listed(path) for path in dict.fromkeys(p for one in self.asked for p in one.paths)]


def is_spec(root: str, path: str) -> bool:
    """Whether a path names a specification: a Markdown file, or the directory of an OpenSpec change."""
    full = os.path.join(root, path)
    if os.path.isdir(full):
        return any(glob.glob(os.path.join(glob.escape(full), part), recursive=True) for part in _PARTS)
    return path.endswith(ENDINGS) and os.path.isfile(full)


def read(root: str, path: str) -> Spec:
    """The specification at `path`, seen from the root. Raises ProblemsError for what cannot be read."""
    full = os.path.join(root, path.rstrip("/"))
    name = os.path.basename(os.path.realpath(full))
    if not os.path.isdir(full):
        reader = _Reader(root, os.path.relpath(full, root))
        return Spec(os.path.splitext(name)[0], tuple(reader.requirements()), tuple(sorted(reader.not_files)))
    found: list[Requirement] = []
    not_files: set[str] = set()
    for part in _PARTS:
        for one in sorted(glob.glob(os.path.join(glob.escape(full), part), recursive=True)):
            reader = _Reader(root, os.path.relpath(one, root))
            found += reader.requirements()
            not_files |= reader.not_files
    return Spec(name, tuple(found), tuple(sorted(not_files)))


def _text(root: str, rel: str) -> str:
    source, problems = read_text(os.path.join(root, rel), rel, MAX_BYTES)
    if source is None:
        raise ProblemsError(problems)
    return source.text


class _Part:
    """A requirement that is being read."""

    def __init__(self, title: str, line: int, *, asks: bool = False) -> None:
        self.title = title
        self.asks = asks
        self.line = line
        self.said = ""
        self.paths: dict[str, None] = {}

    def task(self) -> str:
        text = f"{self.title}: {self.said}" if self.title and self.said else self.title or self.said
        return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


class _Reader:
    """Reads one file."""

    def __init__(self, root: str, rel: str) -> None:
        self._root = root
        self._rel = rel
        self._finder = Finder(root, posixpath.dirname(rel))
        self.not_files: set[str] = set()

    def requirements(self) -> Iterator[Requirement]:
        """The parts that name files, and those that ask for something without naming any."""
        section = _Part("", 1)
        parts = [section]
        page = parse(_text(self._root, self._rel))
        for node in (each for block in page.blocks for each in block.walk()):
            if node.kind not in {HEADING, PARAGRAPH}:
                continue
            text = node.plain()
            if node.kind == HEADING and not text.startswith("Scenario:"):
                title = text.removeprefix("Requirement: ")
                section = _Part(title, node.line, asks=title != text)
                parts.append(section)
            part = section
            if check := _CHECK.match(text):
                part = _Part(text[check.end() :], node.line, asks=True)
                if check[1] == " ":
                    parts.append(part)
            elif node.kind == PARAGRAPH and not section.said:
                section.said = text
            part.paths |= dict.fromkeys(self._files(node))
        for part in parts:
            if part.paths or part.asks:
                yield Requirement(part.task(), tuple(part.paths), f"{self._rel}:{part.line}")

    def _files(self, node: Node) -> Iterator[str]:
        """The files that a block names; what else it names is kept aside."""
        for one in self._finder.named([node]):
            path = re.sub(r"\[([*?\[])\]", r"\1", one.pattern)
            full = os.path.join(self._root, path)
            if path.endswith("/") or (one.there and not os.path.isfile(full)):
                self.not_files.add(path)
            elif path != self._rel:
                yield path
