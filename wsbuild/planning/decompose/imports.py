"""Which of the planned files import which: Python by its grammar, JavaScript and TypeScript by a scan.

Only direct imports between planned files count. Nothing is run.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from wsbuild.planning.decompose.files import read_text
from wsbuild.planning.decompose.python_imports import UnreadableError, imported_names
from wsbuild.planning.decompose.script_imports import imported_specifiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PYTHON = (".py", ".pyi")
SCRIPTS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
ROOTS = ("", "src", "lib", "python")
"""Directories that the names of modules are usually seen from, besides the one above the package."""

_NO_NAMES: tuple[str, ...] = ()


class Imports:
    """`edges` holds (importer, imported); `unread` the files whose imports are not known, and why."""

    def __init__(self) -> None:
        self.edges: set[tuple[str, str]] = set()
        self.unread: dict[str, str] = {}


def _package_root(root: str, path: str, planned: set[str]) -> str:
    """The directory above the outermost package that a module is in."""
    here = posixpath.dirname(path)
    while here:
        init = f"{here}/__init__.py"
        if init not in planned and not os.path.isfile(os.path.join(root, init)):
            break
        here = posixpath.dirname(here)
    return here


def _module(path: str, base: str) -> str:
    """What a file is called by those who see it from `base`; '' where it cannot be seen from there."""
    if base and not path.startswith(base + "/"):
        return ""
    stem = posixpath.splitext(path[len(base) + 1 if base else 0 :])[0]
    name = stem.removesuffix("/__init__").replace("/", ".")
    return "" if name == "__init__" else name


class _Modules:
    """The planned Python files by the names that they may be imported by."""

    def __init__(self, root: str, paths: Sequence[str]) -> None:
        planned = set(paths)
        self.bases = {path: _package_root(root, path, planned) for path in paths}
        self._by_name: dict[str, list[str]] = {}
        for path in paths:
            for base in dict.fromkeys((self.bases[path], *ROOTS)):
                if name := _module(path, base):
                    self._by_name.setdefault(name, []).append(path)

    def find(self, name: str, asker: str) -> str:
        """The file that `asker` means by a name: of several, one that is seen from the same place."""
        found = self._by_name.get(name, _NO_NAMES)
        near = [path for path in found if self.bases[path] == self.bases[asker]]
        return min(near or found, default="")


def _python(root: str, paths: Sequence[str], found: Imports) -> None:
    modules = _Modules(root, paths)
    for path in paths:
        package = _module(posixpath.dirname(path) + "/__init__.py", modules.bases[path])
        try:
            names = imported_names(read_text(root, path), package)
        except UnreadableError as error:
            found.unread[path] = str(error)
            continue
        for choices in names:
            imported = next(filter(None, (modules.find(name, path) for name in choices)), "")
            if imported and imported != path:
                found.edges.add((path, imported))


def _candidates(target: str) -> Iterator[str]:
    """The files that a specifier may mean, the most likely first."""
    yield target
    stem, ending = posixpath.splitext(target)
    if ending in {".js", ".jsx", ".mjs", ".cjs"}:  # what TypeScript is called once it is compiled
        yield from (stem + ending.replace("j", "t", 1), stem + ".tsx")
    yield from (target + each for each in SCRIPTS)
    yield from (f"{target}/index{each}" for each in SCRIPTS)


def _scripts(root: str, paths: Sequence[str], planned: set[str], found: Imports) -> None:
    for path in paths:
        for specifier in imported_specifiers(read_text(root, path)):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier))
            imported = next((one for one in _candidates(target) if one in planned), path)
            if imported != path:
                found.edges.add((path, imported))


def find_imports(root: str, paths: Iterable[str]) -> Imports:
    """The imports among the files `paths` of the project at `root`."""
    found = Imports()
    known = sorted(paths)
    _python(root, [path for path in known if path.endswith(PYTHON)], found)
    _scripts(root, [path for path in known if path.endswith(SCRIPTS)], set(known), found)
    return found
