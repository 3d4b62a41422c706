"""kill -9 at random points of a run: nothing finished is lost, nothing cut is believed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from space import Space

STEPS = 12


@pytest.fixture
def project(space: Space) -> Space:
    """Three chains of four workstreams; every step sleeps a little and tallies."""
    space.write("a.txt", "one\n")
    for chain in "xyz":
        for at in range(STEPS // 3):
            source = f"{chain}{at - 1}.txt" if at else "a.txt"
            needs = [f"ws-{chain}{at - 1}"] if at else []
            step = {
                "name": "make",
                "run": f"sleep 0.02; cat {source} > {chain}{at}.txt; echo {chain}{at} >> .tally",
                "shell": True,
                "inputs": [source],
                "outputs": [f"{chain}{at}.txt"],
            }
            space.workstream(f"{chain}{at}", files_scope=[f"{chain}{at}.txt"], depends_on=needs, steps=[step])
    return space


def _attempts(space: Space) -> list[dict[str, object]]:
    rows = []
    for chain in "xyz":
        for at in range(STEPS // 3):
            rows += space.wsbuild("log", f"ws:{chain}{at}", "--json").json["items"]
    return rows


def test_killed_runs_go_on_where_they_were(project: Space, full: bool) -> None:
    """After each kill the finished steps are skipped, the cut attempt is closed, the end is right."""
    rng = random.Random(20260131)
    landed = 0
    for _ in range(50 if full else 10):
        for name in [*(project.root / "state").glob("*"), *project.root.glob("?[0-9].txt")]:
            name.unlink()
        shutil.rmtree(project.root / ".wsbuild" / "cache", ignore_errors=True)
        workers = ["-n", "2"] if rng.random() < 0.5 else []
        running = project.start("doit", "run", *workers, start_new_session=True)
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(rng.randrange(STEPS))]
        time.sleep(rng.uniform(0, 0.06))
        os.killpg(running.pid, signal.SIGKILL)
        out, _ = running.communicate(timeout=60)
        told = [line.split()[1] for line in [*lines, *out.splitlines()] if line.startswith("ok ")]
        landed += len(told) < STEPS
        _wait_for_the_end_of_all_in(project.root)
        before = project.ran()
        again = project.wsbuild("run", "--json").json
        after = project.ran()
        redone = {f"ws:{name}:make" for name in after}
        assert not redone & set(told), "a step that was told to be done ran again"
        assert len(redone) == len(after)
        # At most the steps that were under way, or ended but not yet recorded, are done twice.
        assert len(set(before) & set(after)) <= 2
        assert again["status"] == "succeeded"
        assert all(
            (project.root / f"{c}{n}.txt").read_text() == "one\n" for c in "xyz" for n in range(STEPS // 3)
        )
        statuses = {str(row["status"]) for row in _attempts(project)}
        assert statuses <= {"ok", "interrupted"}
        assert project.wsbuild("run", "--json").json["counts"]["executed"] == 0
    assert landed >= 5, "most kills came too late to prove anything"


def test_a_killed_run_leaves_no_process(space: Space) -> None:
    """The supervisor ends the tool's whole family when wsbuild is gone, sessions of its own included."""
    os.mkfifo(space.root / "gate")
    marker = f"6{os.getpid()}"
    script = f"setsid sleep {marker} & sleep {marker} & echo ready > gate; wait"
    step = {"name": "hang", "run": script, "shell": True, "inputs": []}
    space.workstream("h", files_scope=["h.txt"], steps=[step])
    running = space.start("doit", "run")
    assert (space.root / "gate").read_text() == "ready\n"
    assert _becomes(marker, 2)
    running.kill()
    running.communicate(timeout=60)
    assert _becomes(marker, 0)


def _wait_for_the_end_of_all_in(root: Path) -> None:
    """A tool that was cut is ended by its supervisor, at once but not before this goes on."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_works_in(path, root) for path in Path("/proc").glob("[0-9]*")):
        time.sleep(0.01)


def _works_in(process: Path, root: Path) -> bool:
    with contextlib.suppress(OSError):
        return (process / "cwd").readlink() == root
    return False


def _becomes(marker: str, count: int) -> bool:
    """Whether so many processes of that mark are there within ten seconds."""
    deadline = time.monotonic() + 10
    while _alive(marker) != count and time.monotonic() < deadline:
        time.sleep(0.05)
    return _alive(marker) == count


def _alive(marker: str) -> int:
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += path.read_bytes() == f"sleep\0{marker}\0".encode()
        except OSError:
            continue
    return found


def _wait_until_known(space: Space) -> None:
    """Return when the record says which process the tool is: what dies before that is not found again."""
    deadline = time.monotonic() + 10
    with contextlib.closing(sqlite3.connect(space.root / "state/pipeline_state.db")) as conn:
        while not conn.execute("SELECT count(*) FROM attempts WHERE tool_pid IS NOT NULL").fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_tool_that_outlived_its_supervisor_is_ended_by_the_next_run(space: Space) -> None:
    """Nobody is left to end it when both are killed at once; the record says who it is."""
    os.mkfifo(space.root / "gate")
    marker = f"5{os.getpid()}"
    step = {"name": "s", "run": f"echo ready > gate; exec sleep {marker}", "shell": True, "inputs": []}
    space.workstream("h", files_scope=["h.txt"], steps=[step])
    running = space.start("doit", "run")
    assert (space.root / "gate").read_text() == "ready\n"
    assert _becomes(marker, 1)
    _wait_until_known(space)
    # The run first: it must not see its supervisor die, nor the supervisor its end.
    running.send_signal(signal.SIGSTOP)
    os.kill(_supervisor_of(running.pid), signal.SIGKILL)
    running.kill()
    running.communicate(timeout=60)
    assert _alive(marker) == 1
    space.copying("h", "pyproject.toml", "h.txt")
    assert "left behind" in space.doit("run").err
    assert _becomes(marker, 0)


def _supervisor_of(pid: int) -> int:
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = path.read_bytes().rpartition(b")")[2].split()
        own = int(path.parent.name)
        if int(fields[1]) == pid and int(fields[3]) == own:  # it leads a session of its own
            return own
    raise AssertionError("the run has no supervisor")


def test_a_timed_out_step_is_ended_and_recorded(space: Space) -> None:
    """The deadline ends the whole tree; the attempt says why."""
    marker = f"7{os.getpid()}"
    step = {
        "name": "hang",
        "run": f"trap '' TERM; sleep {marker} & wait",
        "shell": True,
        "inputs": [],
        "timeout_sec": 0.3,
    }
    space.workstream("h", files_scope=["h.txt"], steps=[step])
    space.write("config/wsbuild.yaml", "grace_sec: 0.2\n")
    result = space.doit("run", code=1)
    assert "took longer than 0.3 s" in result.out
    assert _alive(marker) == 0
    assert space.wsbuild("log", "ws:h", "--json").json["items"][0]["status"] == "timeout"


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_everything_and_is_recorded(space: Space, signum: signal.Signals, code: int) -> None:
    """Two steps at once are ended, what waits is canceled, and no error is counted for it."""
    marker = f"8{os.getpid()}"
    for name in "ab":
        os.mkfifo(space.root / name)
        step = {"name": "s", "run": f"echo ready > {name}; sleep {marker}", "shell": True, "inputs": []}
        space.workstream(name, files_scope=[f"{name}.txt"], steps=[step])
    space.copying("c", "pyproject.toml", "c.txt", depends_on=["ws-a"])
    running = space.start("wsbuild", "run", "-j", "2", "--json")
    for name in "ab":
        assert (space.root / name).read_text() == "ready\n"
    running.send_signal(signum)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == code
    assert '"status": "interrupted"' in out
    assert _becomes(marker, 0)
    assert space.wsbuild("runs", "--json").json["items"][0]["status"] == "interrupted"
    ended: dict[str, str] = {}
    for event in space.wsbuild("events", "--json").json["items"]:
        if event["type"] == "workstream_status":
            ended.setdefault(event["ws_id"], event["payload"]["to"])
    assert ended == {"ws-a": "canceled", "ws-b": "canceled", "ws-c": "canceled"}
    assert space.wsbuild("errors", "--json").json["items"] == []
