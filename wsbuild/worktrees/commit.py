"""One commit of given paths on the branch that is checked out, and nothing else of the user's in it.

A note says what is under way from before the first file is put in its place until the commit is made
and the index knows of it: the next run finishes what a dead process began.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError
from wsbuild.statedir import LANDING, make_dir
from wsbuild.worktrees.git import GitError
from wsbuild.worktrees.trees import commit_of, entries_of, has, identity, set_entries, tree_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.worktrees.git import Git

ROUNDS = 5
"""How often HEAD may move while a commit is put on it."""

LOCK_S = 5.0
"""How long somebody else's lock on the index is waited for."""

_BUSY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "sequencer": "cherry-pick or revert",
}


class Pending(NamedTuple):
    """A commit that exists and is on no branch yet: `head` is its parent, `paths` are those it changes, as
    the repository calls them.
    """

    git: Git
    ws_id: str
    head: str
    commit: str
    paths: tuple[str, ...]

    def keep(self) -> None:
        """Note that it is under way. Raises OSError."""
        make_dir(self.git.root, LANDING)
        data = {"head": self.head, "commit": self.commit, "paths": self.paths}
        write_atomic(note_of(self.git, self.ws_id), json.dumps(data).encode())


def drop_note(git: Git, ws_id: str) -> None:
    """Note that nothing is under way for a workstream."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(note_of(git, ws_id))


def note_of(git: Git, ws_id: str) -> str:
    """The absolute path of the note that says what is under way for a workstream."""
    return os.path.join(git.root, LANDING, f"{ws_id}.json")


# --- before


def ready_head(git: Git) -> str:
    """The commit that HEAD is on. Raises UserError where nobody should commit now, GitError."""
    head = git.head()
    if not head:
        raise no_commit_yet()
    for name, what in _BUSY.items():
        if os.path.lexists(os.path.join(git.git_dir, name)):
            raise UserError(
                f"a {what} is in progress", "finish or abort it (see `git status`), and run again"
            )
    if os.path.lexists(_index_lock(git)):
        raise _index_is_locked(git, "")
    return head


def no_commit_yet() -> UserError:
    """What is told before the first commit."""
    return UserError("there is no commit yet to land on", "make the first commit, and run again")


def _index_lock(git: Git) -> str:
    return os.path.join(git.git_dir, "index.lock")


def _index_is_locked(git: Git, before: str) -> UserError:
    return UserError(
        f"{before}git's index is locked: {_index_lock(git)}",
        "wait for the git command that holds it, or remove it where none runs, and run again",
    )


def prepare(git: Git, ws_id: str, head: str, entries: Mapping[str, str], message: str) -> Pending | None:
    """Make the commit, on no branch yet, and note that it is under way; None where there is nothing to
    commit. `entries` has mode and object id for each path, '' for one that is removed.

    Raises GitError, OSError.
    """
    tree = tree_with(git, head, entries)
    if tree == git.line("rev-parse", f"{head}^{{tree}}"):
        return None
    commit = commit_of(git, tree, [head], message)
    pending = Pending(git, ws_id, head, commit, tuple(sorted(entries)))
    pending.keep()
    return pending


# --- after


def finish(pending: Pending) -> str:
    """Have the files of a pending commit, which are in their places, committed; gives the commit.

    The note still stands until somebody drops it, as it does when this raises UserError, GitError or
    OSError: the next run then tries it again.
    """
    pending = _move_head(pending)
    _update_index(pending)
    return pending.commit


def _move_head(pending: Pending) -> Pending:
    git = pending.git
    for _ in range(ROUNDS):
        head = git.head()
        if has(git, head, pending.commit):
            return pending
        if head != pending.head:
            pending = _onto(pending, head)
            if pending.commit == head:
                return pending
        with contextlib.suppress(GitError):
            words = ("update-ref", "-m", f"wsbuild: land {pending.ws_id}", "HEAD", pending.commit, head)
            git.run(*words, env=identity(git))
            return pending
    raise UserError(
        f"HEAD cannot be moved to {pending.commit}: it moves by itself, or is locked",
        "run again: the files are in place, and are committed then",
    )


def _onto(pending: Pending, head: str) -> Pending:
    """The same on another commit: that one itself where it has all of it. Raises UserError where both
    have changed a path.
    """
    git, paths = pending.git, pending.paths
    old, ours, now = (entries_of(git, commit, paths) for commit in (pending.head, pending.commit, head))
    both = [path for path in paths if now.get(path) not in {old.get(path), ours.get(path)}]
    if both:
        drop_note(git, pending.ws_id)
        raise UserError(
            f"{both[0]} was changed by a commit just now, and by {pending.ws_id}",
            f"what was to be committed is {pending.commit}, and its files are in place: commit them",
        )
    tree = tree_with(git, head, {path: ours.get(path, "") for path in paths})
    if tree == git.line("rev-parse", f"{head}^{{tree}}"):
        return pending._replace(commit=head)
    raw = git.run("cat-file", "commit", pending.commit)
    rest = raw.split(b"\n", 2)[2]
    given = f"tree {tree}\nparent {head}\n".encode() + rest
    commit = git.run("hash-object", "-t", "commit", "-w", "--stdin", given=given).decode().strip()
    moved = pending._replace(head=head, commit=commit)
    moved.keep()
    return moved


def _update_index(pending: Pending) -> None:
    """Let the user's index have the paths as committed, where it has them as they were before, and HEAD has
    not gone on.
    """
    git = pending.git
    old, ours, now = (
        entries_of(git, commit, pending.paths) for commit in (pending.head, pending.commit, "HEAD")
    )
    paths = {path for path in pending.paths if now.get(path) == ours.get(path)}
    staged = {}
    for line in git.run("ls-files", "-s", "-z", "--full-name", cwd=git.top).split(b"\0"):
        entry, _, path = line.partition(b"\t")
        if (name := os.fsdecode(path)) in paths:
            staged[name] = entry.decode()
    # What is there with another state was staged since: that is the user's.
    as_before = [path for path in paths if staged.get(path, "") == (f"{old[path]} 0" if path in old else "")]
    wanted = {path: ours.get(path, "") for path in as_before if old.get(path) != ours.get(path)}
    deadline = time.monotonic() + LOCK_S
    while wanted:
        try:
            set_entries(git, wanted, {})
            break
        except GitError:
            if not os.path.lexists(_index_lock(git)):
                raise
            if time.monotonic() > deadline:
                raise _index_is_locked(git, f"{pending.commit} is made, but ") from None
            time.sleep(0.05)
    git.run("update-index", "-q", "--refresh", cwd=git.top, codes=(0, 1, 128))


def under_way(git: Git) -> list[Pending]:
    """The commits that dead processes, or failures, left under way. For whoever holds the tree's lock."""
    found = []
    for name in sorted(os.listdir(os.path.join(git.root, LANDING))):
        if not name.endswith((".json", ".tmp")):
            continue
        pending = _noted(git, name)
        if pending is not None:
            found.append(pending)
            continue
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(git.root, LANDING, name))
    return found


def resume(pending: Pending) -> bool:
    """Finish a commit that was under way, if its files came to their places; gives whether they are there
    as committed. Raises UserError, GitError, OSError.
    """
    git, is_there = pending.git, _is_in_place(pending)
    is_made = has(git, git.head(), pending.commit)
    if is_there and not is_made:
        ready_head(git)  # a merge may have been begun since
    if is_there or is_made:
        finish(pending)
    return is_there


def _noted(git: Git, name: str) -> Pending | None:
    """What a note says; None where it is damaged or was never whole, or tells of a commit that git does not
    have any more.
    """
    ws_id, kind = os.path.splitext(name)
    if kind != ".json":
        return None
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, GitError):
        with open(os.path.join(git.root, LANDING, name), encoding="utf-8") as file:
            data = json.load(file)
        pending = Pending(git, ws_id, str(data["head"]), str(data["commit"]), tuple(data["paths"]))
        for commit in (pending.head, pending.commit):
            git.run("cat-file", "-e", f"{commit}^{{commit}}")
        return pending
    return None


def _is_in_place(pending: Pending) -> bool:
    """Whether all files are as the commit has them."""
    git = pending.git
    ours = entries_of(git, pending.commit, pending.paths)
    for path in pending.paths:
        place = os.path.join(git.top, path)
        if path not in ours:
            if os.path.lexists(place):
                return False
            continue
        if os.path.islink(place) or not os.path.isfile(place):
            return False
        if git.line("hash-object", "--", path, cwd=git.top) != ours[path].split(" ")[1]:
            return False
    return True
