"""The tree as it is, as a commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wsbuild.worktrees.git import Git, GitError
from wsbuild.worktrees.snapshot import own_index, snapshot


def test_all_that_counts_is_in_it(repo: Any) -> None:
    """Changed, staged, new, removed, moved; modes, links and odd names; not what git ignores."""
    repo.write("a.txt", "changed\n")
    repo.write("b.txt", "staged\n")
    repo.run("add", "b.txt")
    repo.write("b.txt", "staged, and changed again\n")
    (repo.root / "d/c.txt").unlink()
    repo.write("new dir/-dash", "dash")
    repo.write("new\nline", "line")
    repo.write("x.log", "ignored")
    repo.write("intent", "to add")
    repo.run("add", "-N", "intent")
    (repo.root / "run.sh").chmod(0o644)
    (repo.root / "link").symlink_to("a.txt")
    before = repo.untouched()
    found = snapshot(repo.git)
    assert repo.listed(found.tree) == {
        ".gitignore": ("100644", "*.log\n"),
        "a.txt": ("100644", "changed\n"),
        "b.txt": ("100644", "staged, and changed again\n"),
        "new dir/-dash": ("100644", "dash"),
        "new\nline": ("100644", "line"),
        "intent": ("100644", "to add"),
        "run.sh": ("100644", "#!/bin/sh\n"),
        "link": ("120000", "a.txt"),
    }
    assert repo.run("rev-parse", f"{found.commit}^").strip() == found.head
    assert repo.untouched() == before
    assert snapshot(repo.git) == found, "asked again it is the same"
    assert os.listdir(repo.root / ".wsbuild/worktrees") == []


@pytest.mark.parametrize("hide", ["--assume-unchanged", "--skip-worktree"])
def test_what_the_user_hides_from_git_is_as_it_is(repo: Any, hide: str) -> None:
    """The tool will see the files, not what the index says of them; one that is not there stays."""
    repo.run("update-index", hide, "a.txt", "b.txt")
    repo.write("a.txt", "changed\n")
    if hide == "--skip-worktree":
        (repo.root / "b.txt").unlink()
    found = repo.listed(snapshot(repo.git).tree)
    assert found["a.txt"] == ("100644", "changed\n")
    assert found["b.txt"] == ("100644", "b.txt\n" * 5)


def test_an_edit_within_a_second_of_the_index_is_seen(repo: Any) -> None:
    """The same size, and times that git cannot tell apart: a copy of the index must not look newer."""
    for number in range(20):
        repo.write("a.txt", f"{number:05}\n")
        repo.run("add", "a.txt")
        repo.write("a.txt", f"{number + 1:05}\n")
        assert repo.listed(snapshot(repo.git).tree)["a.txt"][1] == f"{number + 1:05}\n"


def test_without_any_commit(tmp_path: Path, repo: Any) -> None:
    """A new repository has a tree too."""
    os.rename(repo.root / ".git", tmp_path / "old")
    repo.run("init", "-q")
    found = snapshot(repo.git)
    assert found.head == ""
    assert set(repo.listed(found.tree)) == {".gitignore", "a.txt", "b.txt", "d/c.txt", "run.sh"}


def test_in_the_middle_of_a_merge(repo: Any) -> None:
    """What is in the files counts, conflict marks included; the merge is left as it is."""
    repo.run("checkout", "-qb", "other")
    repo.write("a.txt", "theirs\n")
    repo.run("commit", "-qam", "theirs")
    repo.run("checkout", "-q", "main")
    repo.write("a.txt", "ours\n")
    repo.run("commit", "-qam", "ours")
    with pytest.raises(Exception, match="merge"):
        repo.run("merge", "other")
    before = repo.untouched()
    assert "<<<<<<<" in repo.listed(snapshot(repo.git).tree)["a.txt"][1]
    assert repo.untouched() == before


def test_a_split_index_and_one_that_is_not_there(repo: Any) -> None:
    """Neither can be copied as one file; then all files are read."""
    repo.write("a.txt", "changed\n")
    repo.run("update-index", "--split-index")
    assert repo.listed(snapshot(repo.git).tree)["a.txt"][1] == "changed\n"
    (repo.root / ".git/index").unlink()
    assert repo.listed(snapshot(repo.git).tree)["a.txt"][1] == "changed\n"


def test_nested_repositories_are_kept_as_they_are(repo: Any) -> None:
    """As the commit that they are on; what is not committed there is theirs."""
    repo.write("inner/x", "x")
    repo.run("init", "-q", cwd=repo.root / "inner")
    repo.run("add", "-A", cwd=repo.root / "inner")
    repo.run("commit", "-qm", "x", cwd=repo.root / "inner")
    assert repo.listed(snapshot(repo.git).tree)["inner"][0] == "160000"


def test_where_there_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo: Any) -> None:
    """No git at all, no repository around, and one that is bare."""
    assert Git.find(str(tmp_path)) is None
    bare = tmp_path / "bare"
    repo.run("init", "-q", "--bare", str(bare))
    assert Git.find(str(bare)) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Git.find(str(repo.root)) is None


def test_git_s_own_words_are_told(repo: Any) -> None:
    """A repository that git does not want to read, and a command that it refuses."""
    with pytest.raises(GitError, match="Needed a single revision"):
        repo.git.run("rev-parse", "--verify", "no-such-ref")
    (repo.root / ".git/HEAD").write_text("spoiled")
    with pytest.raises(GitError, match="not a git repository"):
        Git.find(str(repo.root))


def test_the_copy_of_an_index_is_as_old_as_the_index(repo: Any) -> None:
    """Git believes what its index says of files that are older than it: a copy that is newer would have
    it believe what was not true any more when the copy was made.
    """
    index = repo.root / ".git/index"
    os.utime(index, ns=(index.stat().st_atime_ns, index.stat().st_mtime_ns - 5_000_000_000))
    with own_index(repo.git, str(index)) as env:
        copy = Path(env["GIT_INDEX_FILE"])
        assert copy.stat().st_mtime_ns == index.stat().st_mtime_ns
        assert copy.read_bytes() == index.read_bytes()
    assert not copy.exists()
