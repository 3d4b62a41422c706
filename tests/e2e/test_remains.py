"""A step starts without what it left before; and nobody's work is ever removed or written over."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from space import Space

# One output for each input, in a directory: what a generator or a compiler does.
EACH = 'mkdir -p out; for f in in/*; do cat "$f" > "out/$(basename "$f" .txt).out"; done'


def outputs(space: Space) -> dict[str, str]:
    """What is in out/."""
    return {path.name: path.read_text() for path in sorted((space.root / "out").iterdir())}


def generator(space: Space, line: str = EACH, **fields: Any) -> None:
    """A workstream whose outputs follow its inputs."""
    step = {"name": "make", "run": line, "shell": True, "inputs": ["in/"], "outputs": ["out/"], **fields}
    space.workstream("g", files_scope=["out/"], steps=[step])


@pytest.fixture
def built(space: Space) -> Space:
    """Two inputs, two outputs."""
    space.write("in/a.txt", "a\n")
    space.write("in/b.txt", "b\n")
    generator(space)
    space.doit("run")
    assert outputs(space) == {"a.out": "a\n", "b.out": "b\n"}
    return space


def aside(space: Space) -> dict[str, str]:
    """What was moved aside."""
    root = space.root / ".wsbuild" / "aside"
    return {path.name: path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mode", ["read-write", "off"])
def test_an_output_of_an_input_that_is_no_more_goes(built: Space, mode: str) -> None:
    """Whether the step runs or is restored: the tree is what a first build would leave."""
    built.write("config/wsbuild.yaml", f"cache: {{mode: {mode}}}\n")
    (built.root / "in/b.txt").rename(built.root / "in/c.txt")
    built.doit("run")
    assert outputs(built) == {"a.out": "a\n", "c.out": "b\n"}
    (built.root / "in/c.txt").rename(built.root / "in/b.txt")
    built.doit("run")
    assert outputs(built) == {"a.out": "a\n", "b.out": "b\n"}
    assert aside(built) == {}


def test_a_literal_output_that_is_not_made_any_more_is_missed(space: Space) -> None:
    """The file of the last time does not pass for one of this time."""
    step = {"name": "make", "run": "echo x > out.txt", "shell": True, "inputs": [], "outputs": ["out.txt"]}
    space.workstream("m", files_scope=["out.txt"], steps=[step])
    space.doit("run")
    space.workstream("m", files_scope=["out.txt"], steps=[{**step, "run": "true"}])
    result = space.doit("run", code=1)
    assert "did not make out.txt" in result.out


def test_a_file_of_somebody_else_stays(built: Space) -> None:
    """Only what the step itself made is taken away."""
    built.write("out/notes.md", "mine\n")
    built.write("in/a.txt", "a 2\n")
    built.doit("run")
    assert outputs(built) == {"a.out": "a 2\n", "b.out": "b\n", "notes.md": "mine\n"}
    (built.root / "in/a.txt").unlink()
    built.doit("run")
    assert outputs(built) == {"b.out": "b\n", "notes.md": "mine\n"}


def test_an_output_that_somebody_changed_is_kept_aside(built: Space) -> None:
    """The run says where."""
    built.write("out/b.out", "an hour of work\n")
    built.write("in/b.txt", "b 2\n")
    result = built.doit("run")
    assert outputs(built) == {"a.out": "a\n", "b.out": "b 2\n"}
    assert aside(built) == {"b.out": "an hour of work\n"}
    assert "moved aside" in result.out
    assert ".wsbuild/aside/" in result.out


def test_a_changed_output_is_kept_aside_when_it_is_restored_too(built: Space) -> None:
    """And the run says so as well."""
    built.write("out/b.out", "an hour of work\n")
    result = built.doit("run")
    assert outputs(built) == {"a.out": "a\n", "b.out": "b\n"}
    assert aside(built) == {"b.out": "an hour of work\n"}
    assert "restored ws:g:make" in result.out
    assert "moved aside" in result.out


def test_a_source_that_is_its_own_output_stays(space: Space) -> None:
    """A formatter's file was there before it: it is not of the step's making, however often it runs."""
    space.write("a.txt", "one\n")
    step = {
        "name": "fmt",
        "run": ["sed", "-i", "s/ *$//", "a.txt"],
        "inputs": ["a.txt"],
        "outputs": ["a.txt"],
    }
    space.workstream("f", files_scope=["a.txt"], steps=[step])
    for text in ("two  \n", "three\n"):
        space.write("a.txt", text)
        space.doit("run")
        assert space.read("a.txt") == text.replace(" ", "")
        assert "nothing to do" in space.doit("run").out


def test_an_output_that_became_an_input_stays(space: Space) -> None:
    """The step made it once; now it works on from it, and it may be all there is of it."""
    step = {"name": "note", "run": "echo one > log.txt", "shell": True, "inputs": [], "outputs": ["log.txt"]}
    space.workstream("n", files_scope=["log.txt"], steps=[step])
    space.doit("run")
    step |= {"run": "echo two >> log.txt", "inputs": ["log.txt"]}
    space.workstream("n", files_scope=["log.txt"], steps=[step])
    space.doit("run")
    assert space.read("log.txt") == "one\ntwo\n"


def test_a_committed_output_stays_where_the_step_fails(space: Space) -> None:
    """It was there before the step ever ran."""
    space.write("in/a.txt", "a\n")
    space.write("out/a.out", "committed\n")
    generator(space, "exit 1")
    space.doit("run", code=1)
    assert outputs(space) == {"a.out": "committed\n"}


def test_what_a_failure_left_is_gone_before_the_next_attempt(built: Space) -> None:
    """Without a word: it is known who made it."""
    generator(built, EACH + "; echo half > out/half; exit 1")
    built.doit("run", code=1)
    assert "half" in outputs(built)
    generator(built)
    result = built.doit("run")
    assert outputs(built) == {"a.out": "a\n", "b.out": "b\n"}
    assert "moved aside" not in result.out
    assert aside(built) == {}


def test_what_a_dead_process_left_is_moved_aside(built: Space) -> None:
    """Nobody saw what it wrote: it could be somebody's work, so it is not removed."""
    os.mkfifo(built.root / "gate")
    generator(built, "mkdir -p out; echo half > out/half; echo ready > gate; exec sleep 300")
    running = built.start("doit", "run")
    with (built.root / "gate").open() as gate:
        assert gate.read() == "ready\n"
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    generator(built)
    built.doit("run")
    assert outputs(built) == {"a.out": "a\n", "b.out": "b\n"}
    assert aside(built) == {"half": "half\n"}


def test_an_incremental_step_finds_what_it_left(built: Space) -> None:
    """Its command works on from there, and answers for what stays."""
    generator(built, "cat in/* >> out/all.out", incremental=True)
    built.doit("run")
    built.write("in/a.txt", "a 2\n")
    built.doit("run")
    assert outputs(built)["all.out"] == "a\nb\na 2\nb\n"
    assert "a.out" in outputs(built)


def test_a_link_in_the_way_of_an_output_is_not_followed(built: Space, tmp_path: Path) -> None:
    """Nothing is put back outside of the project: the step runs, and does what it does."""
    elsewhere = tmp_path / "elsewhere"
    (built.root / "out").rename(elsewhere)
    (built.root / "out").symlink_to(elsewhere)
    (elsewhere / "b.out").unlink()
    result = built.wsbuild("run", "--json")
    assert result.json["counts"]["restored"] == 0
    assert result.json["counts"]["executed"] == 1
    assert "cannot restore ws:g:make" in result.err
