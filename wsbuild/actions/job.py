"""A step that is not up to date: what is to be done, and the tree as it was when that was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.guard import Guard
    from wsbuild.actions.place import Place
    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import StepPlan, WorkstreamPlan


class Job(NamedTuple):
    """One step to be done; `owned` are the states of the workstream's own files, if the step edits them;
    `guard` counts how often it is tried, if it is a check that can be fixed.
    """

    session: Session
    recorder: Recorder
    ws: WorkstreamPlan
    step: StepPlan
    decision: Decision
    owned: Mapping[str, str]
    guard: Guard | None = None

    @property
    def task(self) -> str:
        """The name of the step's task."""
        return self.ws.step_task(self.step.name)

    @property
    def place(self) -> Place:
        """Where its files are."""
        return self.session.place(self.ws)

    def looked_again(self) -> Job:
        """The same with the tree as it is now."""
        self.session.forget_decisions()
        return job_of(self.session, self.recorder, self.ws, self.step)._replace(guard=self.guard)


def job_of(session: Session, recorder: Recorder, ws: WorkstreamPlan, step: StepPlan) -> Job:
    """What is to be done at `step`, with the answer given just now if there is one."""
    decision = session.decided(ws.id, step.name)
    owned = session.place(ws).freshness.owned_states(ws) if step.edits else {}
    return Job(session, recorder, ws, step, decision, owned)
