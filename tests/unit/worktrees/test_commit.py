"""One commit of given paths, made while others use the repository too."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from wsbuild.errors import UserError
from wsbuild.worktrees import commit, trees
from wsbuild.worktrees.commit import (
    Pending,
    drop_note,
    finish,
    note_of,
    prepare,
    ready_head,
    resume,
    under_way,
)
from wsbuild.worktrees.git import Git

OURS = "ours\n"


def pending(repo: Any, path: str = "a.txt", text: str = OURS) -> Pending:
    """A commit of one file that is in its place."""
    git: Git = repo.git
    entries = {path: f"100644 {trees.blob(git, path, text.encode())}"}
    found = prepare(git, "ws-x", ready_head(git), entries, "ws-x: do it\n")
    assert found is not None
    repo.write(path, text)
    return found


def subjects(repo: Any) -> list[str]:
    """Those of the commits on HEAD, the last first."""
    return list(repo.run("log", "--format=%s").splitlines())


def notes(repo: Any) -> list[str]:
    """The commits that are under way."""
    return os.listdir(repo.root / ".wsbuild/landing")


def test_what_is_there_already_makes_no_commit(repo: Any) -> None:
    """Neither before it is made, nor where somebody else made it meanwhile."""
    git = repo.git
    same = {"a.txt": f"100644 {trees.blob(git, 'a.txt', repo.root.joinpath('a.txt').read_bytes())}"}
    assert prepare(git, "ws-x", ready_head(git), same, "ws-x: do it\n") is None
    found = pending(repo)
    repo.run("commit", "-qam", "theirs")
    assert finish(found) == repo.run("rev-parse", "HEAD").strip()
    assert subjects(repo) == ["theirs", "first"]


def test_it_follows_on_what_was_committed_meanwhile(repo: Any) -> None:
    """Which stays, and so do author, date and message."""
    found = pending(repo)
    repo.write("b.txt", "theirs\n")
    repo.run("commit", "-qm", "theirs", "b.txt")
    made = finish(found)
    assert subjects(repo) == ["ws-x: do it", "theirs", "first"]
    assert repo.run("show", "--format=", "--name-only", made) == "a.txt\n"
    shown = [repo.run("log", "-1", "--format=%an %ad %B", which) for which in (made, found.commit)]
    assert shown[0] == shown[1]
    assert repo.run("status", "--short") == ""


def test_head_is_moved_only_from_where_it_was_seen(repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that comes between the look and the move is not lost."""
    found = pending(repo)
    real, meanwhile = Git.run, ["b.txt"]

    def run(git: Git, *words: str, **options: Any) -> bytes:
        if words[0] == "update-ref" and meanwhile:
            repo.write(meanwhile.pop(), "theirs\n")
            repo.run("commit", "-qm", "theirs", "b.txt")
        return real(git, *words, **options)

    monkeypatch.setattr(Git, "run", run)
    finish(found)
    assert subjects(repo) == ["ws-x: do it", "theirs", "first"]


def test_a_path_that_both_have_committed_is_told(repo: Any) -> None:
    """Theirs stands; ours has a name."""
    found = pending(repo)
    repo.write("a.txt", "theirs\n")
    repo.run("commit", "-qam", "theirs")
    with pytest.raises(UserError, match=r"a\.txt was changed by a commit just now") as told:
        finish(found)
    assert found.commit in str(told.value.hint)
    assert subjects(repo) == ["theirs", "first"]
    assert notes(repo) == []


def test_what_was_staged_meanwhile_stays_staged(repo: Any) -> None:
    """The user has gone on with the file since it was put in its place."""
    found = pending(repo)
    repo.write("a.txt", f"{OURS}and more\n")
    repo.run("add", "a.txt")
    finish(found)
    assert repo.run("show", ":a.txt") == f"{OURS}and more\n"
    assert repo.run("show", "HEAD:a.txt") == OURS


def test_an_index_that_is_locked_is_waited_for(repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the end it is told; the next run does the rest, and makes no second commit."""
    found = pending(repo)
    lock = repo.root / ".git/index.lock"
    lock.touch()
    monkeypatch.setattr(commit, "LOCK_S", 0.1)
    with pytest.raises(UserError, match="index is locked"):
        finish(found)
    with pytest.raises(UserError, match="index is locked"):
        resume(found)
    lock.unlink()
    assert under_way(repo.git) == [found]
    assert resume(found)
    assert subjects(repo) == ["ws-x: do it", "first"]
    assert repo.run("status", "--short") == ""
    drop_note(repo.git, "ws-x")
    assert under_way(repo.git) == notes(repo) == []


def test_nothing_is_resumed_in_the_middle_of_a_merge(repo: Any) -> None:
    """It would move HEAD below the user's feet; it waits."""
    found = pending(repo)
    merging = repo.write(".git/MERGE_HEAD", repo.run("rev-parse", "HEAD"))
    with pytest.raises(UserError, match="a merge is in progress"):
        resume(found)
    assert subjects(repo) == ["first"]
    merging.unlink()
    assert under_way(repo.git) == [found]
    assert resume(found)
    assert subjects(repo) == ["ws-x: do it", "first"]


def test_what_head_has_left_behind_stays_so(repo: Any) -> None:
    """A commit that was taken back by another is not brought back into the index."""
    found = pending(repo)
    finish(found)
    repo.run("revert", "--no-edit", "HEAD")
    assert not resume(found)
    assert repo.run("status", "--short") == ""


def test_a_file_may_come_in_the_place_of_a_directory(repo: Any) -> None:
    """And a directory in that of a file, in one commit and in the index."""
    git = repo.git
    entry = f"100644 {trees.blob(git, 'd', OURS.encode())}"
    for path in ("a.txt", "d/c.txt"):
        (repo.root / path).unlink()
    (repo.root / "d").rmdir()
    repo.write("d", OURS)
    repo.write("a.txt/b", OURS)
    entries = {"a.txt": "", "a.txt/b": entry, "d": entry, "d/c.txt": ""}
    found = prepare(git, "ws-x", ready_head(git), entries, "ws-x: do it\n")
    assert found is not None
    finish(found)
    assert repo.run("status", "--short") == ""
    assert repo.run("ls-files").split() == [".gitignore", "a.txt/b", "b.txt", "d", "run.sh"]


@pytest.mark.parametrize("text", ["first a.txt\n", "mine\n"])
def test_what_never_came_to_its_place_is_not_committed(repo: Any, text: str) -> None:
    """The process died before, or somebody has changed the file since."""
    found = pending(repo)
    repo.write("a.txt", text)
    assert not resume(found)
    assert subjects(repo) == ["first"]
    assert repo.root.joinpath("a.txt").read_text() == text


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"head": "x"}', '{"head": 1, "commit": 2, "paths": 3}'])
def test_a_damaged_note_does_no_harm(repo: Any, damage: str) -> None:
    """It tells of nothing, and is gone."""
    pending(repo)
    note = note_of(repo.git, "ws-x")
    with open(note, "w", encoding="utf-8") as file:
        file.write(damage)
    assert under_way(repo.git) == []
    assert subjects(repo) == ["first"]
    assert notes(repo) == []


def test_a_commit_that_git_has_pruned_is_dropped(repo: Any) -> None:
    """Nobody asks for it again and again."""
    pending(repo)
    note = note_of(repo.git, "ws-x")
    with open(note, encoding="utf-8") as file:
        data = json.load(file)
    with open(note, "w", encoding="utf-8") as file:
        json.dump({**data, "commit": "1" * 40}, file)
    assert under_way(repo.git) == []
    assert notes(repo) == []
