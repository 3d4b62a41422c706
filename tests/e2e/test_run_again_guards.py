"""What an answer from memory depends on besides files: how it was asked for, by whose settings, and when."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from aiming import OK, AimSpace
from detecting import own
from space import Space

from wsbuild import memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORE = "wsbuild.store.db"


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project with one step, which is done."""
    space = Space(tmp_path / "project")
    space.write("a.txt", "text\n")
    space.copying("one", "a.txt", "b.txt")
    settle(space, "wsbuild", "run", "--json")
    return space


def is_remembered(space: Space, *words: str, **env: str) -> bool:
    """Whether a command is answered without opening the history."""
    done = space.run(*words, code=0, env={"PYTHONPROFILEIMPORTTIME": "1", **env})
    return STORE not in done.err


def settle(space: Space, *words: str, **env: str) -> None:
    """Ask until the answer is remembered."""
    assert any(is_remembered(space, *words, **env) for _ in range(20)), words


def test_an_answer_goes_where_it_was_asked_for(space: Space) -> None:
    """`doit run -o FILE` writes a file, each time."""
    told = space.root / "told"
    for _ in range(4):
        told.unlink(missing_ok=True)
        assert space.doit("run", "-o", "told").out == ""
        assert "nothing to do" in told.read_text()


SETTINGS: dict[str, Callable[[Space], Any]] = {
    "pyproject": lambda s: s.write("pyproject.toml", "[tool.doit.commands.run]\nalways = true\n"),
    "doit.cfg": lambda s: s.write("doit.cfg", "[run]\nalways = true\n"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_of_doit_count(space: Space, name: str) -> None:
    """As they do where nothing is remembered."""
    SETTINGS[name](space)
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def other_tool(space: Space) -> None:
    """Another directory goes first on PATH."""
    tool(space.root.parent / "other/tool", "two")
    space.env["PATH"] = f"{space.root.parent / 'other'}:{space.env['PATH']}"


def other_bundles(space: Space) -> None:
    """Bundles of another directory."""
    shutil.copytree(space.root.parent / "home", space.root.parent / "away")
    bundle = space.root.parent / "away/bundles/ws-one.json"
    bundle.write_text(bundle.read_text().replace("ls ", "ls -l "))
    space.env["PIPELINE_WORKSTREAM_DIR"] = str(space.root.parent / "away/bundles")


def other_home(space: Space) -> None:
    """Bundles of somebody else's home."""
    named = space.env["PIPELINE_WORKSTREAM_DIR"]
    other_bundles(space)
    space.env.update(HOME=str(space.root.parent / "away"), PIPELINE_WORKSTREAM_DIR=named)


ENVIRON: dict[str, Callable[[Space], Any]] = {
    "PATH": other_tool,
    "HOME": other_home,
    "AIDER_MODEL": lambda s: s.env.update(AIDER_MODEL="large"),
    "PIPELINE_WORKSTREAM_DIR": other_bundles,
    "PIPELINE_DB_PATH": lambda s: s.env.update(PIPELINE_DB_PATH="other.db"),
}


def tool(path: Path, word: str) -> None:
    """Put a program somewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env python3\nprint({word!r})\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", ENVIRON)
def test_the_environment_counts(tmp_path: Path, name: str) -> None:
    """Each variable that decides what is to be done."""
    space = Space(tmp_path / "project")
    tool(tmp_path / "bin/tool", "one")
    space.env.update(PATH=f"{tmp_path / 'bin'}:{space.env['PATH']}", HOME=str(tmp_path / "home"))
    space.env["PIPELINE_WORKSTREAM_DIR"] = "~/bundles"
    profile = {"type": "ai", "command": "tool", "args": ["{model_name}"]}
    space.write("config/tool_profiles.json", json.dumps({"asks": profile}))
    steps = [
        {"name": "model", "tool": "asks", "inputs": []},
        {"name": "list", "run": "ls workstreams", "shell": True, "inputs": []},
    ]
    space.workstream("one", files_scope=["x"], steps=steps)
    (tmp_path / "home").mkdir()
    (space.root / "workstreams").rename(tmp_path / "home/bundles")
    (space.root / "workstreams").mkdir()
    settle(space, "wsbuild", "run", "--json")
    ENVIRON[name](space)
    counts = space.wsbuild("run", "--json").json["counts"]
    assert counts["executed"] + counts["restored"] > 0


def test_what_detectors_look_at_counts(tmp_path: Path) -> None:
    """What configures them may come."""
    space = Space(tmp_path / "project")
    own(space, "exit 0", config_files=["own.cfg"])
    space.write("sub/a.txt", "text\n")
    space.workstream("one", files_scope=["sub/a.txt"], steps=[{"name": "check", "detectors": ["own"]}])
    for _ in range(4):
        space.wsbuild("run", "--json")
    space.write("sub/own.cfg", "")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def test_who_serves_a_capability_counts(tmp_path: Path) -> None:
    """A tool that is found by a variable."""
    space = AimSpace(tmp_path / "project")
    space.tool("first", OK, detectCommands=["${FIRST}"])
    space.tool("second", OK)
    space.rule("code_generation", "first", "second")
    space.write("page.txt", "")
    given = {"capability": "code_generation", "tasks": ["Write"], "tool": ""}
    space.workstream("page", files_scope=["page.txt"], acceptance_tests=["$ true"], **given)
    for _ in range(4):
        space.wsbuild("run", "--json")
    assert space.called() == ["second"]
    space.env["FIRST"] = "/bin/sh"
    space.wsbuild("run", "--json")
    assert space.called() == ["first"]


def test_what_is_done_in_a_worktree_is_asked_each_time(space: Space) -> None:
    """Nobody takes note of what is there."""
    step = {"name": "make", "run": ["cp", "a.txt", "c.txt"], "inputs": ["a.txt"], "outputs": ["c.txt"]}
    space.workstream("own", files_scope=["c.txt"], isolation="worktree", steps=[step])
    space.write(".gitignore", ".wsbuild/\n.worktrees/\nstate/\n")
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "first")
    for status in ("executed", "up_to_date", "up_to_date"):
        assert space.wsbuild("run", "--json", "ws:own:make").json["counts"][status] == 1
    (space.root / ".worktrees/ws-own/c.txt").unlink()
    counts = space.wsbuild("run", "--json", "ws:own:make").json["counts"]
    assert counts["executed"] + counts["restored"] == 1


def test_what_is_ignored_is_told_each_time(space: Space) -> None:
    """A step that was left out is no step that has nothing to do."""
    space.doit("ignore", "ws:one:make")
    told = {space.wsbuild("run").out for _ in range(4)}
    assert len(told) == 1
    assert "ignored" in told.pop()


FORGETS = """
import subprocess, sys
from wsbuild.actions.session import Session
from wsbuild.actions.settled import Remembering
from wsbuild.atomic import FileLock
from wsbuild.cli.entry import main
places = {"begin": (FileLock, "acquire"), "early": (Remembering, "__init__"), "late": (Session, "close")}
owner, name = places[sys.argv[1]]
real = getattr(owner, name)
def forgotten(*args, **more):
    setattr(owner, name, real)
    subprocess.run(["doit", "forget", "ws:one"], check=True, stdout=subprocess.DEVNULL)
    return real(*args, **more)
setattr(owner, name, forgotten)
sys.argv[1:] = ["run", "--json"]
main()
"""
"""A run during which somebody else lets a step run again: before it begins to write, or as it ends."""


@pytest.mark.parametrize("when", ["early", "late"])
def test_what_is_recorded_meanwhile_counts(space: Space, when: str) -> None:
    """A run that finds nothing to do keeps nobody from writing: as somebody has the history open, it reads
    what others have just written.
    """
    shutil.rmtree(space.root / ".wsbuild/run")
    with closing(sqlite3.connect(space.root / "state/pipeline_state.db")) as reader:
        reader.execute("SELECT * FROM clean").fetchall()
        assert space.python("-c", FORGETS, when).json["counts"]["up_to_date"] == 1
        assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def test_what_is_recorded_before_it_writes_counts(space: Space) -> None:
    """What was found done by then may be so no more."""
    space.write("c.txt", "text\n")
    space.copying("two", "c.txt", "d.txt")
    settle(space, "wsbuild", "run", "--json")
    space.write("c.txt", "other\n")
    counts = space.python("-c", FORGETS, "begin").json["counts"]
    assert (counts["executed"], counts["up_to_date"]) == (1, 1)
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


SEES_AS_NOW = """
import os
from wsbuild import memory
from wsbuild.actions.again import keep
from wsbuild.looks import GONE, look_at
from wsbuild.watch import UNSURE
words = [os.getcwd(), "run", "--json"]
old = memory.load(memory.RUN, os.getcwd(), words)
assert old.complete()
for place, path in enumerate(old.paths):
    look = look_at(path)
    if path.startswith("state/") and look != GONE:
        old.saw(place, (*look[:3], UNSURE, look[4]))
keep(os.getcwd(), words, old)
"""
"""As if the clock had not ticked since the memory was made."""


def test_a_history_that_looks_the_same_may_be_another(space: Space) -> None:
    """Within one tick of the clock its times prove nothing: its last event does."""
    space.doit("forget", "ws:one")
    space.python("-c", SEES_AS_NOW)
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def test_the_directory_counts(space: Space) -> None:
    """The same words mean another thing elsewhere."""
    space.write("sub/c.txt", "text\n")
    space.copying("two", "a.txt", "sub/b.txt")
    space.wsbuild("run")
    words = ("wsbuild", "run", "--json", "b.txt")
    for directory, task in ((space.root, "ws:one:make"), (space.root / "sub", "ws:two:make")) * 3:
        steps = space.run(*words, code=0, cwd=directory).json["steps"]
        assert [step["task"] for step in steps] == [task]


def test_what_changed_since_a_revision_is_asked_each_time(space: Space) -> None:
    """Git knows, and nobody takes note of that."""
    space.git("init", "-q", "-b", "main")
    space.git("add", "-A")
    space.git("commit", "-qm", "first")
    words = ("run", "--json", "--affected", "HEAD")
    for _ in range(3):
        assert space.wsbuild(*words).json["steps"] == []
    space.write("a.txt", "other\n")
    for _ in range(4):
        assert len(space.wsbuild(*words).json["steps"]) == 1
    space.git("commit", "-qam", "second")
    assert space.wsbuild(*words).json["steps"] == []


def test_a_day_later_all_is_looked_at(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where another program asks."""
    words = [str(space.root), "run", "--json"]
    assert memory.load(memory.RUN, str(space.root), words) is not None
    now = time.time()
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: now + memory.DAY_S)
        assert memory.load(memory.RUN, str(space.root), words) is None
    for module, name, value in (
        (memory, "__version__", "0"),
        (sys, "hexversion", 1),
        (sys, "executable", ""),
    ):
        with monkeypatch.context() as other:
            other.setattr(module, name, value)
            assert memory.load(memory.RUN, str(space.root), words) is None
