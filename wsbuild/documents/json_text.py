"""JSON to data: the standard decoder, and a slower reading where lines or details are needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wsbuild.documents.document import (
    MAX_DEPTH,
    Builder,
    Document,
    Refusal,
    RefusedError,
    integer,
    real,
    too_deep,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|[][{},:]|[^][{},:\s"]+')
_ODD_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_LITERALS = {"true": True, "false": False, "null": None}
_NO_COMMENTS = 'JSON has no comments; a field "_comment" can hold one, or write YAML'
_HINTS = {
    "": "the file ends too early: a bracket or a quote is not closed",
    "'": "text stands in double quotes",
    "/": _NO_COMMENTS,
    "#": _NO_COMMENTS,
    "}": "is there a comma too many before it?",
    "]": "is there a comma too many before it?",
    ",": "is there a comma too many?",
}


def _check_depth(text: str) -> None:
    """Before the decoder, which is recursive."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise too_deep(text.count("\n", 0, match.start()) + 1)
        elif match[0] in "]}":
            depth -= 1


def _decode(text: str) -> tuple[Any, bool]:
    """The data, and whether something in it wants a closer look."""
    odd: list[Any] = []

    def number(value: float | Refusal) -> float | Refusal:
        if isinstance(value, Refusal):
            odd.append(value)
        return value

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            odd.append(pairs)
        return made

    decoder = json.JSONDecoder(
        object_pairs_hook=fields,
        parse_int=lambda word: number(integer(word)),
        parse_float=lambda word: number(real(word)),
        parse_constant=lambda word: number(real(word)),
    )
    try:
        data = decoder.decode(text)
    except json.JSONDecodeError as error:
        message = f"is not valid JSON: {error.msg.lower()} (column {error.colno})"
        hint = _HINTS.get(text[error.pos : error.pos + 1], "")
        raise RefusedError("syntax", message, hint, error.lineno) from error
    return data, bool(odd) or _ODD_ESCAPE.search(text) is not None


def _scalar(word: str) -> Any:
    if word[0] == '"':
        return json.loads(word)
    if word in _LITERALS:
        return _LITERALS[word]
    return integer(word) if word.lstrip("-").isdecimal() else real(word)


def _build(text: str, build: Builder) -> None:
    """Read a text again that is known to be JSON."""
    line, seen = 1, 0
    for match in _WORD.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        word = match[0]
        if word in "[{":
            build.add([] if word == "[" else {}, line)
        elif word in "]}":
            build.end()
        elif word not in ",:":
            build.add(_scalar(word), line)


class _Lines(Mapping[str, int]):
    """The lines of a JSON text, found when one is asked for: most files have no problem."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _found(self) -> dict[str, int]:
        build = Builder("")
        _build(self._text, build)
        return build.lines

    def __getitem__(self, pointer: str) -> int:
        if not pointer:
            blank = len(self._text) - len(self._text.lstrip())
            return self._text.count("\n", 0, blank) + 1
        return self._found[pointer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def read_json(text: str, build: Builder) -> Document:
    """The document `text` is; where `build` gets problems, it is not to be used.

    Raises RefusedError for what is not JSON (RFC 8259) or is nested too deeply.
    """
    _check_depth(text)
    data, odd = _decode(text)
    if not odd:
        return Document(data, _Lines(text))
    _build(text, build)
    return Document(build.roots[0], build.lines)
