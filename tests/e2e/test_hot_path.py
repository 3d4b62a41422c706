"""What is imported where nothing, or little, is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from detecting import tools_project
from space import Space

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = frozenset(
    {"networkx", "jsonschema", "yaml", "typer", "rich", "jinja2", "pydantic", "pathspec", "markdown_it"}
)
NO_OP = frozenset(
    {
        "wsbuild",
        *(f"wsbuild.{name}" for name in ("errors", "fork", "looks", "memory", "root", "watch")),
        *(f"wsbuild.{name}" for name in ("actions", "actions.again", "cli", "cli.entry", "cli.text")),
    }
)
DOIT_PLUGIN = frozenset(
    {
        *(f"wsbuild.doit_plugin{name}" for name in ("", ".loader", ".reporter", ".stream")),
        *("wsbuild.actions.tally", "wsbuild.tools", "wsbuild.tools.usage"),
    }
)
"""What doit asks for at every command."""

STANDARD = frozenset({"sqlite3", "json", "subprocess", "hashlib", "re", "typing", "contextlib", "threading"})
"""Of the standard library, what takes long to import and a no-op has no use for."""


def imported(space: Space, *words: str) -> set[str]:
    """The modules that a command imports."""
    return set(in_order(space, *words))


def in_order(space: Space, *words: str, code: int = 0) -> list[str]:
    """The same, each behind those that it imports itself."""
    done = space.run(*words, env={"PYTHONPROFILEIMPORTTIME": "1"}, code=code)
    rows = [line.split("|") for line in done.err.splitlines() if line.startswith("import time:")]
    return [row[2].strip() for row in rows if len(row) == 3]


def top(modules: set[str]) -> set[str]:
    """The packages that they belong to."""
    return {name.split(".")[0] for name in modules}


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """One workstream that copies a file, and what runs leave."""
    space = Space(tmp_path / "project")
    space.write("a", "a\n")
    space.copying("up", "a", "b")
    for _ in range(4):
        space.wsbuild("run")
        space.doit("run")
    return space


def test_a_run_with_nothing_to_do(space: Space) -> None:
    """No more than this."""
    modules = imported(space, "wsbuild", "run")
    assert {name for name in modules if name.split(".")[0] == "wsbuild"} == NO_OP
    assert not top(modules) & (HEAVY | STANDARD | {"doit"})


def test_a_doit_run_with_nothing_to_do(space: Space) -> None:
    """What doit itself imports, and of ours its plugins besides."""
    modules = imported(space, "doit", "run")
    own = {name for name in modules if name.split(".")[0] == "wsbuild"}
    assert own <= NO_OP | DOIT_PLUGIN
    assert not top(modules) & (HEAVY | {"sqlite3"})


def test_a_run_of_one_step(space: Space) -> None:
    """The command line, the schemas and the graph are for those who need them."""
    space.write("a", "changed\n")
    modules = imported(space, "wsbuild", "run")
    assert "sqlite3" in top(modules)
    assert not top(modules) & HEAVY


def test_the_way_to_the_first_tool(tmp_path: Path) -> None:
    """What takes long to import waits until the tools for what has changed are at work."""
    space = tools_project(tmp_path)
    for text in ("teh = 1\n", "teh = 22\n"):
        space.write("src/app.py", text)
        modules = in_order(space, "wsbuild", "detect", code=1)
    assert "wsbuild.detectors.engine" in modules
    before = modules[: modules.index("wsbuild.detectors.early")]
    assert "wsbuild.tools.process" in before
    assert not set(before) & (STANDARD | {"collections", "datetime", "enum", "tempfile", "urllib.parse"})


@pytest.mark.parametrize("words", [("doit", "list"), ("doit", "list", "--all")], ids=" ".join)
def test_a_list(space: Space, words: tuple[str, ...]) -> None:
    """Reads the compiled plan."""
    assert not top(imported(space, *words)) & HEAVY
