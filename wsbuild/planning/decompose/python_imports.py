"""The names that a Python file imports."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnreadableError(ValueError):
    """The text is no Python that this Python can parse."""


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a file escapes wrongly is its own business
            return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(f"line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError("it cannot be parsed") from error


def _is_for_types(node: ast.AST) -> bool:
    """Whether it is `if TYPE_CHECKING:`, whose body is never run: that is how cycles are avoided."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _statements(module: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    todo: list[ast.AST] = [module]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and _is_for_types(node):
            todo += node.orelse
        elif not isinstance(node, ast.expr):
            todo += ast.iter_child_nodes(node)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module of a `from` import, seen from the root of the package `package`."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join([*above, *([node.module] if node.module else [])])


def imported_names(text: str, package: str) -> list[tuple[str, ...]]:
    """What the source `text` of a module in `package` imports: for each name that is imported, the
    modules it may mean, the most likely first. Raises UnreadableError.
    """
    found: list[tuple[str, ...]] = []
    for node in _statements(_parsed(text)):
        if isinstance(node, ast.Import):
            found += [(alias.name,) for alias in node.names]
            continue
        base = _absolute(node, package)
        found += [(f"{base}.{alias.name}" if base else alias.name, base) for alias in node.names]
    return found
