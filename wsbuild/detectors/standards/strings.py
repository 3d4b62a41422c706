"""Texts in Python that name what is given up: modules that a function imports, and paths."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from wsbuild.detectors.standards.imports import CODE, packages, told
from wsbuild.detectors.standards.rules import paths_in, replaced
from wsbuild.detectors.standards.source import Edit, Source, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.detectors.standards.rules import Standards

PATH_CODE = "PATH102"

IMPORTING = frozenset(
    ("import_module", "__import__", "importorskip", "find_spec", "run_module", "resolve_name", "load_module")
)
PATCHING = frozenset(("setattr", "delattr", "patch"))
OF_PATCH = frozenset(("dict", "multiple", "object"))
_WHOLE = re.compile(r"[rRuU]?(?P<quote>\"\"\"|'''|\"|')(?P<text>.*)(?P=quote)", re.DOTALL)
KEYWORDS = frozenset(("name", "target", "modname", "mod_name", "in_dict"))


def named_modules(nodes: list[ast.AST], source: Source, standards: Standards, path: str) -> Iterator[Spot]:
    """What is given up of the modules that calls such as `import_module("a.b")` and `patch("a.b.c")` name."""
    known = {name: name for name in IMPORTING | PATCHING}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            known |= {one.asname: one.name for one in node.names if one.asname and one.name in known}
    statements = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Call) and (called := _called(node.func, known)):
            constant = _first(node)
            if constant is None:
                continue
            spot = _named(node, called, constant, source, standards, path)
            if spot and called == "__import__" and not _is_plain_import(node, id(node) in statements):
                why = "what it gives is the package on top: write importlib.import_module"
                spot = spot._replace(edits=(), why=spot.why or why)
            if spot:
                yield spot


def _called(func: ast.expr, known: dict[str, str]) -> str:
    """The function that is called, if it is one that takes the name of a module."""
    if isinstance(func, ast.Name):
        return known.get(func.id, "")
    if not isinstance(func, ast.Attribute):
        return ""
    if func.attr in OF_PATCH:
        inner = func.value
        name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
        return "patch" if known.get(name) == "patch" else ""
    return func.attr if func.attr in IMPORTING | PATCHING else ""


def _first(node: ast.Call) -> ast.Constant | None:
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg in KEYWORDS)]
    first = given[0] if given else None
    return first if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _is_plain_import(node: ast.Call, is_statement: bool) -> bool:
    """Whether it does not matter that `__import__` gives the package on top."""
    return is_statement or len(node.args) > 3 or any(one.arg == "fromlist" for one in node.keywords)


def _named(
    node: ast.Call, called: str, constant: ast.Constant, source: Source, standards: Standards, path: str
) -> Spot | None:
    value = str(constant.value)
    for name in _absolute(value, node, path) if value.startswith(".") else [value]:
        module, colon, rest = name.partition(":")
        if found := replaced(module, standards.imports):
            start, end = source.span(constant)
            message = told(module, found[1])
            if not found[1]:
                return Spot(start, CODE, message, why="nothing takes its place")
            written = _WHOLE.fullmatch(source.text[start:end])
            if not written or written["text"] != value:
                return Spot(start, CODE, message, why=f"the text given to {called} is written in parts")
            at = start + written.start("text")
            return Spot(start, CODE, message, (Edit(at, at + len(value), found[1] + colon + rest),))
    return None


def _absolute(value: str, node: ast.Call, path: str) -> list[str]:
    """What a relative name may mean: it is seen from the package that is given beside it."""
    given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "package")]
    if not given:
        return []
    first = given[0]
    level = len(value) - len(value.lstrip("."))
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        bases = [first.value]
    elif isinstance(first, ast.Name) and first.id in {"__package__", "__name__"}:
        bases = packages(path)
    else:
        return []
    found = []
    for base in bases:
        parts = base.split(".")
        if len(parts) >= level:
            found.append(".".join([*parts[: len(parts) - level + 1], value.lstrip(".")]))
    return found


def path_strings(
    tree: ast.Module, nodes: list[ast.AST], source: Source, standards: Standards
) -> Iterator[Spot]:
    """The paths in texts that are given up; docstrings count as prose."""
    if not standards.paths:
        return
    left = set() if standards.prose else {id(node) for node in _docstrings(tree, nodes)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            left |= {id(one) for one in ast.walk(node) if one is not node}
    for node in nodes:
        if id(node) in left:
            continue
        if isinstance(node, ast.JoinedStr):
            texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
            yield from _paths(node, [text for text in texts if isinstance(text, str)], source, standards)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            yield from _paths(node, [text], source, standards)


def _docstrings(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[ast.AST]:
    for node in [tree, *nodes]:
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _paths(node: ast.expr, texts: list[str], source: Source, standards: Standards) -> Iterator[Spot]:
    meant = [found for text in texts for found in paths_in(text, standards)]
    if not meant:
        return
    start, end = source.span(node)
    written = list(paths_in(source.text[start:end], standards))
    if sorted(one.old for one in written) != sorted(one.old for one in meant):
        for one in meant:
            yield Spot(start, PATH_CODE, told(one.old, one.new), why="the text is written in parts")
        return
    for one in written:
        edits = (Edit(start + one.start, start + one.end, one.new),) if one.new else ()
        why = "" if one.new else "nothing takes its place"
        yield Spot(start + one.start, PATH_CODE, told(one.old, standards.paths[one.old]), edits, why)
