"""What a file of data holds, built value by value: data, the line of each value, problems.

Knows no syntax; the readers of JSON and YAML feed it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 64


class Document(NamedTuple):
    """What a file holds. `lines` maps a JSON pointer (RFC 6901) to its first line, from 1."""

    data: Any
    lines: Mapping[str, int]

    def line(self, pointer: str) -> int:
        """The line of what `pointer` names, or of what it would be in; 0 where that is unknown."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 0)


class Refusal(NamedTuple):
    """Stands where a value would, and says why there is none."""

    code: str
    message: str
    hint: str = ""


class RefusedError(Exception):
    """Nothing (more) can be read from the file; `line` is 0 where no line is to blame."""

    def __init__(self, code: str, message: str, hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.refusal = Refusal(code, message, hint)
        self.line = line


def too_deep(line: int) -> RefusedError:
    """The error for a value on `line` that is nested more than MAX_DEPTH levels deep."""
    return RefusedError("too-deep", f"is nested more than {MAX_DEPTH} levels deep", "", line)


def integer(text: str, base: int = 10) -> int | Refusal:
    """The whole number that `text` is known to be."""
    # 64 bits is what the store and other readers hold; more digits take ever longer to convert.
    value = int(text, base) if len(text) <= 32 else 2**63
    if -(2**63) <= value < 2**63:
        return value
    return Refusal("bad-number", "is a whole number of more than 64 bits")


def real(text: str) -> float | Refusal:
    """The number that `text` is known to be, in the words of Python's `float`."""
    value = float(text)
    if math.isfinite(value):
        return value
    return Refusal("bad-number", "is not a finite number", "leave it out if it means no limit")


def child(pointer: str, key: str) -> str:
    """The pointer of the member `key` of what is at `pointer` (RFC 6901)."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def _flaw(value: Any) -> Refusal | None:
    if isinstance(value, Refusal):
        return value
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return Refusal("control-character", "holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        return Refusal("not-unicode", "holds half of a surrogate pair, which is no character")
    return None


def _name_flaw(name: Any, line: int, first: int | None) -> Refusal | None:
    if isinstance(name, str) and first is not None:
        message = f"{name!r:.60} is given twice, on line {first} and on line {line}"
        return Refusal("duplicate-key", message, "remove one")
    if isinstance(name, str | Refusal):
        return _flaw(name)
    return Refusal("bad-key", "has a field whose name is not text", "put the name in quotes")


class _Open:
    """A container that is being read; in an object, `key` is the name that waits for its value."""

    __slots__ = ("key", "pointer", "value")

    def __init__(self, value: Any, pointer: str) -> None:
        self.value = value
        self.pointer = pointer
        self.key: str | None = None


class Builder:
    """Makes data, lines and problems from values in the order of the text.

    `rel` is what problems call the file; `roots` are the documents in it.
    """

    def __init__(self, rel: str) -> None:
        self.rel = rel
        self.roots: list[Any] = []
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._open: list[_Open] = []

    @property
    def wants_name(self) -> bool:
        """Whether the next value is the name of a field."""
        top = self._open[-1] if self._open else None
        return top is not None and type(top.value) is dict and top.key is None

    @property
    def pointer(self) -> str:
        """Where the next value goes; where a name is next, the object it is in."""
        if not self._open:
            return ""
        top = self._open[-1]
        if type(top.value) is list:
            return f"{top.pointer}/{len(top.value)}"
        return top.pointer if top.key is None else child(top.pointer, top.key)

    def refuse(self, refusal: Refusal, line: int, pointer: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.rel, pointer, line, refusal.code, refusal.message, refusal.hint))

    def add(self, value: Any, line: int) -> None:
        """Take the next name or value; a new list or dict is open until `end`.

        Raises RefusedError when it is nested too deeply.
        """
        pointer = self._add_name(value, line) if self.wants_name else self._add_value(value, line)
        if isinstance(value, dict | list):
            if len(self._open) == MAX_DEPTH:
                raise too_deep(line)
            self._open.append(_Open(value, pointer))

    def end(self) -> None:
        """The innermost open list or dict is complete."""
        self._open.pop()

    def _add_name(self, name: Any, line: int) -> str:
        top = self._open[-1]
        top.key = name if isinstance(name, str) else repr(name)
        pointer = child(top.pointer, top.key)
        if flaw := _name_flaw(name, line, self.lines.get(pointer)):
            self.refuse(flaw, line, pointer if flaw.code == "duplicate-key" else top.pointer)
        self.lines.setdefault(pointer, line)
        return pointer

    def _add_value(self, value: Any, line: int) -> str:
        pointer = self.pointer
        self.lines.setdefault(pointer, line)
        if flaw := _flaw(value):
            self.refuse(flaw, line, pointer)
        if not self._open:
            self.roots.append(value)
            return pointer
        top = self._open[-1]
        if type(top.value) is list:
            top.value.append(value)
        else:
            top.value[top.key] = value
            top.key = None
        return pointer
