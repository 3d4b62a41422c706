"""What earlier runs left behind: how much it is, and removing it without losing anybody's work."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions.workspace import QUARANTINE
from wsbuild.cache.put_back import ASIDE
from wsbuild.errors import StateError, WsbuildError
from wsbuild.statedir import LOGS, PROMPTS
from wsbuild.worktrees.worktree import FOLDER, clean_up, kept, rescued, unrescue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.actions.session import Session

WORKTREE, RESCUE = "worktree", "rescue"
BY_RUN = {"logs": LOGS, "prompts": PROMPTS, "quarantine": QUARANTINE, "aside": ASIDE}
WORK = frozenset({"quarantine", "aside", RESCUE})
"""Kinds that hold somebody's work, which is nowhere else."""


class Leftover(NamedTuple):
    """Something left behind: `kind` is `worktree`, `rescue` (a git reference) or a key of BY_RUN; `name` its
    path from the root, or the reference. `bytes` is its size (0 for a reference: its objects are git's),
    `age_s` how many seconds ago it was changed. What is not `needed` is of a workstream that is gone.
    """

    kind: str
    name: str
    bytes: int
    age_s: float
    needed: bool = True


def leftovers(session: Session) -> list[Leftover]:
    """All that there is, by kind, then by name. Raises GitError."""
    now = time.time()
    return sorted([*_worktrees(session, now), *_by_run(session, now), *_rescued(session, now)])


def _worktrees(session: Session, now: float) -> Iterator[Leftover]:
    for ws_id, changed in kept(session.root):
        path = f"{FOLDER}/{ws_id}"
        size = _size(os.path.join(session.root, path))
        yield Leftover(WORKTREE, path, size, now - changed, ws_id in session.plan)


def _by_run(session: Session, now: float) -> Iterator[Leftover]:
    for kind, folder in BY_RUN.items():
        try:
            names = os.listdir(os.path.join(session.root, folder))
        except FileNotFoundError:
            continue
        for name in names:
            path = os.path.join(session.root, folder, name)
            yield Leftover(kind, f"{folder}/{name}", _size(path), now - os.lstat(path).st_mtime)


def _rescued(session: Session, now: float) -> Iterator[Leftover]:
    if session.git is not None:
        for reference, at in rescued(session.git):
            yield Leftover(RESCUE, reference, 0, now - at)


def _size(path: str) -> int:
    """The bytes of all files at a path; what goes away meanwhile does not count."""
    total = 0
    for directory, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(directory, name)).st_size
            except FileNotFoundError:
                continue
    return total


def remove(session: Session, leftover: Leftover) -> str:
    """Remove it, for who holds the tree's lock; gives what is to be told. Unlanded work in a worktree is
    rescued before. Raises StateError; then it is still there.
    """
    try:
        if leftover.kind == WORKTREE:
            if session.git is None:
                raise StateError(f"{leftover.name} is a git worktree, and there is no git", "install git")
            return clean_up(session.git, os.path.basename(leftover.name))
        if leftover.kind == RESCUE:
            assert session.git is not None
            unrescue(session.git, leftover.name)
        else:
            shutil.rmtree(os.path.join(session.root, leftover.name))
    except (OSError, WsbuildError) as error:
        raise StateError(f"cannot remove {leftover.name}: {error}", "the rest was not looked at") from error
    return ""
