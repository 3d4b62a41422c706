"""Whoever looks at what has changed is asked, in whatever way they look: a run that asks only those."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from space import Space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHERS = 6


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """Some workstreams that no change concerns: more than half of all."""
    space = Space(tmp_path / "project")
    (space.root / "out").mkdir()
    for number in range(OTHERS):
        space.write(f"in/{number}", f"{number}\n")
        space.copying(f"o{number}", f"in/{number}", f"out/{number}")
    space.write("in/a", "a\n")
    return space


def looking(space: Space, name: str, *inputs: str, words: tuple[str, ...] = (), **fields: Any) -> None:
    """A workstream that reads `inputs`, has `words` on its command line, and tallies."""
    run = ["sh", "-c", f"echo {name} >> {space.root}/.tally; echo > out/{name}", *words]
    steps = [{"name": "make", "run": run, "inputs": inputs, "outputs": [f"out/{name}"]}]
    space.workstream(name, files_scope=[f"out/{name}"], steps=steps, **fields)


def writing(space: Space, name: str, command: str, scope: str) -> None:
    """A workstream that reads `in/a`, and runs a command that writes below `scope`: which files, nobody knows
    before.
    """
    run = f"echo {name} >> {space.root}/.tally; {command}"
    steps = [{"name": "make", "run": run, "shell": True, "inputs": ["in/a"]}]
    space.workstream(name, files_scope=[scope], steps=steps)


def remember(space: Space) -> None:
    """Run until all is remembered, and no time of change is too young to prove anything."""
    for pause in (0.0, 0.2, 0.0, 0.0):
        time.sleep(pause)
        done = space.wsbuild("run")
    assert "nothing to do" in done.out
    space.ran()


def stale(space: Space) -> list[str]:
    """What is not up to date, as told by what asks everybody."""
    told = space.wsbuild("status", "--json").json["workstreams"]
    return [ws["task"] for ws in told if not all(step["fresh"] for step in ws["steps"])]


def linked_folder(space: Space) -> None:
    space.write("real/a.in", "a\n")
    (space.root / "far").symlink_to("real")
    looking(space, "by-name", "far")
    looking(space, "by-pattern", "far/*.in")
    looking(space, "by-path", "far/a.in")


def linked_file(space: Space) -> None:
    space.write("real/text", "a\n")
    (space.root / "near").symlink_to("real/text")
    looking(space, "reads", "near")


def coming(space: Space) -> None:
    looking(space, "by-name", "later/")


def tool(space: Space, more: str = "") -> None:
    path = space.root.parent / "bin/tool"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho uses >> {space.root}/.tally\n{more}")
    path.chmod(0o755)


def using(space: Space) -> None:
    tool(space)
    space.env["PATH"] = f"{space.root.parent / 'bin'}:{space.env['PATH']}"
    steps = [{"name": "make", "run": ["tool"], "inputs": []}]
    space.workstream("uses", files_scope=["out/uses"], steps=steps)


def folder(space: Space) -> None:
    space.write("tree/x", "x\n")
    looking(space, "by-name", "tree")
    looking(space, "by-path", "tree/x")


def word(space: Space) -> None:
    (space.root / "deep/docs").mkdir(parents=True)
    looking(space, "says", words=("deep/docs",))


def word_below(space: Space) -> None:
    (space.root / "deep").mkdir()
    looking(space, "says", words=("deep/docs/x",))


def gitignore(space: Space) -> None:
    space.write("sub/.gitignore", "c\n")
    space.write("sub/deep/b", "it comes to be ignored\n")
    step = {"name": "make", "run": f"echo below >> {space.root}/.tally", "shell": True}
    space.workstream("below", files_scope=["sub/deep/"], steps=[step])
    looking(space, "by-path", "sub/.gitignore")
    looking(space, "says", words=("sub/.gitignore",))


def dependent(space: Space) -> None:
    space.copying("first", "in/a", "out/first")
    looking(space, "second", depends_on=["ws-first"])


def written_beside(space: Space) -> None:
    (space.root / "gen").mkdir()
    writing(space, "first", "cp in/a gen/new", "gen/")
    looking(space, "second", "gen/new")


def written_below(space: Space) -> None:
    (space.root / "gen").mkdir()
    writing(space, "first", "if grep b in/a; then mkdir gen/sub; cp in/a gen/sub/x; fi", "gen/sub/")
    looking(space, "second", "gen/")


def written_word(space: Space) -> None:
    (space.root / "gen").mkdir()
    writing(space, "first", "cp in/a gen/`cat in/a`", "gen/")
    looking(space, "second", words=("gen/b",))


def written_as_said(space: Space) -> None:
    (space.root / "gen").mkdir()
    writing(space, "first", "if grep b in/a; then cp in/a gen/b; fi", "gen/b")
    looking(space, "second", words=("gen/b",))


def written_behind(space: Space) -> None:
    linked_file(space)
    writing(space, "first", "cp in/a real/text", "real/")


def edit(path: str) -> Callable[[Space], Any]:
    """Write to a file."""
    return lambda space: space.write(path, "b\n")


def a_file_for_a_folder(space: Space) -> None:
    shutil.rmtree(space.root / "deep/docs")
    space.write("deep/docs", "text\n")


CASES: dict[str, tuple[Callable[[Space], None], Callable[[Space], Any], set[str]]] = {
    "a linked directory": (linked_folder, edit("real/a.in"), {"by-name", "by-pattern", "by-path"}),
    "a file behind a link": (linked_file, edit("real/text"), {"reads"}),
    "a directory that comes": (coming, edit("later/x"), {"by-name"}),
    "a tool": (using, lambda space: tool(space, "true\n"), {"uses"}),
    "a new workstream": (folder, lambda space: looking(space, "new", "in/a"), {"new"}),
    "a directory": (folder, edit("tree/x"), {"by-name", "by-path"}),
    "a new file in a directory": (folder, edit("tree/y"), {"by-name"}),
    "a word for a directory": (word, a_file_for_a_folder, {"says"}),
    "a word for nothing": (word_below, edit("deep/docs/x"), {"says"}),
    "an ignore file": (gitignore, edit("sub/.gitignore"), {"below", "by-path", "says"}),
    "what comes after": (dependent, edit("in/a"), {"first", "second"}),
    "a file that is written": (written_beside, edit("in/a"), {"first", "second"}),
    "a directory that is written to": (written_below, edit("in/a"), {"first", "second"}),
    "a file behind a link that is written": (written_behind, edit("in/a"), {"first", "reads"}),
    "a word for all that is written": (written_as_said, edit("in/a"), {"first", "second"}),
    "a word that is written": (written_word, edit("in/a"), {"first", "second"}),
}


@pytest.mark.parametrize("case", CASES)
def test_who_looks_is_asked(space: Space, case: str) -> None:
    """In the same run, also where somebody else looks at the same in another way."""
    lay_out, change, concerned = CASES[case]
    lay_out(space)
    remember(space)
    change(space)
    space.wsbuild("run")
    assert set(space.ran()) == concerned
    assert stale(space) == []


@pytest.mark.parametrize("before", ["file", "directory"])
@pytest.mark.parametrize("after", ["file", "directory", "link"])
def test_what_takes_the_place_of_an_input(space: Space, before: str, after: str) -> None:
    """It is looked at as what it is now, though it may have the same content and names."""
    place = space.root / "deep/in"
    for name, kind in (("first", before), ("second", after)):
        path = f"{name}/x" if kind != "file" else name
        space.write(path, "text\n")
    (space.root / "deep").mkdir()
    (space.root / "first").rename(place)
    looking(space, "reads", "deep/in")
    remember(space)
    place.rename(space.root / "first")
    if after == "link":
        place.symlink_to("../second")
    else:
        (space.root / "second").rename(place)
    remember(space)
    space.write({"file": "deep/in", "directory": "deep/in/y", "link": "second/y"}[after], "more\n")
    space.wsbuild("run")
    assert space.ran() == ["reads"]
    assert stale(space) == []


@pytest.mark.parametrize("path", ["x", "tree/y"])
@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_edited_while_it_runs(space: Space, is_first: bool, path: str) -> None:
    """Who was asked before, or not at all, is asked by the next run; also where the size is the same."""
    space.write("tree/x", "a\n")
    space.write("x", "a\n")
    command = f"cat in/a > out/edits; test -f out/begun && echo b > {path}; echo > out/begun"
    steps = [{"name": "make", "run": command, "shell": True, "inputs": ["in/a"], "outputs": ["out/edits"]}]
    looking(space, "before", "x", "tree/")
    space.workstream("edits", files_scope=["out/edits"], steps=steps, depends_on=["ws-before"])
    looking(space, "later", "x", "tree/*", depends_on=["ws-edits"])
    remember(space)
    space.write("in/a", "b\n")
    if is_first:
        shutil.rmtree(space.root / ".wsbuild/run")
    space.wsbuild("run")
    assert space.ran() == ["later"]
    for _ in range(2):
        space.wsbuild("run")
    assert space.ran() == ["before"]
    assert stale(space) == []


def test_what_the_others_are_given_counts(space: Space) -> None:
    """A variable of who was not asked is not forgotten."""
    run = f"echo given >> {space.root}/.tally"
    step = {"name": "make", "run": run, "shell": True, "inputs": [], "env": {"MOOD": None}}
    space.workstream("given", files_scope=["out/given"], steps=[step])
    looking(space, "reads", "in/a")
    space.env["MOOD"] = "good"
    remember(space)
    space.write("in/a", "b\n")
    remember(space)
    space.env["MOOD"] = "bad"
    space.wsbuild("run")
    assert space.ran() == ["given"]


def test_what_the_others_say_counts(space: Space) -> None:
    """The same word of who was not asked is not forgotten either."""
    (space.root / "deep").mkdir()
    looking(space, "asked", "in/a", words=("deep/x",))
    looking(space, "other", words=("deep/x",))
    remember(space)
    space.write("in/a", "b\n")
    remember(space)
    space.write("deep/x", "")
    space.wsbuild("run")
    assert set(space.ran()) == {"asked", "other"}


def test_all_are_told_as_they_would_be(space: Space) -> None:
    """Of steps without anything to do that is said, whoever was asked."""
    profile = {"type": "ai", "command": "true"}
    space.write("config/tool_profiles.json", json.dumps({"edit": profile}))
    space.workstream("idle", files_scope=["idle.txt"])
    remember(space)
    space.wsbuild("run", "--json")
    told = []
    for text in ("b\n", "c\n"):
        space.write("in/0", text)
        steps = space.wsbuild("run", "--json").json["steps"]
        told.append(sorted((step["task"], step["status"], step["reason"]) for step in steps))
        shutil.rmtree(space.root / ".wsbuild/run")
    assert told[0] == told[1]
    assert "skipped" in {status for _, status, _ in told[0]}


def test_who_is_left_out_is_asked_each_time(space: Space) -> None:
    """As is said each time; the others are not, and nobody is left out any more who is not to be."""
    looking(space, "reads", "in/a")
    remember(space)
    space.doit("ignore", "ws:o0:make")
    for text in ("b\n", "c\n", "d\n"):
        space.write("in/0", text)
        space.write("in/a", text)
        assert space.wsbuild("run").out.endswith(f"1 executed, {OTHERS - 1} up to date, 1 skipped\n")
        assert space.ran() == ["reads"]
    for _ in range(4):
        time.sleep(0.1)
        assert "ignored" in space.wsbuild("run").out
    space.doit("forget", "ws:o0:make")
    space.wsbuild("run")
    assert space.ran() == ["o0"]


CHANGED_MEANWHILE = """
import sys
from wsbuild.actions import again
from wsbuild.cli.entry import main
real, edit = again.recall, sys.argv.pop()
def recall(*given):
    found = real(*given)
    exec(edit)
    return found
again.recall = recall
sys.argv[0] = "wsbuild"
main()
"""


def test_a_bundle_that_is_removed_as_a_run_begins(space: Space) -> None:
    """The plan is another one than that of which something is remembered: then all is asked."""
    looking(space, "x", "in/a")
    remember(space)
    space.write("in/a", "other\n")
    edit = "import os; os.unlink('workstreams/ws-x.json')"
    told = space.python("-c", CHANGED_MEANWHILE, "run", edit).out
    assert space.ran() == []
    assert f"{OTHERS} steps up to date" in told
    assert stale(space) == []


@pytest.mark.parametrize("inputs", [["in/a"], ["in/a", "workstreams/ws-x.json"]], ids=["bundle", "input"])
def test_a_bundle_that_changes_as_a_run_begins(space: Space, inputs: list[str]) -> None:
    """The run goes by what it was at its beginning, the next by what it is: also where a step reads it."""
    looking(space, "x", *inputs)
    remember(space)
    space.write("in/a", "other\n")
    edit = "p = 'workstreams/ws-x.json'; s = open(p).read(); open(p, 'w').write(s.replace('make', 'other'))"
    for _ in range(2):
        told = space.python("-c", CHANGED_MEANWHILE, "run", edit).out
        assert space.ran() == ["x"]
        assert f"{OTHERS} up to date" in told
        edit = ""
    assert stale(space) == []
