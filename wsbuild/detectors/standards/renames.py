"""`import a.b`: where it is renamed, what the file does with `a.b` follows, or it is not renamed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.detectors.standards.imports import CODE, told
from wsbuild.detectors.standards.rules import replaced
from wsbuild.detectors.standards.source import Edit, Source, Spot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from wsbuild.detectors.standards.rules import Standards

Nodes = list[ast.AST]
_NAMED = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
)


class _Moved(NamedTuple):
    """An imported module with its name then."""

    alias: ast.alias
    new: str

    @property
    def root(self) -> str:
        """The name that the import gives a meaning to; '' where it has a name of its own."""
        return "" if self.alias.asname else self.alias.name.partition(".")[0]


def plain_imports(nodes: Nodes, source: Source, standards: Standards) -> Iterator[Spot]:
    """What is given up in `import a.b` and `import a.b as c`."""
    aliases = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    found = [(alias, replaced(alias.name, standards.imports)) for alias in aliases]
    moved = [_Moved(alias, rule[1]) for alias, rule in found if rule]
    if not moved:
        return
    names = Names(nodes)
    staying = {alias.name for alias, rule in found if not rule and not alias.asname}
    whys = {id(one): _problem(one, names, source, moved, staying, standards) for one in moved}
    for one in moved:
        start = source.span(one.alias)[0]
        message = told(one.alias.name, one.new)
        # The uses of all that begin with the same name are changed together, or none is.
        together = [one, *(other for other in moved if one.root and other.root == one.root)]
        if why := next((whys[id(each)] for each in together if whys[id(each)]), ""):
            yield Spot(start, CODE, message, why=why)
            continue
        edits = [Edit(start, start + len(one.alias.name), one.new)]
        if one.root:
            edits += _uses(names.chains(one.root), source, standards)
        yield Spot(start, CODE, message, tuple(edits))


class Names:
    """What the names in a file are, and where they are used."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self.bound: dict[str, int] = {}
        for node in nodes:
            for name in _bound_by(node):
                self.bound.setdefault(name, getattr(node, "lineno", 0))

    def chains(self, root: str) -> list[list[ast.expr]]:
        """Where a name is used: each time the name, `name.b`, `name.b.c` and so on."""
        above = {id(node.value): node for node in self._nodes if isinstance(node, ast.Attribute)}
        found = []
        for node in self._nodes:
            if isinstance(node, ast.Name) and node.id == root:
                chain: list[ast.expr] = [node]
                while id(chain[-1]) in above:
                    chain.append(above[id(chain[-1])])
                found.append(chain)
        return found

    def text_uses(self, name: str) -> int:
        """The line of a text that names a module, as an annotation does; 0 for none."""
        for node in self._nodes:
            if isinstance(node, (ast.arg, ast.AnnAssign)) and _mentions(node.annotation, name):
                return node.lineno
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _mentions(node.returns, name):
                return node.lineno
        return 0


def _mentions(annotation: ast.expr | None, name: str) -> bool:
    return annotation is not None and any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and f"{name}." in f"{node.value}."
        for node in ast.walk(annotation)
    )


def _bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node gives a meaning to, but for those of plain imports."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, _NAMED):
        yield node.name or ""
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Import):
        yield from (alias.asname for alias in node.names if alias.asname)
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)


def _dotted(chain: Sequence[ast.expr]) -> list[str]:
    """The name that each node of a chain stands for."""
    found: list[str] = []
    for node in chain:
        found.append(f"{found[-1]}.{node.attr}" if isinstance(node, ast.Attribute) else ast.unparse(node))
    return found


def _problem(
    one: _Moved,
    names: Names,
    source: Source,
    moved: Sequence[_Moved],
    staying: Collection[str],
    standards: Standards,
) -> str:
    """What keeps an import from being renamed, with its uses where it has no name of its own; '' for
    nothing.
    """
    name, new = one.alias.name, one.new
    if not new:
        return "nothing takes its place"
    if not source.text.startswith(name, source.span(one.alias)[0]):
        return "its name is written in parts"
    if not one.root:
        return ""
    new_root = new.partition(".")[0]
    for each in {one.root: 0, new_root: 0}:
        if line := names.bound.get(each, 0):
            return f"`{each}` is something else on line {line}"
    if line := names.text_uses(name):
        return f"a text on line {line} names it"
    is_left = new_root == one.root or any(each.partition(".")[0] == one.root for each in staying)
    then = [each.new for each in moved if each.root == one.root]
    chains = names.chains(one.root)
    whys = (_use_problem(chain, source, standards, name, then, is_left=is_left) for chain in chains)
    return next((why for why in whys if why), "")


def _use_problem(
    chain: Sequence[ast.expr],
    source: Source,
    standards: Standards,
    name: str,
    then: Sequence[str],
    *,
    is_left: bool,
) -> str:
    """What keeps one use of a name from following; `then` is what is imported in the end, and `is_left`
    whether the name means a package still.
    """
    whole = _dotted(chain)
    line = source.place(source.span(chain[0])[0])[0]
    rule = replaced(whole[-1], standards.imports)
    if rule is None:
        if name.startswith(f"{whole[-1]}."):
            return f"`{whole[-1]}` is used by itself on line {line}"
        return "" if is_left else f"`{whole[-1]}` on line {line} needs it too"
    old, new = rule
    if not new or not any(f"{new}.".startswith(f"{each}.") for each in then):
        return f"`{whole[-1]}` on line {line} is given up, and nothing here imports what takes its place"
    start, end = source.span(chain[whole.index(old)])
    return "" if source.text[start:end] == old else f"`{old}` on line {line} is written in parts"


def _uses(chains: Sequence[Sequence[ast.expr]], source: Source, standards: Standards) -> Iterator[Edit]:
    for chain in chains:
        whole = _dotted(chain)
        rule = replaced(whole[-1], standards.imports)
        if rule is not None:
            yield Edit(*source.span(chain[whole.index(rule[0])]), standards.imports[rule[0]])
