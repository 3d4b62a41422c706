"""What lies behind links is looked at as well, where an earlier run has found nothing to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from detecting import own
from space import Space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORE = "wsbuild.store.db"


def settle(space: Space) -> None:
    """Run until the answer is remembered: it is given without opening the history."""
    before = space.env
    space.env = {**before, "PYTHONPROFILEIMPORTTIME": "1"}
    for _ in range(20):
        done = space.wsbuild("run", "--json")
        if STORE not in done.err:
            break
    else:
        raise AssertionError(f"it is never remembered: {done.out}")
    space.env = before


def link(path: Path, target: str) -> None:
    """Make a link, or let it lead elsewhere."""
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def script(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env python3\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A step for each kind of link; all is done."""
    space = Space(tmp_path / "project")
    outside = tmp_path / "outside"
    for name in ("one", "two"):
        space.write(f"{name}/text", f"{name}\n")
        script(outside / name, f"print({name!r})")
        script(outside / f"opt/{name}/bin/deep", f"print({name!r})")
    (outside / "bin").mkdir()
    link(outside / "alternative", "one")
    link(outside / "bin/tool", "../alternative")
    link(outside / "opt/current", "one")
    link(outside / "bin/deep", "../opt/current/bin/deep")
    space.env["PATH"] = f"{outside / 'bin'}:{space.env['PATH']}"
    link(space.root / "middle", "one/text")
    link(space.root / "first", "middle")
    link(space.root / "current", "one")
    link(space.root / "through", "current/text")
    space.write("real/a.in", "a\n")
    link(space.root / "far", "real")
    link(space.root / "twice", "far")
    for name, inputs in {
        "chain": ["first"],
        "through": ["through"],
        "far": ["far"],
        "glob": ["far/*.in"],
        "twice": ["twice/"],
    }.items():
        step = {"name": "make", "run": ["/bin/true"], "inputs": inputs}
        space.workstream(name, files_scope=[f"{name}.out"], steps=[step])
    for name in ("tool", "deep"):
        step = {"name": "make", "run": [name], "inputs": ["one/text"]}
        space.workstream(name, files_scope=[f"{name}.out"], steps=[step])
    (outside / "specs").mkdir()
    space.workstream(
        "spec", files_scope=["spec.out"], steps=[{"name": "make", "run": ["true"], "inputs": []}]
    )
    (space.root / "workstreams/ws-spec.json").rename(outside / "specs/ws-spec.json")
    link(space.root / "workstreams/ws-spec.json", str(outside / "specs/ws-spec.json"))
    settle(space)
    return space


def outside(space: Space, path: str) -> Path:
    """A path outside of the project."""
    return space.root.parent / "outside" / path


def edit(path: Path, old: str, new: str) -> None:
    """Replace something in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


CHANGES: dict[str, tuple[str, Callable[[Space], Any]]] = {
    "a link in a chain": ("chain", lambda s: link(s.root / "middle", "two/text")),
    "a directory on the way": ("through", lambda s: link(s.root / "current", "two")),
    "a file in a linked directory": ("far", lambda s: s.write("real/new", "new\n")),
    "a match in a linked directory": ("glob", lambda s: s.write("real/new.in", "new\n")),
    "a file behind two links": ("twice", lambda s: s.write("real/new", "new\n")),
    "an alternative of a tool": ("tool", lambda s: link(outside(s, "alternative"), "two")),
    "the version of a tool": ("deep", lambda s: link(outside(s, "opt/current"), "two")),
    "a bundle": ("spec", lambda s: edit(outside(s, "specs/ws-spec.json"), '"true"', '"true", "more"')),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_behind_a_link_counts(space: Space, change: str) -> None:
    """The step that depends on it is run."""
    name, do = CHANGES[change]
    do(space)
    done = space.wsbuild("run", "--json").json
    assert f"ws:{name}:make" in [step["task"] for step in done["steps"] if step["status"] == "executed"]
    settle(space)


@pytest.mark.parametrize("name", ["hollow", "coming"])
def test_what_is_nothing_may_become_something(tmp_path: Path, name: str) -> None:
    """A file in the place of a directory that has no names in it, and what a link led to in vain."""
    space = Space(tmp_path / "project")
    (space.root / "in/hollow").mkdir(parents=True)
    link(space.root / "in/coming", "../to/come")
    step = {"name": "make", "run": ["/bin/true"], "inputs": ["in/hollow", "in/coming/"]}
    space.workstream("one", files_scope=["one.out"], steps=[step])
    settle(space)
    if name == "hollow":
        (space.root / "in/hollow").rmdir()
        space.write("in/hollow", "text\n")
    else:
        space.write("to/come/text", "new\n")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def test_a_bundle_in_a_linked_directory(space: Space) -> None:
    """A new one is noticed, and so are the settings."""
    (space.root / "workstreams").rename(outside(space, "bundles"))
    link(space.root / "workstreams", str(outside(space, "bundles")))
    settle(space)
    space.workstream("new", files_scope=["new.out"], steps=[{"name": "make", "run": ["true"], "inputs": []}])
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


@pytest.mark.parametrize("is_linked", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
def test_the_history_may_lie_behind_a_link(space: Space, is_linked: bool, is_open: bool) -> None:
    """What is forgotten is done again, also while it stands only in the log, as somebody has it open."""
    database = space.root / "state/pipeline_state.db"
    if is_linked:
        (space.root / "state").rename(outside(space, "state"))
        (space.root / "state").mkdir()
        database.symlink_to(outside(space, "state/pipeline_state.db"))
    settle(space)
    with closing(sqlite3.connect(database)) as reader:
        if is_open:
            reader.execute("SELECT * FROM clean").fetchall()
        space.doit("forget", "ws:chain")
        assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def test_the_history_may_be_moved(space: Space) -> None:
    """To where another link leads; it is the same file."""
    (space.root / "state").rename(outside(space, "state"))
    link(space.root / "state", str(outside(space, "state")))
    settle(space)
    outside(space, "state").rename(outside(space, "moved"))
    link(space.root / "state", str(outside(space, "moved")))
    space.write("real/a.in", "b\n")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 3


@pytest.mark.parametrize("change", ["alternative", "configuration"])
def test_detectors_look_behind_links(tmp_path: Path, change: str) -> None:
    """At their tools and at what configures them."""
    space = Space(tmp_path / "project")
    own(space, "exit 0", command="tool", config_files=["own.cfg"])
    space.write("config/wsbuild.yaml", "---\ndetectors: [own]\n")
    for name in ("one", "two"):
        script(tmp_path / name, f"print({name!r})")
        (tmp_path / f"{name}.cfg").write_text(name)
    link(tmp_path / "alternative", "one")
    (tmp_path / "bin").mkdir()
    link(tmp_path / "bin/tool", "../alternative")
    space.env["PATH"] = f"{tmp_path / 'bin'}:{space.env['PATH']}"
    link(tmp_path / "middle", "one.cfg")
    link(space.root / "own.cfg", "../middle")
    for _ in range(20):
        if not space.wsbuild("detect", "--json").json["counts"]["tool_calls"]:
            break
    space.wsbuild("detect", "--json")
    if change == "alternative":
        link(tmp_path / "alternative", "two")
    else:
        link(tmp_path / "middle", "two.cfg")
    assert space.wsbuild("detect", "--json").json["counts"]["tool_calls"]
