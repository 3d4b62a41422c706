"""Worktrees that dead processes left behind, and that are needed no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.actions.tally import EXECUTED, RESTORED, SKIPPED, UP_TO_DATE
from wsbuild.errors import WsbuildError
from wsbuild.worktrees.snapshot import snapshot
from wsbuild.worktrees.worktree import clean_up, is_kept

if TYPE_CHECKING:
    from wsbuild.actions.session import Session

DONE = frozenset({EXECUTED, RESTORED, SKIPPED, UP_TO_DATE})


def sweep(session: Session) -> None:
    """Remove the worktrees of chosen workstreams that are done and did not need them in this run: they
    are what dead processes left. Work in them is rescued, and told of; what cannot be removed stays.
    """
    for ws_id, names in session.chosen.items():
        if ws_id in session.workspaces or not is_kept(session.root, ws_id) or session.git is None:
            continue
        ws = session.plan[ws_id]
        reports = [session.tally.get(ws.step_task(name)) for name in names]
        is_done = all(report is not None and report.status in DONE for report in reports)
        try:
            if is_done:
                now = session.stacks.base(ws, snapshot(session.git))
                session.warn(clean_up(session.git, ws_id, now.tree))
        except (WsbuildError, OSError) as error:
            session.warn(f"the worktree that an earlier run left of {ws_id} cannot be removed: {error}")
