"""Whose turn it is in a conflict group, among all runs in all worktrees of the repository."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wsbuild.atomic import FileLock
from wsbuild.cache.digest import sha256_text
from wsbuild.cache.place import shared_dir
from wsbuild.statedir import STATE, make_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.actions.session import Session
    from wsbuild.plan.records import WorkstreamPlan

NAME = "groups"


@contextmanager
def group_turn(session: Session, ws: WorkstreamPlan) -> Iterator[None]:
    """Wait for the turn of a workstream in its conflict group, and hold it; the user is told for whom.

    It is held for the commands of one step, not for the workstream: nobody waits who holds something.
    Raises BusyError when the run is ended meanwhile, StateError where there can be no lock.
    """
    if not ws.conflict_group:
        yield
        return
    shared = shared_dir(session.root)
    if os.path.basename(shared) == STATE:
        directory = make_dir(os.path.dirname(shared), f"{STATE}/{NAME}")
    else:
        directory = os.path.join(shared, NAME)
        os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, f"{sha256_text(ws.conflict_group)[:16]}.lock")
    lock = FileLock(path, f"{ws.id} in {session.root}")
    lock.acquire(
        on_wait=lambda holder: session.warn(f"{ws.id}: {holder}: conflict group {ws.conflict_group!r}"),
        stop=lambda: bool(session.ended_by),
    )
    try:
        yield
    finally:
        lock.release()
