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
from urllib.parse import unquote

from wsbuild import patterns
from wsbuild.errors import UserError
from wsbuild.paths import BadPathError, canonical, is_inside
from wsbuild.planning.decompose.files import Listed
from wsbuild.planning.markdown import HEADING, INLINE_CODE, LINK, MAX_BYTES, PARAGRAPH, TEXT, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.planning.markdown import Span

ENDINGS = (".md", ".markdown")
LONGEST = 400
"""How many characters of a requirement a task may have."""

_PARTS = ("tasks.md", "specs/**/*.md", "proposal.md")
_CHECK = re.compile(r"\[([ xX])\]\s+")
_LINE_NUMBER = re.compile(r"(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)$")
_WORD = re.compile(r"[^\s()<>\"'`,;|*]+")


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
    """The specification at `path`, seen from the root. Raises UserError for what cannot be read."""
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
    hint = "name a Markdown file, or the directory of an OpenSpec change"
    try:
        if not os.path.isfile(os.path.join(root, rel)):
            raise UserError(f"{rel} is no file", hint)
        with open(os.path.join(root, rel), "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UserError(f"{rel} has more than {MAX_BYTES} bytes; no more is read", "split it up")
        if b"\0" in data:
            raise UserError(f"{rel} holds a NUL character", hint)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{rel} cannot be read: {error.strerror}", hint) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{rel}:{line}: holds the byte 0x{data[error.start]:02x}, which is not UTF-8"
        raise UserError(message, "save the file as UTF-8") from error


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
            part.paths |= dict.fromkeys(self._named(node.spans()))
        for part in parts:
            if part.paths or part.asks:
                yield Requirement(part.task(), tuple(part.paths), f"{self._rel}:{part.line}")

    def _named(self, spans: Sequence[Span]) -> Iterator[str]:
        """The files that a line of text names."""
        for span in spans:
            if span.kind == INLINE_CODE:
                yield from self._path(span.text)
            elif span.kind == LINK:
                target = unquote(span.target.partition("#")[0])
                beside = posixpath.normpath(posixpath.join(posixpath.dirname(self._rel), target))
                is_there = os.path.isfile(os.path.join(self._root, beside))
                yield from self._path(beside if is_there else target)
            elif span.kind == TEXT:
                for word in _WORD.findall(span.text):
                    if "/" in word:
                        yield from self._path(word.rstrip(".:!?"))

    def _path(self, word: str) -> Iterator[str]:
        """The path that a word is, if it is one."""
        word = _LINE_NUMBER.sub("", word.strip())
        if not word or "://" in word:
            return
        try:
            path = canonical(word)
        except BadPathError:
            return
        full = os.path.join(self._root, path)
        is_file = os.path.isfile(full) and is_inside(self._root, path)
        if path == self._rel or (not is_file and any(char.isspace() for char in path)):
            return
        several = os.path.isdir(full) or patterns.kind(path) != "file"
        if several and not is_file:
            self.not_files |= {path} if "/" in path else set()
        elif is_file or ("/" in path and _has_known_ending(path)):
            yield path


def _has_known_ending(path: str) -> bool:
    import identify.identify

    return bool(identify.identify.tags_from_filename(path))
