"""What a run would do: the freshness of each step, and of what waits for those that are stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.manifest import Reason

if TYPE_CHECKING:
    from wsbuild.actions.session import Session
    from wsbuild.plan.order import Chosen


class StepOutlook(NamedTuple):
    """The prospect of one step: `decision` is `run`, `up-to-date` or `skipped` (nothing to do)."""

    task: str
    ws_id: str
    step: str
    decision: str
    reasons: tuple[Reason, ...]


def outlook(session: Session, chosen: Chosen, *, force: bool = False) -> list[StepOutlook]:
    """The prospects of the chosen steps, in order.

    A step behind a stale one is said to run too: whether it does is known when that one has run,
    for if that makes the same bytes again nothing behind it moves.
    """
    found: list[StepOutlook] = []
    stale: dict[str, str] = {}
    plan = session.plan
    session.reader.prime(plan[ws_id].step_task(name) for ws_id, names in chosen.items() for name in names)
    for ws_id, names in chosen.items():
        ws = plan[ws_id]
        for step in (known for known in ws.steps if known.name in set(names)):
            task = ws.step_task(step.name)
            waits = [stale[ws.step_task(need)] for need in step.needs if ws.step_task(need) in stale]
            waits += [stale[dep] for dep in ws.depends_on if dep in stale]
            if step.idle:
                if waits:
                    stale[task] = waits[0]
                found.append(StepOutlook(task, ws_id, step.name, "skipped", ()))
                continue
            decision = session.freshness.decide(ws, step)
            reasons = decision.reasons
            if not reasons and force:
                reasons = (Reason("forced"),)
            if not reasons and waits:
                reasons = (Reason("upstream-stale", waits[0]),)
            if reasons:
                stale[task] = task
                stale.setdefault(ws_id, task)
            found.append(StepOutlook(task, ws_id, step.name, "run" if reasons else "up-to-date", reasons))
    return found
