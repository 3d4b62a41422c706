"""Noticing what a tool does outside of its worktree, and telling it from what wsbuild does meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.worktrees import watch

if TYPE_CHECKING:
    from wsbuild.actions.session import Session
    from wsbuild.worktrees.watch import Look
    from wsbuild.worktrees.worktree import Worktree

FULL, OFF = "full", "off"
"""What the setting `watch` may be, besides `git`."""


class Guarded(NamedTuple):
    """What surrounded a worktree when a tool was started in it."""

    before: Look
    mark: tuple[int, int, int]


def begin(session: Session, worktree: Worktree) -> Guarded | None:
    """Look at what surrounds a worktree; None where that is not wanted. Raises GitError."""
    if session.plan.config.watch == OFF:
        return None
    with session.landing:
        mark = session.doings.mark()
        return Guarded(_look(session, worktree), mark)


class Around(NamedTuple):
    """What has changed around a worktree since a tool was started in it, and not by this run, by name and
    with what was done: files that steer git (hooks, settings, ignore rules), references and their logs,
    and files of the checkout by their paths from its top.
    """

    settings: dict[str, str]
    references: dict[str, str]
    files: dict[str, str]


MOVING = ("refs/", ".git/HEAD", ".git/logs/")
"""What every commit of the user changes."""


def end(session: Session, worktree: Worktree, guarded: Guarded | None) -> Around:
    """Look again. Raises GitError."""
    if guarded is None:
        return Around({}, {}, {})
    with session.landing:
        after = _look(session, worktree)
        own, worked_in_place = session.doings.since(guarded.mark)
    git = watch.changes(guarded.before.git, after.git)
    files = {} if worked_in_place else watch.changes(guarded.before.files, after.files)
    return Around(
        {name: done for name, done in git.items() if name not in own and not name.startswith(MOVING)},
        {name: done for name, done in git.items() if name not in own and name.startswith(MOVING)},
        {name: done for name, done in files.items() if name not in own},
    )


def _look(session: Session, worktree: Worktree) -> Look:
    state = (session.database, os.path.join(session.root, "state", ""), os.path.join(session.cache_dir, ""))
    return watch.look(worktree, files=session.plan.config.watch == FULL, state=state)
