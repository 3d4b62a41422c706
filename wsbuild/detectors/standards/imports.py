"""Imports of Python that name what is given up, in all their forms but `import a.b` without a name."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.detectors.standards.rules import replaced
from wsbuild.detectors.standards.source import Edit, Source, Spot

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.standards.rules import Standards

CODE = "PATH101"

_COMMA = re.compile(r"[\s\\]*,[ \t]*")
_LINE_END = re.compile(r"[ \t]*(?:\r\n|\r|\n)")


def told(old: str, new: str) -> str:
    """What is said of a name that is given up."""
    return f"{old} is given up: {f'write {new}' if new else 'nothing takes its place'}"


def packages(path: str) -> list[str]:
    """The packages that the module of a file may be in: as seen from the root, and from `src/`."""
    parts = os.path.dirname(path).split("/")
    found = [".".join(parts)]
    return found if parts[0] != "src" else [*found, ".".join(parts[1:])]


class _Moved(NamedTuple):
    """A name of a `from` import: what it is in full, and in full then."""

    alias: ast.alias
    full: str
    new: str


def from_import(node: ast.ImportFrom, source: Source, standards: Standards, path: str) -> Spot | None:
    """What is given up in `from a.b import c`, relative ones too."""
    for module in _modules(node, path):
        moved = [
            _Moved(alias, f"{module}.{alias.name}", found[1])
            for alias in node.names
            if (
                found := replaced(
                    module if alias.name == "*" else f"{module}.{alias.name}", standards.imports
                )
            )
        ]
        if moved:
            return _from_spot(node, source, moved, replaced(module, standards.imports), module)
    return None


def _modules(node: ast.ImportFrom, path: str) -> Iterator[str]:
    if not node.level:
        yield node.module or ""
        return
    for package in packages(path):
        parts = package.split(".") if package else []
        if len(parts) >= node.level - 1 and package:
            above = parts[: len(parts) - node.level + 1]
            yield ".".join([*above, *([node.module] if node.module else [])])


def _from_spot(
    node: ast.ImportFrom, source: Source, moved: Sequence[_Moved], whole: tuple[str, str] | None, module: str
) -> Spot:
    start, end = source.span(node)
    names = [module] if whole else [one.full for one in moved]
    new = [whole[1]] if whole else [one.new for one in moved]
    message = told(", ".join(names), ", ".join(new) if all(new) else "")
    if not all(one.new for one in moved):
        return Spot(start, CODE, message, why="nothing takes its place")
    if whole and all(one.new == f"{whole[1]}.{one.alias.name}" or one.alias.name == "*" for one in moved):
        words = source.words(start, end)
        last = next(at for at, word in enumerate(words) if at > 1 and word[2] == "import")
        return Spot(
            start, CODE, message, (_module_edit(source.text, words[1][0], words[last - 1][1], whole[1]),)
        )
    if "#" in source.text[start:end] and len(moved) == len(node.names):
        return Spot(start, CODE, message, why="it has comments inside")
    return Spot(start, CODE, message, tuple(_split(node, source, moved)))


def _module_edit(text: str, start: int, end: int, new: str) -> Edit:
    """A name between `from` and `import`, which dots may touch."""
    before = "" if text[start - 1].isspace() else " "
    behind = "" if text[end].isspace() or text[end] == "\\" else " "
    return Edit(start, end, f"{before}{new}{behind}")


def _split(node: ast.ImportFrom, source: Source, moved: Sequence[_Moved]) -> Iterator[Edit]:
    """The names that move get statements of their own, before what stays."""
    start, end = source.span(node)
    line = source.line_at(start)
    indent = source.text[start - source.place(start)[1] + 1 : start]
    newline = line[len(line.rstrip("\r\n")) :] or "\n"
    between = "; " if indent.strip() else newline + indent
    statements = dict.fromkeys(_statement(one) for one in moved)
    if len(moved) == len(node.names):
        yield Edit(start, end, between.join(statements))
        return
    yield Edit(start, start, between.join([*statements, ""]))
    yield from _without(node, source, {one.alias for one in moved})


def _statement(one: _Moved) -> str:
    module, _, name = one.new.rpartition(".")
    known = one.alias.asname or one.alias.name
    alias = "" if name == known else f" as {known}"
    return f"from {module} import {name}{alias}" if module else f"import {name}{alias}"


def _without(node: ast.ImportFrom, source: Source, gone: set[ast.alias]) -> Iterator[Edit]:
    """What takes names out of the list of an import in which others stay."""
    spans = [source.span(alias) for alias in node.names]
    last = max(at for at, alias in enumerate(node.names) if alias not in gone)
    for at, span in enumerate(spans[:last]):
        if node.names[at] in gone:
            yield _item(source, *span)
    if last < len(spans) - 1:
        start, end = spans[last][1], spans[-1][1]
        if "#" not in source.text[start:end]:
            yield Edit(start, end, "")
        else:
            yield from (_item(source, *span) for span in spans[last + 1 :])


def _item(source: Source, start: int, end: int) -> Edit:
    """Takes out a name with its comma, and its line where that held nothing else."""
    text = source.text
    comma = _COMMA.match(text, end)
    behind = comma.end() if comma else end
    begin = start - source.place(start)[1] + 1
    rest = _LINE_END.match(text, behind)
    if rest and not text[begin:start].strip():
        return Edit(begin, rest.end(), "")
    return Edit(start, behind, "")
