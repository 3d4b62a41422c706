"""Worktrees: adopted, repaired, removed; and no work in them is ever lost."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cachebox import CALLS, die_at

from wsbuild.errors import StateError
from wsbuild.tools import capture as capture_module
from wsbuild.worktrees.merge import ConflictError, catch_up
from wsbuild.worktrees.snapshot import snapshot
from wsbuild.worktrees.worktree import (
    FOLDER,
    Worktree,
    differing,
    is_kept,
    open_worktree,
    remove,
    rescue,
    work_tree,
)

WS = "ws-x"


def opened(repo: Any) -> Worktree:
    """The worktree for the checkout as it is."""
    return open_worktree(repo.git, WS, snapshot(repo.git))[0]


def put(worktree: Worktree, path: str, text: str) -> None:
    """Work in it."""
    target = Path(worktree.path, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def rescued(repo: Any) -> list[str]:
    """The references to work that has not landed."""
    return repo.run("for-each-ref", "--format=%(refname)", "refs/wsbuild").split()


def test_it_is_made_adopted_and_removed(repo: Any) -> None:
    """From the same files it is the same one, with the work in it; landed, nothing is left of it."""
    before = repo.untouched()
    worktree = opened(repo)
    assert repo.untouched() == before
    assert repo.run("status", "--short") == ""
    assert work_tree(worktree) == worktree.tree
    put(worktree, "a.txt", "work\n")
    repo.run("worktree", "prune")
    assert open_worktree(repo.git, WS, snapshot(repo.git)) == (worktree, "")
    assert Path(worktree.path, "a.txt").read_text() == "work\n"
    assert differing(repo.git, worktree.tree, work_tree(worktree)) == ["a.txt"]
    assert remove(worktree, landed=True) == ""
    assert not is_kept(str(repo.root), WS)
    assert not os.path.lexists(worktree.path)
    assert rescued(repo) == []
    assert len(repo.run("worktree", "list").splitlines()) == 1
    assert repo.untouched() == before


def test_from_other_files_it_is_made_anew_and_the_work_rescued(repo: Any) -> None:
    """Changed, new, removed and committed work; each time under a new name."""
    worktree = opened(repo)
    put(worktree, "a.txt", "committed\n")
    repo.run("commit", "-qam", "the agent's", cwd=Path(worktree.path))
    put(worktree, "n é\n.txt", "new")
    os.unlink(os.path.join(worktree.path, "b.txt"))
    repo.write("d/c.txt", "the user goes on\n")
    other, told = open_worktree(repo.git, WS, snapshot(repo.git))
    assert "refs/wsbuild/rescue/ws-x/1" in told
    found = repo.listed("refs/wsbuild/rescue/ws-x/1")
    assert found["a.txt"][1] == "committed\n"
    assert found["n é\n.txt"][1] == "new"
    assert "b.txt" not in found
    assert "the agent's" in repo.run("log", "--format=%s", "refs/wsbuild/rescue/ws-x/1")
    assert Path(other.path, "a.txt").read_text() == "a.txt\n" * 5
    put(other, "a.txt", "more\n")
    assert "ws-x/2" in remove(other)
    assert rescued(repo) == ["refs/wsbuild/rescue/ws-x/1", "refs/wsbuild/rescue/ws-x/2"]


def test_nothing_to_rescue_leaves_no_reference(repo: Any) -> None:
    """What git ignores is no work, unless the workstream owns it."""
    worktree = opened(repo)
    put(worktree, "x.log", "ignored")
    assert rescue(worktree) == ""
    assert rescue(worktree, ["x.log", "not there"]) == "refs/wsbuild/rescue/ws-x/1"
    assert repo.listed("refs/wsbuild/rescue/ws-x/1")["x.log"][1] == "ignored"


# --- what a dead process leaves


def admin(worktree: Worktree) -> Path:
    """Git's own directory for it."""
    return Path(worktree.git.common_dir, "worktrees", WS)


def spoil_note(worktree: Worktree) -> None:
    """It was begun and not finished."""
    note = Path(worktree.git.root, ".wsbuild/worktrees", f"{WS}.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "state": "making"}))


WRECKS: dict[str, Callable[[Worktree], object]] = {
    "no directory": lambda w: shutil.rmtree(w.path),
    "no admin entry": lambda w: shutil.rmtree(admin(w)),
    "neither": lambda w: (shutil.rmtree(admin(w)), shutil.rmtree(w.path)),
    "not locked": lambda w: os.unlink(admin(w) / "locked"),
    "left locks": lambda w: ((admin(w) / "index.lock").touch(), (admin(w) / "HEAD.lock").touch()),
    "half checked out": lambda w: (shutil.rmtree(Path(w.path, "d")), spoil_note(w)),
    "not ready": spoil_note,
    "no .git": lambda w: os.unlink(os.path.join(w.path, ".git")),
    "other .git": lambda w: Path(w.path, ".git").write_text("gitdir: /elsewhere\n"),
    "no index of ours": lambda w: os.unlink(Path(w.git.root, ".wsbuild/worktrees", f"{WS}.index")),
    "empty HEAD": lambda w: (admin(w) / "HEAD").write_text(""),
}


@pytest.mark.parametrize("worked", [False, True])
@pytest.mark.parametrize("name", WRECKS)
def test_every_wreck_is_repaired_and_no_work_lost(repo: Any, name: str, worked: bool) -> None:
    """Adopted, or made anew with what was in it rescued."""
    worktree = opened(repo)
    if worked:
        put(worktree, "a.txt", "work\n")
    WRECKS[name](worktree)
    again = opened(repo)
    repo.run("worktree", "list")
    assert Path(again.path, "d/c.txt").exists() or Path(again.path, "a.txt").read_text() == "work\n"
    if worked and name not in {"no directory", "neither"}:
        texts = [Path(again.path, "a.txt").read_text()]
        texts += [repo.listed(reference)["a.txt"][1] for reference in rescued(repo)]
        assert "work\n" in texts
    remove(again, landed=True)
    assert len(repo.run("worktree", "list").splitlines()) == 1
    assert repo.run("fsck", "--strict", "--no-dangling") == ""


def deaths(work: Callable[[], object], begin: Callable[[], object], *, full: bool) -> Iterator[int]:
    """Let `work` die before its calls, of git too, from the state that `begin` makes: in the full run
    before each.
    """
    for nth in itertools.count(1, 1 if full else 5):
        begin()
        if not die_at(nth, work, CALLS, [(capture_module, "capture")]):
            assert nth > 5
            return
        yield nth


def test_whenever_its_making_is_killed_the_next_succeeds(repo: Any, full: bool) -> None:
    """And nothing of it is left at the end."""

    def begin() -> None:
        if is_kept(str(repo.root), WS):
            remove(opened(repo), landed=True)

    for _ in deaths(lambda: opened(repo), begin, full=full):
        worktree = opened(repo)
        assert work_tree(worktree) == worktree.tree
        assert rescued(repo) == []
    assert repo.run("fsck", "--strict", "--no-dangling") == ""


def test_whenever_its_remaking_is_killed_the_work_is_there(repo: Any, full: bool) -> None:
    """In the worktree, or where it was rescued to; the next time it is made."""
    numbers, there = itertools.count(), Path(repo.root, FOLDER, WS, "a.txt")
    wrote = ""

    def begin() -> None:
        nonlocal wrote
        wrote = f"work {next(numbers)}\n"
        put(opened(repo), "a.txt", wrote)
        repo.write("b.txt", f"moved on {wrote}")

    for _ in deaths(lambda: opened(repo), begin, full=full):
        kept = [repo.listed(reference)["a.txt"][1] for reference in rescued(repo)]
        assert wrote in [*kept, there.read_text() if there.exists() else ""]
        opened(repo)
        last = max(rescued(repo), key=lambda reference: int(reference.rsplit("/", 1)[1]))
        assert repo.listed(last)["a.txt"][1] == wrote
        assert there.read_text() == "a.txt\n" * 5


def test_what_is_half_removed_is_no_work(repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was rescued whole before; what is left of it by then would only hide that."""
    worktree = opened(repo)
    put(worktree, "a.txt", "work\n")
    repo.write("b.txt", "moved on\n")

    def die(path: str) -> None:
        os.unlink(os.path.join(path, "b.txt"))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            opened(repo)
    opened(repo)
    assert rescued(repo) == ["refs/wsbuild/rescue/ws-x/1"]
    assert repo.listed("refs/wsbuild/rescue/ws-x/1")["a.txt"][1] == "work\n"


@pytest.mark.parametrize("what", ["directory", "file", "link"])
def test_what_is_not_ours_is_not_touched(repo: Any, what: str) -> None:
    """Told, with what to do."""
    place = repo.root / FOLDER / WS
    place.parent.mkdir()
    mine = repo.root.parent / "mine"
    mine.mkdir()
    (mine / "text").write_text("mine")
    match what:
        case "directory":
            shutil.copytree(mine, place)
        case "file":
            place.write_text("mine")
        case "link":
            place.symlink_to(mine)
    with pytest.raises(StateError, match="did not make it"):
        opened(repo)
    assert (place if what == "file" else place / "text").read_text() == "mine"


def test_a_link_in_the_place_of_the_worktree_is_not_followed(repo: Any) -> None:
    """What it leads to is somebody else's."""
    worktree = opened(repo)
    mine = repo.root.parent / "mine"
    os.rename(worktree.path, mine)
    os.symlink(mine, worktree.path)
    again = opened(repo)
    assert not os.path.islink(again.path)
    assert (mine / "a.txt").exists()


# --- merging


def test_what_both_did_is_there(repo: Any) -> None:
    """Lines of one file, files of their own; git shows the work alone as new."""
    worktree = opened(repo)
    put(worktree, "a.txt", "a.txt\n" * 5 + "work\n")
    put(worktree, "new", "new\n")
    repo.write("a.txt", "user\n" + "a.txt\n" * 5)
    repo.write("b.txt", "user\n")
    before = repo.untouched()
    moved = catch_up(worktree, snapshot(repo.git), [])
    assert Path(moved.path, "a.txt").read_text() == "user\n" + "a.txt\n" * 5 + "work\n"
    assert Path(moved.path, "b.txt").read_text() == "user\n"
    assert differing(repo.git, moved.tree, work_tree(moved)) == ["a.txt", "new"]
    assert repo.run("status", "--short", cwd=Path(moved.path)).split() == ["M", "a.txt", "??", "new"]
    assert opened(repo) == moved, "it is adopted as one that began from there"
    assert repo.untouched() == before
    assert catch_up(moved, snapshot(repo.git), []) is moved


def test_what_does_not_meet_is_not_merged(repo: Any) -> None:
    """Other files moved: there is nothing to check anew."""
    worktree = opened(repo)
    put(worktree, "a.txt", "work\n")
    repo.write("b.txt", "user\n")
    assert catch_up(worktree, snapshot(repo.git), []) is worktree


@pytest.mark.parametrize(
    ("work", "user"),
    [
        (("a.txt", "work\n"), ("a.txt", "user\n")),
        (("a.txt", ""), ("a.txt", "user\n")),
        (("new", "work\n"), ("new", "user\n")),
        (("new", "work\n"), ("new/below", "user\n")),
    ],
)
def test_a_conflict_changes_nothing(repo: Any, work: tuple[str, str], user: tuple[str, str]) -> None:
    """Changed by both, removed by one, made by both, a file against a directory; named by its path."""
    worktree = opened(repo)
    if work[1]:
        put(worktree, *work)
    else:
        os.unlink(os.path.join(worktree.path, work[0]))
    repo.write(*user)
    tree, before = work_tree(worktree), repo.untouched()
    with pytest.raises(ConflictError, match=work[0]):
        catch_up(worktree, snapshot(repo.git), [])
    assert work_tree(worktree) == tree
    assert repo.untouched() == before
    assert open_worktree(repo.git, WS, snapshot(repo.git))[1] != "", (
        "it is not taken for one of the new files"
    )


def test_names_that_never_count_are_no_work(repo: Any) -> None:
    """Neither in the checkout nor in the worktree, at any depth, whether git ignores them too or not; but
    what git tracks counts by any name, and so does what the workstream owns.
    """
    ignoring = repo.git._replace(ignore=("__pycache__", "*.pyc", "*.log", ".tool.*"))
    repo.write("d/__pycache__/tracked.txt", "tracked\n")
    repo.write(".tool.conf", "tracked\n")
    repo.run("add", "-f", "d/__pycache__/tracked.txt", ".tool.conf")
    repo.write("__pycache__/mine.txt", "x")
    repo.write("d/.tool.history", "x")
    repo.write("d/new.txt", "new\n")
    worktree, _ = open_worktree(ignoring, WS, snapshot(ignoring))
    listed = set(repo.listed(worktree.tree))
    tracked = {".tool.conf", "d/__pycache__/tracked.txt"}
    assert listed == {".gitignore", "a.txt", "b.txt", "d/c.txt", "d/new.txt", "run.sh", *tracked}
    left = ("__pycache__/a.txt", "d/e/__pycache__/f/a.txt", "d/a.pyc", "x.log", "d/.tool.cache/deep/file")
    for path in left:
        put(worktree, path, "x")
    assert work_tree(worktree) == worktree.tree
    assert rescue(worktree) == ""
    assert differing(repo.git, worktree.tree, work_tree(worktree, ["d/a.pyc", "x.log"])) == [
        "d/a.pyc",
        "x.log",
    ]
    put(worktree, ".tool.conf", "changed\n")
    os.unlink(os.path.join(worktree.path, "d/__pycache__/tracked.txt"))
    put(worktree, "pyc", "work\n")
    found = differing(repo.git, worktree.tree, work_tree(worktree))
    assert found == [".tool.conf", "d/__pycache__/tracked.txt", "pyc"]
