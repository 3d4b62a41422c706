"""A run that finds nothing to do is answered by looks alone where an earlier one found so: and rightly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from space import Space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORE = "wsbuild.store.db"
FORMS = {
    "run": ("wsbuild", "run"),
    "run one": ("wsbuild", "run", "ws:up"),
    "json": ("wsbuild", "run", "--json"),
    "doit": ("doit", "run"),
    "doit one": ("doit", "run", "ws:down"),
}


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """`up` reads a file, a directory, a pattern and a variable; `down` what it makes. All is done."""
    space = Space(tmp_path / "project")
    space.env["MOOD"] = "good"
    for path in ("a.txt", "dir/b.txt", "glob/c.in", "glob/sub/d.in"):
        space.write(path, f"{path}\n")
    space.write(".gitignore", "ignored.in\n")
    tool = space.root.parent / "bin/tool"
    tool.parent.mkdir()
    tool.write_text("#!/usr/bin/env python3\nimport sys\nprint('made', sys.argv[1:])\n")
    tool.chmod(0o755)
    space.env["PATH"] = f"{tool.parent}:{space.env['PATH']}"
    steps = [
        {
            "name": "make",
            "run": "tool script.txt > up.txt; cat a.txt dir/* >> up.txt; echo $MOOD >> up.txt",
            "shell": True,
            "inputs": ["a.txt", "dir", "glob/**/*.in", "later/"],
            "outputs": ["up.txt"],
            "env": {"MOOD": None},
        },
        {"name": "tool", "run": ["tool", "word.txt"], "inputs": ["a.txt"], "needs": ["make"]},
    ]
    space.workstream("up", files_scope=["up.txt", "word"], steps=steps)
    space.copying("down", "up.txt", "down.txt", depends_on=["ws-up"])
    settle(space)
    return space


def settle(space: Space) -> None:
    """Run until nothing is done any more, and that is remembered."""
    space.wsbuild("run")
    for words in FORMS.values():
        for _ in range(40):
            if is_remembered(space, words):
                break
        else:
            raise AssertionError(f"{words} is never remembered")


def play(space: Space, words: tuple[str, ...]) -> Any:
    """A run that also tells which modules it has imported."""
    before = space.env
    space.env = {**before, "PYTHONPROFILEIMPORTTIME": "1"}
    try:
        return space.run(*words)
    finally:
        space.env = before


def is_remembered(space: Space, words: tuple[str, ...]) -> bool:
    """Whether a run is answered without opening the history."""
    done = play(space, words)
    assert done.code == 0, done
    assert "othing to do" in done.out or '"executed": 0' in done.out
    return STORE not in done.err


@pytest.mark.parametrize("words", FORMS.values(), ids=FORMS)
def test_the_answer_is_the_same(space: Space, words: tuple[str, ...]) -> None:
    """As that of a run that has looked at everything."""
    quick = play(space, words)
    assert STORE not in quick.err
    shutil.rmtree(space.root / ".wsbuild/run")
    slow = play(space, words)
    assert STORE in slow.err
    assert (quick.code, quick.out) == (slow.code, slow.out)


def test_asking_writes_nothing(space: Space) -> None:
    """Neither to the history, nor anywhere else."""
    before = {str(path): path.stat().st_mtime_ns for path in space.root.rglob("*")}
    assert is_remembered(space, FORMS["run"])
    assert {str(path): path.stat().st_mtime_ns for path in space.root.rglob("*")} == before


def _same_size(path: Path) -> None:
    """Another content of the same size, with the old time of change."""
    before = path.stat()
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _twin(path: Path) -> None:
    """Another file in its place, with the same size and time."""
    before = path.stat()
    other = path.with_name("twin")
    other.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Space], Any]] = {
    "input": lambda space: space.write("a.txt", "other\n"),
    "input of the same size and time": lambda space: _same_size(space.root / "a.txt"),
    "input replaced": lambda space: _twin(space.root / "a.txt"),
    "input below a directory": lambda space: space.write("dir/b.txt", "other\n"),
    "new file in a directory": lambda space: space.write("dir/new.txt", "new\n"),
    "new file in a new directory": lambda space: space.write("dir/x/new.txt", "new\n"),
    "file gone from a directory": lambda space: (space.root / "dir/b.txt").unlink(),
    "new match": lambda space: space.write("glob/sub/new.in", "new\n"),
    "match gone": lambda space: (space.root / "glob/sub/d.in").unlink(),
    "a directory that comes": lambda space: space.write("later/e.txt", "new\n"),
    "output changed": lambda space: space.write("up.txt", "other\n"),
    "output gone": lambda space: (space.root / "up.txt").unlink(),
    "output executable": lambda space: (space.root / "up.txt").chmod(0o755),
    "output a link": lambda space: (
        (space.root / "up.txt").rename(space.root.parent / "up"),
        (space.root / "up.txt").symlink_to(space.root.parent / "up"),
    ),
    "definition": lambda space: space.copying("down", "a.txt", "down.txt", depends_on=["ws-up"]),
    "new workstream": lambda space: space.copying("new", "a.txt", "new.txt"),
    "environment": lambda space: space.env.update(MOOD="bad"),
    "environment unset": lambda space: space.env.pop("MOOD"),
    "tool": lambda space: (space.root.parent / "bin/tool").write_text("#!/usr/bin/env python3\nprint(2)\n"),
    "a word of the command becomes a file": lambda space: space.write("word.txt", "new\n"),
    "forgotten": lambda space: space.doit("forget", "ws:up"),
    "history gone": lambda space: shutil.rmtree(space.root / "state"),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("form", ["run", "doit"])
def test_what_has_changed_is_done(space: Space, name: str, form: str) -> None:
    """Whatever it is: something is executed, or put back; and then nothing again."""
    CHANGES[name](space)
    done = space.wsbuild("run", "--json") if form == "run" else space.run(*FORMS["doit"])
    if form == "run":
        counts = done.json["counts"]
        assert counts["executed"] + counts["restored"] > 0, counts
    else:
        assert "nothing to do" not in done.out
        assert done.code == 0
    assert "othing to do" in space.run(*FORMS["doit"]).out


def test_a_tool_before_it_on_path_is_noticed(space: Space) -> None:
    """It is another tool now."""
    first = space.root.parent / "first"
    first.mkdir()
    space.env["PATH"] = f"{first}:{space.env['PATH']}"
    settle(space)
    (first / "tool").write_text("#!/usr/bin/env python3\nprint(3)\n")
    (first / "tool").chmod(0o755)
    assert space.wsbuild("run", "--json").json["counts"]["executed"] > 0


def test_a_tool_that_may_lead_elsewhere_is_asked_each_time(space: Space) -> None:
    """As version managers have them: what is behind it may change without a trace."""
    shim = space.root.parent / "bin/shim"
    real = space.root.parent / "real"
    shim.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    real.write_text("#!/bin/sh\necho 1.0\n")
    for path in (shim, real):
        path.chmod(0o755)
    profile = {"type": "utility", "command": "shim", "version_command": ["shim", "--version"]}
    space.write("config/tool_profiles.json", json.dumps({"shim": profile}))
    step = {"name": "shim", "tool": "shim", "inputs": ["a.txt"]}
    space.workstream("own", files_scope=["own.txt"], steps=[step])
    for _ in range(4):
        space.wsbuild("run", "--json")
    real.write_text("#!/bin/sh\necho 2.0\n")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1


def test_a_secret_is_not_kept_in_clear(space: Space) -> None:
    """The value of a variable that counts is kept as a digest only."""
    space.env["MOOD"] = "s3cret-value-of-mine"
    settle(space)
    kept = b"".join(path.read_bytes() for path in (space.root / ".wsbuild/run").iterdir())
    assert b"s3cret-value-of-mine" not in kept
    space.env["MOOD"] = "another-value"
    assert space.wsbuild("run", "--json").json["counts"]["executed"] > 0


def test_other_forms_are_other_questions(space: Space) -> None:
    """`--force` and `-a` run what is up to date, a dry run says so, and a failure is none of it."""
    for _ in range(2):
        assert space.wsbuild("run", "--force", "--json").json["counts"]["executed"] == 3
    settle(space)
    assert "up to date" in space.wsbuild("run", "--dry-run").out
    space.env["PIPELINE_DRY_RUN"] = "1"
    assert STORE in play(space, FORMS["run"]).err
    del space.env["PIPELINE_DRY_RUN"]
    assert is_remembered(space, FORMS["run"])
    assert space.doit("run", "-a").out.count("ok ") == 3


@pytest.mark.parametrize("which", ["*", "*.more"])
@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_memory_is_no_answer(space: Space, damage: bytes | None, which: str) -> None:
    """All is looked at then."""
    for path in (space.root / ".wsbuild/run").glob(which):
        data = path.read_bytes()
        path.write_bytes(damage if damage is not None else data[:-1] + bytes([data[-1] ^ 1]))
    space.write("a.txt", "other\n")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] > 0


def _opened(space: Space) -> str:
    """What a run opens."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not there")
    traced = space.root.parent / "trace"
    words = ["strace", "-f", "-e", "trace=openat", "-o", str(traced), "wsbuild", "run"]
    subprocess.run(words, cwd=space.root, env=space.env, check=True, capture_output=True)
    return traced.read_text()


@pytest.mark.parametrize("count", [60, 300], ids=["few", "many"])
def test_touched_files_are_read_once(space: Space, count: int) -> None:
    """That is all: the history is not opened, and the next run reads none of them."""
    for number in range(count):
        space.write(f"dir/{number}", "x\n")
    settle(space)
    for path in space.root.glob("dir/*"):
        os.utime(path, ns=(1, 1))
    time.sleep(0.2)  # what has just changed is not believed yet
    assert is_remembered(space, FORMS["run"])
    assert f"dir/{count - 1}" not in _opened(space)


def test_a_file_of_later_is_read_each_time(space: Space) -> None:
    """Its times do not tell whether it has changed since."""
    later = time.time_ns() + 3600 * 10**9
    os.utime(space.root / "a.txt", ns=(later, later))
    for _ in range(3):
        assert f"{space.root}/a.txt" in _opened(space)


def test_what_is_read_without_a_memory_is_kept(space: Space) -> None:
    """By a run that finds nothing to do as well."""
    for number in range(60):
        space.write(f"dir/{number}", "x\n")
    settle(space)
    for path in space.root.glob("dir/*"):
        os.utime(path, ns=(1, 1))
    for is_read in (True, False):
        shutil.rmtree(space.root / ".wsbuild/run")
        assert ("dir/59" in _opened(space)) is is_read


@pytest.mark.parametrize("what", ["mode", "link", "content"])
def test_what_only_seems_touched(space: Space, what: str) -> None:
    """Is a change: another mode, a link to the same content, another content of the same size."""
    path = space.root / "a.txt"
    if what == "mode":
        path.chmod(0o755)
    elif what == "link":
        path.rename(space.root / "aside")
        path.symlink_to("aside")
    else:
        path.write_text("b.txt\n")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] > 0


def test_a_project_below_another(space: Space) -> None:
    """The same words elsewhere are another question."""
    inner = Space(space.root / "inner")
    inner.env = space.env
    inner.write("a.txt", "inner\n")
    inner.copying("up", "a.txt", "up.txt")
    assert inner.wsbuild("run", "--json").json["counts"]["executed"] == 1
    assert "1 step" in inner.wsbuild("run").out
    (space.root / "deep").mkdir()
    done = space.run("wsbuild", "-C", "deep", "run")
    assert "3 steps" in done.out
