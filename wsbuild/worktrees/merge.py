"""A worktree and a checkout that have both moved: merged in the worktree, the checkout untouched."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from wsbuild.errors import WsbuildError
from wsbuild.worktrees import worktree as worktrees
from wsbuild.worktrees.snapshot import own_index

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.worktrees.git import Git
    from wsbuild.worktrees.snapshot import Snapshot
    from wsbuild.worktrees.worktree import Worktree


class ConflictError(WsbuildError):
    """Both have changed the same lines; nothing was changed."""

    exit_code = 1


def catch_up(worktree: Worktree, now: Snapshot, owned: Iterable[str]) -> Worktree:
    """Let a worktree have begun from the checkout as it is `now`, if a file that was changed in it has
    been changed there too; gives the worktree, itself if there was nothing to do.

    Raises ConflictError naming the files, GitError.
    """
    git = worktree.git
    if now.tree == worktree.tree:
        return worktree
    work = worktrees.work_tree(worktree, owned)
    mine = set(worktrees.differing(git, worktree.tree, work))
    theirs = set(worktrees.differing(git, worktree.tree, now.tree))
    if not _meet(mine, theirs):
        return worktree
    merged = _merge(worktree, work, now)
    with own_index(git) as index:
        env = {"GIT_DIR": git.common_dir, "GIT_WORK_TREE": worktree.path, **index}
        git.run("read-tree", work, env=env, cwd=worktree.path)
        git.run("update-index", "-q", "--refresh", env=env, cwd=worktree.path, codes=(0, 1))
        git.run("read-tree", "-m", "-u", work, merged, env=env, cwd=worktree.path)
        shutil.copy2(
            index["GIT_INDEX_FILE"], os.path.join(git.root, worktrees.NOTES, f"{worktree.ws_id}.index")
        )
    # For whoever looks at it with git: what is new in it is what the workstream did.
    git.run("reset", "-q", "--mixed", now.commit, cwd=worktree.path)
    return worktrees.rebased(worktree, now)


def _meet(mine: set[str], theirs: set[str]) -> bool:
    """Whether both touched a path, or one a path below which the other has files."""
    if mine & theirs:
        return True
    return any(_above(path) & theirs for path in mine) or any(_above(path) & mine for path in theirs)


def _above(path: str) -> set[str]:
    return {path[:at] for at, char in enumerate(path) if char == "/"}


def _merge(worktree: Worktree, work: str, now: Snapshot) -> str:
    """The tree that has what both did since the worktree began."""
    git = worktree.git
    ours, theirs = (
        git.line("commit-tree", tree, "-p", worktree.base, "-m", "wsbuild: to be merged")
        for tree in (now.tree, work)
    )
    tree, conflicts = merged(git, ours, theirs)
    if conflicts:
        raise ConflictError(
            f"conflict: {', '.join(conflicts)} changed in the checkout and by {worktree.ws_id}",
            f"settle it in {worktrees.FOLDER}/{worktree.ws_id} or in the checkout, and run again",
        )
    return tree


def merged(git: Git, ours: str, theirs: str) -> tuple[str, list[str]]:
    """The tree that has what two commits did since they parted, and the paths where they do not go
    together, sorted. Raises GitError.
    """
    words = ("--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories")
    said = git.run("merge-tree", *words, ours, theirs, codes=(0, 1))
    tree, *conflicts = [os.fsdecode(field) for field in said.split(b"\0") if field]
    return tree, sorted(conflicts)
