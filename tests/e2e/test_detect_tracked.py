"""What git tracks is judged, although a `.gitignore` names it; what it does not track there is not."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from detecting import detect, own
from space import Space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWN = 'grep -l Teh -- "$@"; test $? != 0'
BAD, GOOD = "Teh end\n", "The end\n"
OLD_S = 0.15
"""After so long the times of a file are believed."""


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project that tracks two ignored files of three."""
    space = Space(tmp_path / "project")
    shutil.rmtree(space.root / "workstreams")
    own(space, OWN, files=["*.txt"])
    space.write("config/wsbuild.yaml", "detectors: [own]\n")
    space.write(".gitignore", "*.log.txt\nvendor/\n")
    for path in ("a.txt", "b.log.txt", "vendor/deep/c.txt", "vendor/d.txt"):
        space.write(path, BAD)
    space.git("init", "-q", "-b", "main")
    space.git("add", "-A")
    space.git("add", "-f", "b.log.txt", "vendor/deep/c.txt")
    space.git("commit", "-qm", "first")
    return space


ALL = ["a.txt", "b.log.txt", "vendor/deep/c.txt"]


def bad(space: Space, *arguments: str, **options: Any) -> list[str]:
    """Where something is found, anew and remembered alike."""
    found = [
        space.wsbuild("detect", "--json", *arguments, code=None, **options).json["findings"] for _ in range(2)
    ]
    assert found[0] == found[1]
    return [one["path"] for one in found[0]]


def remembered(space: Space) -> bool:
    """Whether the next answer needs no results of before."""
    database = space.root / ".wsbuild/detect.db"
    kept = database.read_bytes()
    try:
        database.write_bytes(b"garbage" * 1000)
        return not space.wsbuild("detect", "--json", code=None).err
    finally:
        for path in database.parent.glob("detect.db*"):
            path.unlink()
        database.write_bytes(kept)


def test_all_that_is_tracked_is_judged(space: Space) -> None:
    assert bad(space) == ALL


@pytest.mark.parametrize(
    ("named", "found"),
    [("vendor/deep", ALL[2:]), (".", ALL), ("b.log.txt", ALL[1:2]), ("vendor/d.txt", ["vendor/d.txt"])],
)
def test_what_is_named_is_judged(space: Space, named: str, found: list[str]) -> None:
    assert bad(space, named) == found


def test_a_directory_above_names_what_is_tracked_below(space: Space) -> None:
    space.write("sub/e.log.txt", BAD)
    space.write("sub/f.log.txt", BAD)
    space.git("add", "-f", "sub/e.log.txt")
    assert bad(space, "sub") == ["sub/e.log.txt"]


def test_names_that_never_count_do_not(space: Space) -> None:
    space.write("config/wsbuild.yaml", "detectors: [own]\nignore: [vendor]\n")
    assert bad(space) == ALL[:2]
    space.git("add", "-A")
    space.write("vendor/deep/c.txt", BAD * 2)
    space.write("a.txt", BAD * 2)
    assert bad(space, "--changed") == ["a.txt"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_is_staged(space: Space, *, elsewhere: bool) -> None:
    """Also in a copy, where the working tree differs."""
    space.write("vendor/deep/c.txt", BAD * 2)
    space.write("b.log.txt", BAD * 2)
    space.git("add", "-u")
    if elsewhere:
        space.write("b.log.txt", GOOD)
    assert bad(space, "--staged") == ALL[1:]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_whole_project_as_it_is_staged(space: Space, *, elsewhere: bool) -> None:
    own(space, OWN, files=["*.txt"], granularity="project")
    space.git("add", "-A")
    space.git("commit", "-qm", "second")
    space.write("a.txt", BAD * 2)
    space.git("add", "a.txt")
    if elsewhere:
        space.write("b.log.txt", GOOD)
    assert bad(space, "--staged") == ALL


def test_what_has_changed(space: Space) -> None:
    space.write("vendor/deep/c.txt", BAD * 2)
    space.write("vendor/d.txt", BAD * 2)
    assert bad(space, "--changed") == ALL[2:]


CHANGES: dict[str, tuple[Callable[[Space], object], list[str]]] = {
    "one more is tracked": (
        lambda s: s.git("add", "-f", "vendor/d.txt"),
        ["a.txt", "b.log.txt", "vendor/d.txt", "vendor/deep/c.txt"],
    ),
    "one is not tracked any more": (lambda s: s.git("rm", "-q", "--cached", "b.log.txt"), [ALL[0], ALL[2]]),
    "one is edited": (lambda s: s.write("vendor/deep/c.txt", GOOD), ALL[:2]),
    "one is gone": (lambda s: (s.root / "b.log.txt").unlink(), [ALL[0], ALL[2]]),
    "its directory is gone": (lambda s: shutil.rmtree(s.root / "vendor"), ALL[:2]),
    "another commit": (
        lambda s: (s.git("rm", "-qr", "vendor/deep"), s.git("commit", "-qm", "x")),
        ALL[:2],
    ),
    "no repository": (lambda s: shutil.rmtree(s.root / ".git"), ALL[:1]),
    "one of its own inside": (lambda s: s.git("init", "-q", "vendor"), ALL),
    "no rules": (
        lambda s: (s.root / ".gitignore").unlink(),
        ["a.txt", "b.log.txt", "vendor/d.txt", "vendor/deep/c.txt"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_answer_is_one_of_before(space: Space, change: str) -> None:
    """Whatever is remembered of the last run."""
    make, found = CHANGES[change]
    time.sleep(OLD_S)
    assert bad(space) == ALL
    make(space)
    assert bad(space) == found
    time.sleep(OLD_S)
    assert bad(space) == found


def test_what_was_gone_comes_back(space: Space) -> None:
    """As what it was, or after it was something else."""
    path = space.root / "vendor/deep/c.txt"
    path.unlink()
    assert bad(space) == ALL[:2]
    time.sleep(OLD_S)
    space.write("vendor/deep/c.txt", BAD)
    assert bad(space) == ALL
    path.unlink()
    path.symlink_to("../d.txt")
    assert bad(space) == ALL[:2]
    time.sleep(OLD_S)
    path.unlink()
    space.write("vendor/deep/c.txt", BAD)
    assert bad(space) == ALL


def test_the_answer_outlives_what_else_git_is_told(space: Space) -> None:
    """A commit of what is judged already changes nothing, though it changes the index."""
    space.write("new.txt", GOOD)
    assert bad(space) == ALL
    time.sleep(OLD_S)
    assert bad(space) == ALL
    assert remembered(space)
    space.git("add", "new.txt")
    assert remembered(space)
    space.git("commit", "-qm", "second")
    time.sleep(OLD_S)
    assert remembered(space)
    assert bad(space) == ALL


def test_git_is_asked_once_after_it_was_told_something(space: Space) -> None:
    tally = space.root.parent / "tally"
    shims = space.root.parent / "bin"
    shims.mkdir()
    git = shutil.which("git", path=space.env["PATH"])
    (shims / "git").write_text(f'#!/bin/sh\necho asked >> {tally}\nexec {git} "$@"\n')
    (shims / "git").chmod(0o755)
    space.write("new.txt", GOOD)
    space.env["PATH"] = f"{shims}:{space.env['PATH']}"
    bad(space)
    time.sleep(OLD_S)
    bad(space)
    space.git("add", "new.txt")
    time.sleep(OLD_S)
    tally.unlink()
    assert bad(space) == ALL
    assert tally.read_text().split() == ["asked"]


def test_an_edit_beside_a_commit(space: Space) -> None:
    """Only the edited file is judged."""
    assert bad(space) == ALL
    time.sleep(OLD_S)
    assert bad(space) == ALL
    space.git("commit", "-q", "--allow-empty", "-m", "second")
    space.git("rm", "-q", "--cached", "config/wsbuild.yaml")
    space.write("a.txt", GOOD * 2)
    told = detect(space)
    assert [one["path"] for one in told["findings"]] == ALL[1:]
    assert told["counts"]["tool_calls"] == 1
    assert told["counts"]["from_cache"] == 2


def test_a_project_below_the_top(space: Space) -> None:
    """Of a repository whose ignore file is its own."""
    below = Space(space.root / "below")
    shutil.rmtree(below.root / "workstreams")
    own(below, OWN, files=["*.txt"])
    below.write("config/wsbuild.yaml", "detectors: [own]\n")
    below.write("dodo.py", "")
    below.write(".gitignore", "out/\n")
    below.write("out/x.txt", BAD)
    below.git("add", "-f", ".")
    (below.root / ".wsbuild").mkdir()
    assert bad(below) == ["out/x.txt"]
    time.sleep(OLD_S)
    below.write("out/y.txt", BAD)
    below.git("add", "-f", "out/y.txt")
    assert bad(below) == ["out/x.txt", "out/y.txt"]


def test_a_directory_that_is_called_like_a_repository(space: Space) -> None:
    """Git goes on from there to the one around it."""
    below = Space(space.root / "below")
    own(below, OWN, files=["*.txt"])
    below.write("config/wsbuild.yaml", "detectors: [own]\n")
    below.write("x.log.txt", BAD)
    below.write(".gitignore", "*.log.txt\n")
    (below.root / ".git").mkdir()
    assert bad(below) == []
    time.sleep(OLD_S)
    assert bad(below) == []
    space.git("add", "-f", "below/x.log.txt")
    assert bad(below) == ["x.log.txt"]


def test_a_work_tree_that_becomes_another_one(space: Space) -> None:
    """By the file that says where its repository is."""
    one, other = space.root.parent / "one", space.root.parent / "other"
    for path in (one, other):
        space.git("worktree", "add", "-q", str(path))
    (one / "vendor/d.txt").write_text(BAD)
    assert bad(space, cwd=one) == ALL
    time.sleep(OLD_S)
    assert bad(space, cwd=one) == ALL
    (other / "vendor/d.txt").write_text(BAD)
    space.git("-C", str(other), "add", "-f", "vendor/d.txt")
    (one / ".git").write_text((other / ".git").read_text())
    assert bad(space, cwd=one) == [*ALL[:2], "vendor/d.txt", ALL[2]]


def test_another_work_tree(space: Space) -> None:
    """Its index is its own."""
    other = space.root.parent / "other"
    space.git("worktree", "add", "-q", str(other))
    assert bad(space, cwd=other) == ALL
    time.sleep(OLD_S)
    (other / "vendor/d.txt").write_text(BAD)
    assert bad(space, cwd=other) == ALL
    space.git("-C", str(other), "add", "-f", "vendor/d.txt")
    assert bad(space, cwd=other) == [*ALL[:2], "vendor/d.txt", ALL[2]]


def test_a_repository_that_begins(tmp_path: Path, space: Space) -> None:
    """Around the project, or in it."""
    shutil.rmtree(space.root / ".git")
    assert bad(space) == ALL[:1]
    time.sleep(OLD_S)
    assert bad(space) == ALL[:1]
    around = Space(tmp_path)
    around.git("init", "-q")
    around.git("add", "-f", "project/b.log.txt")
    assert bad(space) == ALL[:2]
    time.sleep(OLD_S)
    space.git("init", "-q")
    assert bad(space) == ALL[:1]
    space.git("add", "-f", "vendor/deep/c.txt")
    assert bad(space) == [ALL[0], ALL[2]]


def test_a_git_that_does_not_say(space: Space) -> None:
    """What it tracks is not known as long as it does not, and is as soon as it does."""
    without = space.root.parent / "bin"
    without.mkdir()
    (without / "git").write_text("#!/bin/sh\nexit 128\n")
    (without / "git").chmod(0o755)
    path = space.env["PATH"]
    assert bad(space) == ALL
    space.env["PATH"] = f"{without}:{path}"
    assert bad(space) == ALL[:1]
    time.sleep(OLD_S)
    assert bad(space) == ALL[:1]
    (without / "git").unlink()
    assert bad(space) == ALL


def test_the_imports_of_what_is_tracked_are_checked(space: Space) -> None:
    space.write("config/path_standards.yaml", "imports:\n  old: null\n")
    for name in ("a", "b"):
        space.write(f"vendor/{name}.py", "import old\n")
    space.git("add", "-f", "vendor/a.py")
    found = space.wsbuild("check-imports", "--json", code=1).json["found"]
    assert [one["path"] for one in found] == ["vendor/a.py"]


def test_as_tasks(space: Space) -> None:
    """`doit run detect` judges the same files."""
    space.write("pyproject.toml", '[tool.doit]\nloader = "wsbuild"\n')
    (space.root / "workstreams").mkdir()
    said = space.doit("run", "detect", code=1).out.split()
    assert [path for path in (*ALL, "vendor/d.txt") if path in said] == ALL


def test_an_index_that_a_hook_is_given(space: Space) -> None:
    """`git commit FILE` makes one of its own."""
    own(space, OWN, files=["*.txt"], granularity="project")
    space.write("a.txt", BAD * 2)
    index = space.root / ".git/other"
    shutil.copy(space.root / ".git/index", index)
    space.env["GIT_INDEX_FILE"] = os.fspath(index)
    space.git("add", "a.txt", "config")
    space.git("add", "-f", "vendor/d.txt")
    assert bad(space, "--staged") == [*ALL[:2], "vendor/d.txt", ALL[2]]
    assert bad(space) == ALL, "what is not staged is none of its business"


def test_what_is_staged_on_another_commit(space: Space) -> None:
    """The same is staged, and the project is another one."""
    own(space, OWN, files=["*.txt"], granularity="project")
    space.git("add", "-A")
    space.git("commit", "-qm", "second")
    index = space.root / ".git/other"
    shutil.copy(space.root / ".git/index", index)
    space.env["GIT_INDEX_FILE"] = os.fspath(index)
    space.write("a.txt", BAD * 2)
    space.git("add", "a.txt")
    time.sleep(OLD_S)
    assert bad(space, "--staged") == ALL
    space.git("reset", "-q")
    space.git("add", "-f", "vendor/d.txt")
    space.git("commit", "-qm", "third")
    space.git("add", "a.txt")
    assert bad(space, "--staged") == [*ALL[:2], "vendor/d.txt", ALL[2]]
