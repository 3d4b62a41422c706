"""What git says of the index, asked for in two ways."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from wsbuild.worktrees.status import STAGED, Asked, Status, names_in_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")


def git(root: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with some files, of which nothing is staged."""
    root = tmp_path / "repo"
    (root / "sub").mkdir(parents=True)
    for name in ("a", "b", "c", "with space", "sub/ü\nnew", "sub/d", "link"):
        (root / name).write_text(f"{name}\n" * 20)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")
    return root


def _new(root: Path) -> None:
    (root / "sub/new one").write_text("x\n")


def _changed(root: Path) -> None:
    (root / "sub/ü\nnew").write_text("other\n")
    (root / "with space").write_text("other\n")


def _gone(root: Path) -> None:
    (root / "b").unlink()


def _moved(root: Path) -> None:
    (root / "c").rename(root / "sub/moved")


def _mode(root: Path) -> None:
    (root / "a").chmod(0o755)


def _kind(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("a")


def _repository(root: Path) -> None:
    (root / "inner").mkdir()
    git(root / "inner", "init", "-q")
    git(root / "inner", "commit", "-q", "--allow-empty", "-m", "inner")


CHANGES = [_new, _changed, _gone, _moved, _mode, _kind, _repository]


def both(root: Path) -> tuple[Status, str]:
    """What git has said of all, and of the index alone."""
    said = Asked(root.as_posix(), os.environ, "").answer()
    index = Asked(root.as_posix(), os.environ, "", STAGED).answer()
    assert said is not None
    assert index is not None
    return Status(said), os.fsdecode(index)


@pytest.mark.parametrize("setting", ["", "diff.relative", "color.ui", "diff.renames", "status.relativePaths"])
@pytest.mark.parametrize("change", [*CHANGES, None])
def test_both_say_the_same(root: Path, change: Callable[[Path], None] | None, setting: str) -> None:
    """The very text, of any kind of change, and of all together; and the files that are there."""
    if setting:
        git(root, "config", setting, "always" if setting == "color.ui" else "true")
    for one in CHANGES if change is None else [change]:
        one(root)
    status, index = both(root)
    assert (status.index, status.is_clean, index) == ("", False, "")
    git(root, "add", "-A")
    status, index = both(root)
    assert status.index == index != ""
    assert status.is_clean
    assert status.staged == names_in_index(index)
    (root / "sub/d").write_text("not staged\n")
    status, again = both(root)
    assert (status.index, status.is_clean, again) == (index, False, index)


def test_a_conflict_is_never_clean(root: Path) -> None:
    """There is nothing that could be judged."""
    git(root, "checkout", "-qb", "other")
    (root / "a").write_text("other\n")
    git(root, "commit", "-qam", "other")
    git(root, "checkout", "-q", "main")
    (root / "a").write_text("mine\n")
    git(root, "commit", "-qam", "mine")
    subprocess.run([*GIT, "merge", "-q", "other"], cwd=root, check=False, capture_output=True)
    assert not both(root)[0].is_clean


def test_before_the_first_commit(tmp_path: Path) -> None:
    """git says only what its status is."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("a\n")
    git(tmp_path, "add", "-A")
    assert Asked(tmp_path.as_posix(), os.environ, "", STAGED).answer() is None
    status = Status(Asked(tmp_path.as_posix(), os.environ, "").answer() or b"")
    assert (status.staged, status.is_clean) == (["a"], True)
    assert names_in_index(status.index) == ["a"]
