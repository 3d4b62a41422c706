"""Imports and paths that are given up: found in every form, and replaced to the byte or not at all."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

from wsbuild.detectors.standards import rules
from wsbuild.detectors.standards.files import look, mend
from wsbuild.detectors.standards.rules import Standards

STANDARDS = Standards(
    {
        "src.pipeline": "core.engine",
        "src.pipeline.tools": "toolbox",
        "src.integrations": "pm.links",
        "src.path_registry": "core.paths",
        "src.legacy": "",
        "MOD_ERROR_PIPELINE": "error",
        "a.b": "c.d",
        "solo": "duo.one",
        "here.old": "here.new",
    },
    {"src/pipeline": "core/engine", "docs/OLD.md": "docs/index.md", "tools": "scripts", "gone/dir": ""},
    False,
    (),
)


class Case(NamedTuple):
    """A text of Python, what `--fix` makes of it, and where it lies."""

    before: str
    after: str
    path: str = "app/main.py"


FIXED = {
    # what the regular expressions of an earlier gate did not see, in four forms
    "a name out of the package above": Case(
        "from src import pipeline\n", "from core import engine as pipeline\n"
    ),
    "a name right out of the package": Case("from src.pipeline import x\n", "from core.engine import x\n"),
    "another package": Case("from src.integrations.gh import sync\n", "from pm.links.gh import sync\n"),
    "a module": Case("from src.path_registry import resolve\n", "from core.paths import resolve\n"),
    "by a function": Case(
        'import importlib\nx = importlib.import_module("src.pipeline.run")\n',
        'import importlib\nx = importlib.import_module("core.engine.run")\n',
    ),
    "a patch": Case(
        "def test(monkeypatch):\n    monkeypatch.setattr('src.pipeline.run.go', 1)\n",
        "def test(monkeypatch):\n    monkeypatch.setattr('core.engine.run.go', 1)\n",
    ),
    # all forms
    "with a name": Case("import a.b as x\nx.go()\n", "import c.d as x\nx.go()\n"),
    "below, with a name": Case("import a.b.e as x  # why\n", "import c.d.e as x  # why\n"),
    "without a name": Case("import a.b\na.b.go(a.b.c.x)\n", "import c.d\nc.d.go(c.d.c.x)\n"),
    "without a name, used inside": Case(
        "import a.b.c\n\n\ndef f():\n    return [a.b.c.x for _ in a.b.c.y()]\n",
        "import c.d.c\n\n\ndef f():\n    return [c.d.c.x for _ in c.d.c.y()]\n",
    ),
    "two beside each other": Case(
        "import os, a.b, a.b.c as c2; import sys\na.b.f(); a.b.g()\n",
        "import os, c.d, c.d.c as c2; import sys\nc.d.f(); c.d.g()\n",
    ),
    "without a dot": Case("import solo\nsolo.f(solo)\n", "import duo.one\nduo.one.f(duo.one)\n"),
    "in the same package": Case(
        "import here.old\nimport here.else_\nhere.old.f(here.else_.x)\n",
        "import here.new\nimport here.else_\nhere.new.f(here.else_.x)\n",
    ),
    "a package above that stays": Case(
        "import a.z\nimport a.b\na.z.f(a.b.x)\n", "import a.z\nimport c.d\na.z.f(c.d.x)\n"
    ),
    "a name": Case("from a import b\nb.f()\n", "from c import d as b\nb.f()\n"),
    "a name with a name": Case("from a import b as x\n", "from c import d as x\n"),
    "all": Case("from a.b import *\n", "from c.d import *\n"),
    "below": Case("from a.b.c import d as e, f\n", "from c.d.c import d as e, f\n"),
    "in brackets": Case(
        "from a.b import (  # these\n    c,\n    d as e,  # that\n)\n",
        "from c.d import (  # these\n    c,\n    d as e,  # that\n)\n",
    ),
    "over lines": Case("from a . \\\n   b import \\\n  c\n", "from c.d import \\\n  c\n"),
    "one of several": Case("from a import b, z\n", "from c import d as b\nfrom a import z\n"),
    "the last of several": Case(
        "if 1:\n    from a import y, z, b  # all\n",
        "if 1:\n    from c import d as b\n    from a import y, z  # all\n",
    ),
    "one of several on a line": Case(
        "x = 1; from a import b, z\n", "x = 1; from c import d as b; from a import z\n"
    ),
    "one of several in brackets": Case(
        "from a import (\n    b,  # given up\n    y,  # not\n    z\n)\n",
        "from c import d as b\nfrom a import (\n    # given up\n    y,  # not\n    z\n)\n",
    ),
    "a line of brackets": Case(
        "from a import (\n    y,\n    b,\n)\n", "from c import d as b\nfrom a import (\n    y,\n)\n"
    ),
    "the longer one": Case(
        "from src.pipeline import tools, run\n", "import toolbox as tools\nfrom core.engine import run\n"
    ),
    "a package that lies here": Case(
        "from . import run\nfrom .run import go\nfrom .run.x import(y)\n",
        "from core.engine import run\nfrom core.engine.run import go\nfrom core.engine.run.x import(y)\n",
        "src/pipeline/main.py",
    ),
    "a package beside": Case("from ..pipeline import x\n", "from core.engine import x\n", "src/other/a.py"),
    "a package out of here": Case(
        "from .. import pipeline\n", "from core import engine as pipeline\n", "src/other/a.py"
    ),
    "dots that touch": Case("from.run import(x)\n", "from core.engine.run import(x)\n", "src/pipeline/a.py"),
    "one below src": Case("from .b import x\n", "from c.d import x\n", "src/a/z.py"),
    "a function with another name": Case(
        "from importlib import import_module as im\nim('a.b')\n",
        "from importlib import import_module as im\nim('c.d')\n",
    ),
    "seen from a package": Case(
        "import_module('.b', package='a')\nimport_module('..b', 'a.x')\n",
        "import_module('c.d', package='a')\nimport_module('c.d', 'a.x')\n",
    ),
    "the statement of old": Case('__import__("a.b")\n', '__import__("c.d")\n'),
    "the statement of old for its names": Case(
        '__import__("a.b", fromlist=["x"])\n', '__import__("c.d", fromlist=["x"])\n'
    ),
    "mocks": Case(
        "@mock.patch('a.b.f')\n@patch(target=\"a.b\")\n@mock.patch.dict('a.b.D', {})\ndef t(): pass\n",
        "@mock.patch('c.d.f')\n@patch(target=\"c.d\")\n@mock.patch.dict('c.d.D', {})\ndef t(): pass\n",
    ),
    "a path": Case("p = 'src/pipeline/x.py'  # src/pipeline\n", "p = 'core/engine/x.py'  # src/pipeline\n"),
    "paths": Case(
        'p = ["./src/pipeline", "src\\\\pipeline\\\\x", r"src\\pipeline"]\n',
        'p = ["./core/engine", "core\\\\engine\\\\x", r"core\\engine"]\n',
    ),
    "paths in other texts": Case(
        'p = [f"{root}/src/pipeline/{x}", b"docs/OLD.md"]\n',
        'p = [f"{root}/core/engine/{x}", b"docs/index.md"]\n',
    ),
    "several in a text": Case(
        "p = 'src/pipeline:src/pipeline/x ../tools'\n", "p = 'core/engine:core/engine/x ../scripts'\n"
    ),
}


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_form_is_replaced(name: str, newline: str) -> None:
    """And what is left is Python in which nothing is given up; every other byte is as it was."""
    case = FIXED[name]
    before, after = (f"# é ü 😀\n{text}".replace("\n", newline).encode() for text in case[:2])
    assert [one.why for one in look(case.path, before, STANDARDS) if one.why] == []
    mended = mend(case.path, before, STANDARDS)
    assert mended.decode() == after.decode()
    ast.parse(mended)
    assert look(case.path, mended, STANDARDS) == []
    assert mend(case.path, mended, STANDARDS) == mended


LEFT = {
    "import src.pipelines\nfrom src.pipelines import a\nfrom src import pipelines\n",
    "import xsrc.pipeline\nimport a.bc\nfrom a import bc\nimport ab\n",
    "import_module('src.pipelines.x')\nmonkeypatch.setattr(thing, 'a.b')\nprint('a.b.c')\n",
    "from . import pipeline\nfrom .b import c\n",
    "p = ['xsrc/pipeline', 'src/pipelines', 'src/pipeline.py', 'my/src/pipeline', 'docs/OLD.md.x']\n",
    '"""src/pipeline is a docstring."""\n\n\ndef f():\n    """src/pipeline."""\n',
    "import src\nimport a\nx = a.bb\n",
    "src_pipeline = 'https://example.org/src/pipeline'\n",
}


@pytest.mark.parametrize("text", sorted(LEFT))
def test_what_is_something_else_is_left(text: str) -> None:
    """A name ends at a dot, a path at a slash."""
    assert look("app/main.py", text.encode(), STANDARDS) == []
    assert mend("app/main.py", text.encode(), STANDARDS) == text.encode()


UNFIXABLE = {
    "import a.b\na = 1\n": "`a` is something else on line 2",
    "import a.b\n\n\ndef f(a):\n    return a.b\n": "`a` is something else on line 4",
    "import a.b\nc = 1\na.b.f()\n": "`c` is something else on line 2",
    "from x import c\nimport a.b\n": "`c` is something else on line 1",
    "import a.b\ngetattr(a, 'b')\n": "`a` is used by itself on line 2",
    "import a.b\na.q.f()\n": "`a.q.f` on line 2 needs it too",
    "import a.b\na . b.f()\n": "`a.b` on line 2 is written in parts",
    "import a . b\n": "its name is written in parts",
    "import a.b\n\n\ndef f(x: 'a.b.C') -> None: ...\n": "a text on line 4 names it",
    "from src.legacy import x\n": "nothing takes its place",
    "import src.legacy\n": "nothing takes its place",
    "patch('src.legacy.x')\n": "nothing takes its place",
    "x = __import__('a.b')\n": "what it gives is the package on top: write importlib.import_module",
    "import_module('a.' 'b')\n": "the text given to import_module is written in parts",
    "from a import (b  # this\n    )\n": "it has comments inside",
    "p = 'src/' 'pipeline'\n": "the text is written in parts",
    "p = 'gone/dir/x'\n": "nothing takes its place",
    "import here.old, a.b\nx = a\n": "`a` is used by itself on line 2",
}


@pytest.mark.parametrize("text", sorted(UNFIXABLE))
def test_what_cannot_be_replaced_is_told(text: str) -> None:
    """With the reason; it stays as it is."""
    found = look("app/main.py", text.encode(), STANDARDS)
    assert UNFIXABLE[text] in {one.why for one in found}
    mended = mend("app/main.py", text.encode(), STANDARDS)
    assert mended == text.replace("here.old", "here.new").encode()


def test_where_it_stands(tmp_path: Path) -> None:
    """Line and column, in characters, and what to write."""
    text = "é = 1; from src.pipeline import x\n\n\nif é:\n    '😀'; import_module('a.b'); p = 'tools'\n"
    found = look("main.py", text.encode(), STANDARDS)
    assert [(one.line, one.column, one.code) for one in found] == [
        (1, 8, "PATH101"),
        (5, 24, "PATH101"),
        (5, 37, "PATH102"),
    ]
    assert found[0].message == "src.pipeline is given up: write core.engine"
    assert found[2].message == "tools is given up: write scripts"


def test_an_encoding_and_a_mark_stay() -> None:
    """As Python reads them."""
    latin = "# -*- coding: latin-1 -*-\nimport a.b as ä\n".encode("latin-1")
    assert mend("m.py", latin, STANDARDS) == latin.replace(b"a.b", b"c.d")
    marked = b"\xef\xbb\xbffrom a.b import x\n"
    assert mend("m.py", marked, STANDARDS) == b"\xef\xbb\xbffrom c.d import x\n"
    assert look("m.py", marked, STANDARDS)[0].column == 1


@pytest.mark.parametrize(
    "data",
    [
        b"from a.b import (\n",
        b"# coding: nothing\nimport a.b\n",
        b"import a.b\n\xff\n",
        b"import a.b\n\0",
        b"(" * 5000 + b"import a.b",
    ],
)
def test_what_is_no_python_is_told(data: bytes) -> None:
    """It cannot be told what it imports, which is no pass."""
    [found] = look("m.py", data, STANDARDS)
    assert found.code == "PATH100"
    assert mend("m.py", data, STANDARDS) == data


def test_a_line_may_say_that_it_is_left_alone() -> None:
    """Alone, or with what can only be changed together with it."""
    text = "import a.b  # wsbuild: ignore[PATH101]\nimport a.b.x\nfrom src.pipeline import y\na.b.x.f()\n"
    found = look("m.py", text.encode(), STANDARDS)
    assert [one.suppressed for one in found] == [True, False, False]
    assert mend("m.py", text.encode(), STANDARDS).decode() == text.replace("src.pipeline", "core.engine")


@pytest.mark.parametrize("path", ["a.yaml", "b/c.yml", "d.json", "e.toml", "f.sh", "setup.cfg", "run"])
def test_other_files_by_their_words(path: str) -> None:
    """Names and paths, with the rest of each line."""
    text = (
        "#!/bin/sh\n# é src.pipelines src/pipelines xsrc.pipeline\n"
        "python -m src.pipeline.run --in src/pipeline/x --out ./tools $ROOT/src/pipeline ${ROOT}/tools\n"
        'x: "src.pipeline:main", tool/tools, https://example.org/tools\n'
    )
    after = text.replace("src.pipeline.run", "core.engine.run").replace("src.pipeline:", "core.engine:")
    after = after.replace("src/pipeline/x", "core/engine/x").replace("./tools", "./scripts")
    after = after.replace("$ROOT/src/pipeline", "$ROOT/core/engine").replace(
        "${ROOT}/tools", "${ROOT}/scripts"
    )
    data = text.encode() + b"\xff\r\n"
    assert mend(path, data, STANDARDS) == after.encode() + b"\xff\r\n"
    assert len(look(path, data, STANDARDS)) == 6


def test_prose_only_where_it_is_asked_for() -> None:
    """Markdown, and docstrings."""
    page, module = b"See `src/pipeline` and src.pipeline.run.\n", b'"""See src/pipeline."""\n'
    asked = STANDARDS._replace(prose=True)
    assert look("a.md", page, STANDARDS) == look("a.py", module, STANDARDS) == []
    assert mend("a.md", page, asked) == b"See `core/engine` and core.engine.run.\n"
    assert mend("a.py", module, asked) == b'"""See core/engine."""\n'


def test_some_files_are_left_alone() -> None:
    """Those that the settings name, the settings themselves, and binary ones."""
    text = b"src/pipeline: core/engine\n"
    assert look("old/a.yaml", text, STANDARDS)
    assert look("old/a.yaml", text, STANDARDS._replace(ignore=("old/**",))) == []
    assert look(rules.FILE, text, STANDARDS) == []
    assert look("a.png", text, STANDARDS) == []
    assert look("a.yaml", text, rules.NOTHING) == []


def test_the_settings(tmp_path: Path) -> None:
    """The shipped ones give up nothing; problems of one's own are told with their places."""
    assert rules.load(str(tmp_path)) == (rules.NOTHING, [])
    shipped = Path("config/path_standards.yaml").read_text()
    own = tmp_path / rules.FILE
    own.parent.mkdir()
    own.write_text(shipped)
    assert rules.load(str(tmp_path)) == (rules.NOTHING, [])
    own.write_text("imports: {a.b: null}\npaths: {x/y/: z/}\nignore: [q]\nprose: true\n")
    assert rules.load(str(tmp_path)) == (Standards({"a.b": ""}, {"x/y": "z"}, True, ("q",)), [])
    for text, code in {
        "imports: {a.b: a.b.c}\n": "circle",
        "paths: {x: y/z, y: w}\n": "circle",
        "imports: {a/b: c}\n": "bad-value",
        "paths: {a: 'b c'}\n": "bad-value",
        "import: {}\n": "unknown-field",
        "[": "syntax",
    }.items():
        own.write_text(text)
        found, problems = rules.load(str(tmp_path))
        assert found == rules.NOTHING
        assert [problem.code for problem in problems] == [code], text
