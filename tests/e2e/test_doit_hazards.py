"""What doit's own bookkeeping gets wrong, each a story with the real command."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from space import Space
from twins import twins


@pytest.fixture
def chain(space: Space) -> Space:
    """`b` is made of `a`, `c` of `b`; both have run."""
    space.write("a.txt", "one\n")
    space.copying("b", "a.txt", "b.txt")
    space.copying("c", "b.txt", "c.txt", depends_on=["ws-b"])
    space.doit("run")
    assert space.ran() == ["b", "c"]
    return space


def test_nothing_runs_the_second_time(chain: Space) -> None:
    """A second run executes nothing and leaves no doit database behind."""
    result = chain.doit("run")
    assert chain.ran() == []
    assert "nothing to do" in result.out
    assert not list(chain.root.glob(".doit.db*"))


@pytest.mark.parametrize("text", ["two\n", "longer than before\n"])
def test_an_edit_that_keeps_the_mtime_is_seen(chain: Space, text: str) -> None:
    """Content decides: same mtime and same size, or same mtime and another size."""
    path = chain.root / "a.txt"
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    chain.doit("run")
    assert chain.ran() == ["b", "c"]
    assert chain.read("c.txt") == text


def test_a_content_and_its_twin_are_two(space: Space) -> None:
    """They have the same XXH3 of seed 0, size and, put back, times."""
    one, two = twins()
    path = space.root / "a.bin"
    path.write_bytes(one)
    space.copying("b", "a.bin", "b.bin")
    space.doit("run")
    before = path.stat()
    path.write_bytes(two)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    space.doit("run")
    assert space.ran() == ["b", "b"]
    assert (space.root / "b.bin").read_bytes() == two


def test_an_edit_while_the_step_runs_is_seen(space: Space) -> None:
    """A step whose input moved under it ends well, but is not up to date."""
    os.mkfifo(space.root / "gate")
    space.write("a.txt", "one\n")
    script = f"echo run >> {space.root}/.tally; cat a.txt > b.txt; echo ready > gate; cat gate"
    step = {"name": "make", "run": script, "shell": True, "inputs": ["a.txt"], "outputs": ["b.txt"]}
    space.workstream("b", files_scope=["b.txt"], steps=[step])
    running = space.start("doit", "run")
    with (space.root / "gate").open() as gate:
        assert gate.read() == "ready\n"
    space.write("a.txt", "two\n")
    with (space.root / "gate").open("w") as gate:
        gate.write("go\n")
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "input changed while running: a.txt" in out
    assert space.read("b.txt") == "one\n"
    space.copying("b", "a.txt", "b.txt")
    (space.root / ".tally").unlink()
    explained = space.wsbuild("explain", "ws:b:make", "--json").json
    assert explained["decision"] == "run"
    space.doit("run")
    assert space.ran() == ["b"]
    assert space.read("b.txt") == "two\n"


def test_another_command_line_is_seen(chain: Space) -> None:
    """The command is part of the key."""
    chain.copying("c", "b.txt", "c.txt; echo more >> c.txt", depends_on=["ws-b"])
    bundle = chain.read("workstreams/ws-c.json").replace('"c.txt; echo more >> c.txt"', '"c.txt"')
    chain.write("workstreams/ws-c.json", bundle)
    chain.doit("run")
    assert chain.ran() == ["c"]
    assert chain.read("c.txt") == "one\nmore\n"


@pytest.mark.parametrize(("mode", "again"), [("read-write", []), ("off", ["c"])])
@pytest.mark.parametrize("tamper", ["edit", "remove"])
def test_a_tampered_output_is_made_again(chain: Space, tamper: str, mode: str, again: list[str]) -> None:
    """What a step made must still be there as it made it: by the cache, or by running it."""
    chain.write("config/wsbuild.yaml", f"cache:\n  mode: {mode}\n")
    path = chain.root / "c.txt"
    if tamper == "edit":
        before = path.stat()
        path.write_text("two\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        path.unlink()
    chain.doit("run")
    assert chain.ran() == again
    assert chain.read("c.txt") == "one\n"


def test_what_depends_runs_when_the_upstream_made_something_else(space: Space) -> None:
    """A dependency that is only an order (no file of it is an input) still counts by its result."""
    space.write("a.txt", "one\n")
    space.copying("up", "a.txt", "up.txt")
    step = {"name": "make", "run": f"echo down >> {space.root}/.tally", "shell": True, "inputs": []}
    space.workstream("down", files_scope=["down.txt"], depends_on=["ws-up"], steps=[step])
    space.doit("run")
    assert space.ran() == ["up", "down"]
    space.write("a.txt", "two\n")
    space.doit("run")
    assert space.ran() == ["up", "down"]


def test_the_same_bytes_upstream_wake_nobody(chain: Space) -> None:
    """Early cutoff: a step that ran again to the same result does not make others run."""
    chain.doit("forget", "ws:b")
    chain.doit("run")
    assert chain.ran() == ["b"]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_forgets_nothing_it_finished(space: Space, signum: signal.Signals) -> None:
    """What was finished before the kill is not done again; what was cut is, and is recorded."""
    os.mkfifo(space.root / "gate")
    space.write("a.txt", "one\n")
    for name in ("p1", "p2", "p3"):
        space.copying(name, "a.txt", f"{name}.txt")
    step = {"name": "wait", "run": "echo ready > gate; exec sleep 300", "shell": True, "inputs": []}
    space.workstream("z", files_scope=["z.txt"], depends_on=["ws-p1", "ws-p2", "ws-p3"], steps=[step])
    running = space.start("doit", "run")
    with (space.root / "gate").open() as gate:
        assert gate.read() == "ready\n"
    running.send_signal(signum)
    running.communicate(timeout=60)
    assert running.returncode in {-9, 128 + signum}
    assert sorted(space.ran()) == ["p1", "p2", "p3"]
    space.copying("z", "a.txt", "z.txt", depends_on=["ws-p1", "ws-p2", "ws-p3"])
    space.doit("run")
    assert space.ran() == ["z"]
    statuses = [run["status"] for run in space.wsbuild("runs", "--json").json["items"]]
    assert statuses == ["succeeded", "abandoned" if signum == signal.SIGKILL else "interrupted"]


def test_eight_runs_at_once_run_each_step_once(space: Space) -> None:
    """One run has the tree, the others wait for it and find everything done; all exit 0."""
    space.write("a.txt", "one\n")
    for name in ("p1", "p2", "p3", "p4", "p5"):
        space.copying(name, "a.txt", f"{name}.txt")
    runs = [space.start("doit", "run", *(["-n", "2"] if at % 2 else [])) for at in range(8)]
    ended = [process.communicate(timeout=120) + (process.returncode,) for process in runs]
    assert [code for _, _, code in ended] == [0] * 8, ended
    assert sorted(space.ran()) == ["p1", "p2", "p3", "p4", "p5"]


@pytest.mark.parametrize(("mode", "again"), [("read-write", []), ("off", ["b", "c"])])
@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_database_costs_a_rebuild_and_one_warning(
    chain: Space, damage: str, mode: str, again: list[str]
) -> None:
    """No traceback and no wrong "up to date"; the damaged file is kept aside. Results come from the
    cache, if there is one.
    """
    chain.write("config/wsbuild.yaml", f"cache: {{mode: {mode}}}\n")
    path = chain.root / "state" / "pipeline_state.db"
    for extra in path.parent.glob("pipeline_state.db-*"):
        extra.unlink()
    data = path.read_bytes()
    path.write_bytes(
        {"truncated": data[: len(data) // 2], "garbage": b"no database" * 99, "empty": b""}[damage]
    )
    result = chain.doit("run")
    assert chain.ran() == again
    assert "Traceback" not in result.err
    if damage != "empty":
        assert result.err.count("is corrupt") == 1
        assert list(path.parent.glob("*.corrupt-*"))


def test_a_file_name_is_never_a_command(space: Space, tmp_path: Path) -> None:
    """A file named like a shell command is an argument."""
    canary = tmp_path / "PWNED"
    name = f"x; touch {canary} #".replace("/", "_")
    space.write(name, "one\n")
    step = {"name": "make", "run": ["cp", name, "b.txt"], "inputs": [name], "outputs": ["b.txt"]}
    space.workstream("b", files_scope=["b.txt"], steps=[step])
    space.doit("run")
    assert space.read("b.txt") == "one\n"
    assert not canary.exists()
