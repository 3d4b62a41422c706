"""What of a file is given up, and the file without it."""

from __future__ import annotations

import ast
import os
import tokenize
import warnings
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.detectors.finding import is_suppressed
from wsbuild.detectors.standards.imports import CODE, from_import, told
from wsbuild.detectors.standards.renames import plain_imports
from wsbuild.detectors.standards.rules import FILE, names_in, paths_in
from wsbuild.detectors.standards.source import Edit, Source, Spot
from wsbuild.detectors.standards.strings import PATH_CODE, named_modules, path_strings
from wsbuild.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.detectors.standards.rules import Standards

DETECTOR = "path_standardizer"
BROKEN_CODE = "PATH100"
PYTHON = (".py", ".pyi")
DATA = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".sh", ".bash", ".zsh")
PROSE = (".md", ".rst", ".txt")
_UNPARSABLE = (SyntaxError, ValueError, LookupError, RecursionError, MemoryError, tokenize.TokenError)


class Found(NamedTuple):
    """Something given up in a file: `line` and `column` count from 1; `why` says why it is not replaced
    where `fix` is asked to; it is `suppressed` where its line says so.
    """

    line: int
    column: int
    code: str
    message: str
    why: str
    suppressed: bool


def look(path: str, data: bytes, standards: Standards) -> list[Found]:
    """What is given up in the file `path` (from the root), in the order of its lines."""
    source, spots = _spots(path, data, standards)
    return [_found(source, spot) for spot in spots]


def mend(path: str, data: bytes, standards: Standards) -> bytes:
    """The file with what is to be written instead, as far as that is known and can be done."""
    source, spots = _spots(path, data, standards)
    edits = [edit for spot in spots for edit in spot.edits]
    return source.encode(source.edited(edits)) if edits else data


def _found(source: Source, spot: Spot) -> Found:
    suppressed = is_suppressed(DETECTOR, spot.code, source.line_at(spot.start))
    return Found(*source.place(spot.start), spot.code, spot.message, spot.why, suppressed)


def _spots(path: str, data: bytes, standards: Standards) -> tuple[Source, list[Spot]]:
    kind = _kind(path, data, standards)
    if not kind or standards.is_empty or (standards.ignore and matcher(standards.ignore)(path)):
        return Source("", "utf-8"), []
    if kind == "text":
        source = Source.of_text(data)
        return source, _left(source, sorted(_text_spots(source, standards)))
    if not _may_have(data, standards):
        return Source("", "utf-8"), []
    try:
        source = Source.of_python(data)
        spots = sorted(_python_spots(path, source, standards))
    except _UNPARSABLE as error:
        source = Source.of_text(data)
        line = getattr(error, "lineno", None) or 1
        message = f"it cannot be told what it imports: line {line}: {getattr(error, 'msg', error)}"
        return source, [Spot(0, BROKEN_CODE, message, why="it is not valid Python")]
    return source, _sure(path, source, _left(source, spots), standards)


def _left(source: Source, spots: list[Spot]) -> list[Spot]:
    """The spots, where those whose lines say so are left alone, and so what can only be changed with them."""
    kept = {
        edit
        for spot in spots
        if is_suppressed(DETECTOR, spot.code, source.line_at(spot.start))
        for edit in spot.edits
    }
    why = "its line, or that of another one with it, says so"
    return [spot._replace(edits=(), why=why) if kept.intersection(spot.edits) else spot for spot in spots]


def _kind(path: str, data: bytes, standards: Standards) -> str:
    """`python`, `text`, or '' for what is left alone."""
    if path == FILE:
        return ""
    ending = os.path.splitext(path)[1].lower()
    if ending in PYTHON or (not ending and data[:2] == b"#!" and b"python" in data.split(b"\n", 1)[0]):
        return "python"
    shell = not ending and data[:2] == b"#!" and b"sh" in data.split(b"\n", 1)[0]
    return "text" if shell or ending in DATA or (standards.prose and ending in PROSE) else ""


def _may_have(data: bytes, standards: Standards) -> bool:
    """Whether it is worth reading as Python: a relative import does not say its package."""
    parts = {part for old in standards.imports for part in old.split(".")}
    parts |= {part for old in standards.paths for part in old.split("/")}
    is_ascii = data.isascii() and all(part.isascii() for part in parts)
    return not is_ascii or b"from" in data or any(part.encode() in data for part in parts)


def _text_spots(source: Source, standards: Standards) -> Iterator[Spot]:
    for code, search in ((CODE, names_in), (PATH_CODE, paths_in)):
        for one in search(source.text, standards):
            edits = (Edit(one.start, one.end, one.new),) if one.new else ()
            why = "" if one.new else "nothing takes its place"
            yield Spot(one.start, code, told(one.old, one.new), edits, why)


def _python_spots(path: str, source: Source, standards: Standards) -> Iterator[Spot]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source.text)
    nodes = list(ast.walk(tree))
    if standards.imports:
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (spot := from_import(node, source, standards, path)):
                yield spot
        yield from plain_imports(nodes, source, standards)
        yield from named_modules(nodes, source, standards, path)
    yield from path_strings(tree, nodes, source, standards)


def _sure(path: str, source: Source, spots: list[Spot], standards: Standards) -> list[Spot]:
    """The spots, without the edits that would leave the file as something else than Python without them."""
    edits = [edit for spot in spots for edit in spot.edits]
    if not edits:
        return spots
    try:
        text = source.edited(edits)
        source.encode(text)
        left = list(_python_spots(path, Source(text, "utf-8"), standards))
    except _UNPARSABLE as error:
        why = f"the file would not be valid then: {error}"
    else:
        if len(left) <= sum(not spot.edits for spot in spots):
            return spots
        why = "something of it would be left"
    return [spot._replace(edits=(), why=spot.why or why) for spot in spots]
