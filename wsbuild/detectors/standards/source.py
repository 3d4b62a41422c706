"""The text of a file with its places, changed in single places: every other byte stays as it was."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Edit(NamedTuple):
    """What is written in the place of the text from `start` to `end`."""

    start: int
    end: int
    text: str


class Spot(NamedTuple):
    """Something given up: it stands at `start`, and `message` says what to write. `edits` do that; where
    there are none, `why` says what keeps one from it.
    """

    start: int
    code: str
    message: str
    edits: tuple[Edit, ...] = ()
    why: str = ""


class Source:
    """The text of a file, decoded as `encoding` says; places are counted in characters from 0."""

    def __init__(self, text: str, encoding: str, mark: bytes = b"") -> None:
        self.text = text
        self._encoding = encoding
        self._mark = mark

    @classmethod
    def of_python(cls, data: bytes) -> Source:
        """Decoded as Python does it (PEP 263). Raises SyntaxError, UnicodeError, LookupError."""
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        return cls(data[len(mark) :].decode(encoding), encoding, mark)

    @classmethod
    def of_text(cls, data: bytes) -> Source:
        """Of a text of whatever encoding in which ASCII is ASCII."""
        return cls(data.decode("utf-8", "surrogateescape"), "utf-8")

    def encode(self, text: str) -> bytes:
        """The bytes of a changed text. Raises UnicodeEncodeError."""
        errors = "surrogateescape" if self._encoding == "utf-8" else "strict"
        return self._mark + text.encode(self._encoding, errors)

    @cached_property
    def _starts(self) -> list[int]:
        return [found.start() for found in _LINE.finditer(self.text)]

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of a place, from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line_at(self, offset: int) -> str:
        """The line that a place is in, with its end."""
        start = self._starts[bisect_right(self._starts, offset) - 1]
        found = _LINE.match(self.text, start)
        return found[0] if found else ""

    def offset(self, line: int, column: int) -> int:
        """The place that the parser tells: a line from 1, and a column in bytes of UTF-8."""
        start = self._starts[line - 1]
        part = self.text[start : start + column]
        return start + (column if part.isascii() else len(_bytes(self.line_at(start))[:column].decode()))

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        """Where something begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = self.offset(node.end_lineno, node.end_col_offset)
        return self.offset(node.lineno, node.col_offset), end

    @cached_property
    def tokens(self) -> list[tuple[int, int, str]]:
        """The words of Python with their places. Raises SyntaxError, tokenize.TokenError."""
        # One character for another: a line that ends as long ago is not known there.
        text = re.sub(r"\r(?!\n)", "\n", self.text)
        readline = io.StringIO(text, newline="").readline
        return [
            (
                self._starts[one.start[0] - 1] + one.start[1],
                self._starts[one.end[0] - 1] + one.end[1],
                one.string,
            )
            for one in tokenize.generate_tokens(readline)
            if one.string.strip() and one.type != tokenize.COMMENT
        ]

    def words(self, start: int, end: int) -> list[tuple[int, int, str]]:
        """The words of Python between two places."""
        first = bisect_right(self.tokens, (start - 1, len(self.text) + 1, ""))
        return [one for one in self.tokens[first : first + (end - start)] if one[0] < end]

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text with edits done; of two in the same place the first counts."""
        parts, at = [], 0
        for start, end, text in sorted(set(edits)):
            if start >= at:
                parts += [self.text[at:start], text]
                at = end
        return "".join([*parts, self.text[at:]])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
