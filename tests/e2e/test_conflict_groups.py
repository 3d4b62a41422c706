"""Workstreams of one conflict group take turns, also where two runs in two worktrees have them."""

from __future__ import annotations

import signal
import sqlite3
import time
from pathlib import Path

import pytest
from space import Space

# Whoever comes while another one is there fails; it stays until `go` is there.
STEP = """\
cd "$XDG_SHARED"
mkdir busy || exit 9
while ! test -e go; do sleep 0.01; done
rmdir busy
"""


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Space, Space]:
    """A checkout and a worktree of it, each with a workstream of the same group."""
    first = Space(tmp_path / "first")
    shared = tmp_path / "shared"
    shared.mkdir()
    first.env["XDG_SHARED"] = str(shared)
    step = {"name": "use", "run": STEP, "shell": True, "inputs": [], "cache": False}
    first.workstream("x", files_scope=["x"], conflict_group="the port", steps=[step])
    first.git("init", "-q")
    first.git("add", "-A")
    first.git("commit", "-qm", "begin")
    first.git("worktree", "add", "-q", str(tmp_path / "second"))
    second = Space(tmp_path / "second")
    second.env = first.env
    return first, second


def test_the_second_waits_and_says_for_whom(pair: tuple[Space, Space]) -> None:
    first, second = pair
    shared = Path(first.env["XDG_SHARED"])
    with first.start("wsbuild", "run") as one:
        wait_for(shared / "busy")
        with second.start("wsbuild", "run") as two:
            assert two.stderr is not None
            told = two.stderr.readline()
            assert f"ws-x: waiting for pid {one.pid} (ws-x in {first.root}, since " in told
            assert told.endswith("): conflict group 'the port'\n")
            (shared / "go").touch()
            assert two.wait() == 0
        assert one.wait() == 0


def test_who_waits_can_be_ended(pair: tuple[Space, Space]) -> None:
    first, second = pair
    shared = Path(first.env["XDG_SHARED"])
    with first.start("wsbuild", "run") as one:
        wait_for(shared / "busy")
        with second.start("wsbuild", "run") as two:
            assert two.stderr is not None
            two.stderr.readline()
            two.send_signal(signal.SIGINT)
            assert two.wait(timeout=20) == 130
        (shared / "go").touch()
        assert one.wait() == 0
    with sqlite3.connect(second.root / "state/pipeline_state.db") as conn:
        assert conn.execute("SELECT status FROM attempts").fetchall() == [("interrupted",)]


def test_nobody_waits_for_the_dead(pair: tuple[Space, Space]) -> None:
    first, second = pair
    shared = Path(first.env["XDG_SHARED"])
    with first.start("wsbuild", "run") as one:
        wait_for(shared / "busy")
        one.kill()
        one.wait()
    (shared / "busy").rmdir()
    (shared / "go").touch()
    assert "waiting" not in second.wsbuild("run").err
