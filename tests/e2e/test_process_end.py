"""How the process ends: with everything said, kept and closed, whoever reads it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from typing import Any

import pytest
from space import BIN, Space

FULL = "/dev/full"


@pytest.fixture
def project(space: Space) -> Space:
    """One workstream that was run."""
    space.write("a", "a\n")
    space.copying("up", "a", "b")
    space.wsbuild("run")
    return space


def to(space: Space, target: Any, *command: str, **env: str) -> tuple[int, str]:
    """The exit code, and what is said beside an output that goes to `target`."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=space.root,
        env={**space.env, **env},
        stdout=target,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not os.path.exists(FULL), reason=f"there is no {FULL}")
@pytest.mark.parametrize("words", [["run"], ["run", "--json"], ["list"], ["--help"], ["detect"]])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_full_disk_is_told_as_such(project: Space, words: list[str], buffered: str) -> None:
    """It is not taken for a bug of ours, however the output is buffered."""
    with open(FULL, "w") as full:
        code, err = to(project, full, "wsbuild", *words, PYTHONUNBUFFERED=buffered)
    assert code == 3
    assert "cannot write the output: No space left on device" in err
    assert "bug" not in err
    assert "Traceback" not in err


@pytest.mark.skipif(not os.path.exists(FULL), reason=f"there is no {FULL}")
@pytest.mark.parametrize("words", [["run"], ["list"]])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_doit_tells_of_a_full_disk(project: Space, words: list[str], buffered: str) -> None:
    """By its error, or by Python's where it is seen only at the end; what was done is recorded."""
    project.write("a", "b\n")
    with open(FULL, "w") as full:
        code, err = to(project, full, "doit", *words, PYTHONUNBUFFERED=buffered)
    assert code in {3, 120}
    assert "No space left on device" in err
    assert "Traceback" not in err
    runs = json.loads(project.wsbuild("runs", "--json").out)["items"]
    assert runs[0]["status"] in {"succeeded", "failed"}


@pytest.mark.parametrize("words", [["run"], ["list"], ["events", "--json"]])
def test_nobody_reads_it(project: Space, words: list[str]) -> None:
    """It ends in silence, by the exit code of the command line that was asked."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        code, err = to(project, writing, "wsbuild", *words)
        assert code in {0, 1}
        assert err == ""
    finally:
        os.close(writing)


def test_a_slow_reader_gets_all_of_it(space: Space) -> None:
    """More than a pipe holds."""
    for number in range(900):
        space.copying(f"one-with-a-rather-long-name-{number:04}", "a", f"b{number}", kind="docs")
    space.write("a", "a\n")
    reading, writing = os.pipe()
    with space.start("wsbuild", "list", "--json") as process, os.fdopen(reading) as pipe:
        os.close(writing)
        assert pipe.read() == ""
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert out.count("one-with-a-rather-long-name") >= 900
    assert len(out) > 1 << 16


@pytest.mark.parametrize(("broken", "code"), [("", 0), ("; exit 3", 1)], ids=["all is well", "a step fails"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_was_recorded_is_closed(space: Space, broken: str, code: int, jobs: str) -> None:
    """After the process nothing is left beside the database that the next one would have to recover."""
    for name in ("one", "two"):
        step = {"name": "make", "run": f"echo {name} > {name}{broken}", "shell": True, "outputs": [name]}
        space.workstream(name, files_scope=[name], steps=[step])
    done = space.wsbuild("run", "-c", "-j", jobs, code=code)
    assert "executed" in done.out or "failed" in done.out
    database = space.root / "state" / "pipeline_state.db"
    assert database.exists()
    assert not database.with_name("pipeline_state.db-wal").exists()
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as store:
        assert store.execute("select count(*) from attempts").fetchone() == (2,)
        assert store.execute("select count(*) from runs where finished_at is null").fetchone() == (0,)


def test_what_is_called_at_the_end_is_called(project: Space) -> None:
    """A thread that is still at work is waited for, and what others registered for the end runs."""
    script = """
import atexit, sys, threading, time
from wsbuild.cli.entry import command
atexit.register(print, "the end")
{more}
sys.argv = ["wsbuild", "list"]
command()
"""
    for more, told in (
        ("", ["the end"]),
        ("threading.Thread(target=lambda: [time.sleep(0.5), print('late')]).start()", ["late", "the end"]),
    ):
        done = project.python("-c", script.format(more=more))
        assert done.out.splitlines()[-len(told) :] == told
