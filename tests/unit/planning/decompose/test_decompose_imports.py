"""Who imports whom: names as Python and JavaScript resolve them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsbuild.planning.decompose.imports import find_imports
from wsbuild.planning.decompose.python_imports import UnreadableError, imported_names
from wsbuild.planning.decompose.script_imports import imported_specifiers


def _find(root: Path, files: dict[str, str]) -> set[tuple[str, str]]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return find_imports(str(root), files).edges


PYTHON = {
    "import a": {("m.py", "a.py")},
    "import a, os": {("m.py", "a.py")},
    "import a.b": set(),
    "import pkg.a": {("m.py", "src/pkg/a.py")},
    "from pkg import a, x": {("m.py", "src/pkg/a.py"), ("m.py", "src/pkg/__init__.py")},
    "from pkg.a import x": {("m.py", "src/pkg/a.py")},
    "from pkg import *": {("m.py", "src/pkg/__init__.py")},
    "import src.pkg.a as q": {("m.py", "src/pkg/a.py")},
    "def f():\n    if x:\n        from pkg import a\n": {("m.py", "src/pkg/a.py")},
    "try:\n    import a\nexcept ImportError:\n    import pkg.sub.c\n": {
        ("m.py", "a.py"),
        ("m.py", "src/pkg/sub/c.py"),
    },
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import pkg.a": {
        ("m.py", "src/pkg/a.py")
    },
    "import typing as t\nif t.TYPE_CHECKING:\n    import a": set(),
    "'import a'\n# import a\n": set(),
    "import m": set(),
    "from . import a": {("m.py", "a.py")},
    "from .... import a": {("m.py", "a.py")},
}


@pytest.mark.parametrize("text", PYTHON)
def test_python_names_lead_to_files(tmp_path: Path, text: str) -> None:
    """Seen from the root, from `src`, from where the package begins."""
    others = ("a.py", "src/pkg/__init__.py", "src/pkg/a.py", "src/pkg/sub/__init__.py", "src/pkg/sub/c.py")
    assert _find(tmp_path, {"m.py": text, **dict.fromkeys(others, "")}) == PYTHON[text]


RELATIVE = {
    "from . import d": "src/pkg/sub/d.py",
    "from .d import x": "src/pkg/sub/d.py",
    "from .. import a": "src/pkg/a.py",
    "from ..a import x": "src/pkg/a.py",
    "from ..other import x": "src/pkg/other/__init__.py",
    "from .. import nothing": "src/pkg/__init__.py",
}


@pytest.mark.parametrize("text", RELATIVE)
def test_relative_imports(tmp_path: Path, text: str) -> None:
    """From within a package."""
    inits = ("src/pkg/__init__.py", "src/pkg/sub/__init__.py", "src/pkg/other/__init__.py")
    files = {"src/pkg/sub/c.py": text, **dict.fromkeys((*inits, "src/pkg/sub/d.py", "src/pkg/a.py"), "")}
    assert _find(tmp_path, files) == {("src/pkg/sub/c.py", RELATIVE[text])}


def test_a_package_begins_where_the_disk_says(tmp_path: Path) -> None:
    """Its `__init__.py` need not be planned."""
    (tmp_path / "code/pkg").mkdir(parents=True)
    (tmp_path / "code/pkg/__init__.py").touch()
    assert _find(tmp_path, {"code/pkg/a.py": "", "m.py": "import pkg.a"}) == {("m.py", "code/pkg/a.py")}


def test_of_two_files_of_a_name_the_near_one_is_meant(tmp_path: Path) -> None:
    """Two projects in one repository."""
    files = {f"{one}/{name}.py": "import util\n" * (name == "m") for one in "xy" for name in ("m", "util")}
    assert _find(tmp_path, files) == {("x/m.py", "x/util.py"), ("y/m.py", "y/util.py")}


@pytest.mark.parametrize("text", ["def f(:", "x = '\0'", "(" * 100_000, "print 'old'", "f'{'"])
def test_what_is_no_python_is_told(tmp_path: Path, text: str) -> None:
    """And stops nothing."""
    (tmp_path / "a.py").write_text(text)
    (tmp_path / "b.py").write_text("import a")
    found = find_imports(str(tmp_path), ["a.py", "b.py"])
    assert found.edges == {("b.py", "a.py")}
    assert list(found.unread) == ["a.py"]
    with pytest.raises(UnreadableError):
        imported_names(text, "")


def test_wrong_escapes_warn_nobody() -> None:
    """Warnings are errors here."""
    assert imported_names("'\\d'\nimport a", "") == [("a",)]


SCRIPTS = {
    'import a from "./a"': ["./a"],
    "import './a'; import * as b from '../b.js'": ["./a", "../b.js"],
    'import {\n  a,\n  b as c,\n} from "./a";': ["./a"],
    'export * from "./a"; export { b } from "./b"': ["./a", "./b"],
    'const a = require("./a"), b = await import("./b")': ["./a", "./b"],
    '[...require("./a")]': ["./a"],
    'import type { A } from "./a"': ["./a"],
    '// import "./a"\n/* import "./b" */ import "./c"': ["./c"],
    "const s = \"import './a'\"": [],
    "`import './a'`": [],
    'x.require("./a"); Array.from("./b"); from("./c")': [],
    'import react from "react"; require("node:fs")': [],
    'import a from "./a"; import b from "./a"': ["./a"],
    '"./a"': [],
    "import": [],
    "/* never closed import './a'": [],
    "x = /it's/\nimport './a'": ["./a"],
}


@pytest.mark.parametrize("text", SCRIPTS)
def test_scripts_are_scanned_for_relative_names(text: str) -> None:
    """Not in comments, text and templates."""
    assert imported_specifiers(text) == SCRIPTS[text]


@pytest.mark.parametrize(
    ("specifier", "target"),
    [
        ("./b", "web/b.tsx"),
        ("./b.js", "web/b.tsx"),
        ("./c.js", "web/c.js"),
        ("./d", "web/d/index.ts"),
        ("../top.mjs", "top.mjs"),
        ("./data.json", "web/data.json"),
        ("./none", ""),
        ("../../out", ""),
    ],
)
def test_relative_names_lead_to_files(tmp_path: Path, specifier: str, target: str) -> None:
    """As bundlers and TypeScript find them."""
    others = ("web/b.tsx", "web/c.js", "web/d/index.ts", "top.mjs", "web/data.json")
    files = {"web/a.ts": f"import '{specifier}'", **dict.fromkeys(others, "")}
    assert _find(tmp_path, files) == ({("web/a.ts", target)} if target else set())
