"""Where workstreams with `land: branch` find their files: the checkout, with their branches on top of it.

Their work is in no checkout before somebody merges it. It stacks on that of the workstreams they depend
on which land the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.plan.records import BRANCH
from wsbuild.worktrees.merge import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.actions.freshness import Freshness
    from wsbuild.plan.cached import Plan
    from wsbuild.plan.records import WorkstreamPlan
    from wsbuild.worktrees.branch import Tops
    from wsbuild.worktrees.git import Git
    from wsbuild.worktrees.snapshot import Snapshot


class OnBranch(NamedTuple):
    """The files of a workstream that lands as a branch, as long as it has no workspace."""

    root: str
    freshness: Freshness


class Stacks:
    """Answers for the workstreams of a plan. `git` and `freshness` give those of the project as they are."""

    def __init__(self, plan: Plan, git: Callable[[], Git | None], freshness: Callable[[], Freshness]) -> None:
        self._plan = plan
        self._git_now = git
        self._freshness_now = freshness
        self._laid: dict[tuple[str, ...], dict[str, tuple[str, str]]] = {}
        self._supposed: dict[str, dict[str, str]] = {}
        self._tops: Tops | None = None
        self._places: dict[str, OnBranch] = {}

    def look_again(self) -> None:
        """Files, HEAD or branches may be others now."""
        self._tops = None
        self._places = {}

    def suppose(self, ws_id: str, states: Mapping[str, str]) -> None:
        """Answer from now on as if a workstream had these states on its branch."""
        self._supposed.setdefault(ws_id, {}).update(states)
        self._places = {}

    @property
    def _git(self) -> Git:
        git = self._git_now()
        assert git is not None, "BUG: only what is in git lands as a branch"
        return git

    @property
    def tops(self) -> Tops:
        """HEAD, and the branches that there are. Raises GitError."""
        from wsbuild.worktrees.branch import tops

        known = self._tops
        if known is None:
            known = self._tops = tops(self._git)
        return known

    def below(self, ws: WorkstreamPlan) -> list[str]:
        """The workstreams that one stacks on: those it depends on, in whatever way, that land as branches;
        each behind those that it depends on itself.
        """
        plan = self._plan
        return [ws_id for ws_id in plan.closure([ws.id]) if ws_id != ws.id and plan[ws_id].land == BRANCH]

    def tips(self, ws_ids: list[str]) -> dict[str, str]:
        """The last commits of those workstreams' branches that there are. Raises GitError."""
        return {ws_id: self.tops.tips[ws_id] for ws_id in ws_ids if ws_id in self.tops.tips}

    def place(self, ws: WorkstreamPlan) -> OnBranch:
        """Where a workstream that lands as a branch finds its files. Raises GitError, OSError."""
        known = self._places.get(ws.id)
        if known is None:
            known = self._places[ws.id] = OnBranch(self._git.root, self._freshness(ws))
        return known

    def _freshness(self, ws: WorkstreamPlan) -> Freshness:
        fresh = self._freshness_now().fork()
        stack = [*self.below(ws), ws.id]
        try:
            laid = self._laid_over(stack)
        except ConflictError:
            # Whoever has to begin from it is told.
            laid = {}
        here = fresh.states.states(laid)
        states = {path: after for path, (before, after) in laid.items() if here[path] == before}
        for ws_id in stack:
            states |= self._supposed.get(ws_id, {})
        fresh.suppose(states)
        return fresh

    def _laid_over(self, ws_ids: list[str]) -> dict[str, tuple[str, str]]:
        from wsbuild.worktrees.branch import laid_over

        tips = self.tips(ws_ids)
        if not (tips and self.tops.head):
            return {}
        key = (self.tops.head, *tips.values())
        if key not in self._laid:
            self._laid[key] = laid_over(self._git, self.tops.head, tips)
        return self._laid[key]

    def base(self, ws: WorkstreamPlan, now: Snapshot) -> Snapshot:
        """What a workstream begins from: the checkout as it is `now`, with what its branches have where it
        lands as one. Raises ConflictError, GitError.
        """
        from wsbuild.worktrees.branch import on_top

        if ws.land != BRANCH:
            return now
        return on_top(self._git, now, self.tips([*self.below(ws), ws.id]))

    def is_merged(self, ws_id: str) -> bool:
        """Whether the checkout has all that is on the branch of a workstream. Raises GitError, OSError."""
        try:
            return not self._laid_over([ws_id])
        except ConflictError:
            return False

    def unmerged(self, ws: WorkstreamPlan) -> str:
        """Why a workstream that does not stack cannot begin, and what to do about it; '' where it can.

        Raises GitError, OSError.
        """
        from wsbuild.worktrees.branch import name_of

        if ws.land == BRANCH:
            return ""
        branches = [dep for dep in ws.depends_on if self._plan[dep].land == BRANCH]
        if not branches or self._git_now() is None:
            return ""
        for ws_id in branches:
            if not self.is_merged(ws_id):
                return f"waits for the branch {name_of(ws_id)}: merge it, or remove it if that is done"
        return ""
