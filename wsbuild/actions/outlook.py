"""What a run would do: which steps are up to date, which would be restored, which would run, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions import approval, reuse, shelf
from wsbuild.actions.freshness import written
from wsbuild.actions.outcome import success_of
from wsbuild.cache.manifest import Reason, canonical_json
from wsbuild.plan.records import BRANCH
from wsbuild.store.clean import CleanRow

if TYPE_CHECKING:
    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.session import Session
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.order import Chosen
    from wsbuild.plan.records import StepPlan, WorkstreamPlan

RUN, RESTORE, FRESH, NOTHING = "run", "restore", "up-to-date", "skipped"


class StepOutlook(NamedTuple):
    """The prospect of one step: `decision` is one of RUN, RESTORE, FRESH and NOTHING (to do), `entry`
    what would be restored.
    """

    task: str
    ws_id: str
    step: str
    decision: str
    reasons: tuple[Reason, ...]
    entry: Entry | None = None


def outlook(session: Session, chosen: Chosen, *, force: bool = False) -> list[StepOutlook]:
    """The prospects of the chosen steps, in order; the session can be asked nothing else afterwards.

    What would be restored is taken as restored for the steps behind it. A step behind one that runs
    is said to run too: whether it does is known when that one has run, for if that makes the same
    bytes again nothing behind it moves.
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
                found.append(StepOutlook(task, ws_id, step.name, NOTHING, ()))
                continue
            prospect = _prospect(session, ws, step, waits, force=force)
            if prospect.decision == RUN:
                stale[task] = task
                stale.setdefault(ws_id, task)
            found.append(prospect)
    return found


def _prospect(
    session: Session, ws: WorkstreamPlan, step: StepPlan, waits: list[str], *, force: bool
) -> StepOutlook:
    decision = session.place(ws).freshness.decide(ws, step)
    at = (ws.step_task(step.name), ws.id, step.name)
    if (force or not decision.fresh) and (hindrance := _hindrance(session, ws)):
        return StepOutlook(*at, RUN, (hindrance, *decision.reasons))
    if force:
        return StepOutlook(*at, RUN, decision.reasons or (Reason("forced"),))
    if waits:
        return StepOutlook(*at, RUN, decision.reasons or (Reason("upstream-stale", waits[0]),))
    if decision.fresh:
        return StepOutlook(*at, FRESH, ())
    prospect = reuse.look_up(session, ws, step, decision)
    if prospect.damage:
        session.warn(prospect.damage)
    if prospect.entry is None:
        return StepOutlook(*at, RUN, reuse.explained(session, ws, step, decision, prospect.why_not).reasons)
    _suppose(session, ws, step, decision, prospect.entry)
    return StepOutlook(*at, RESTORE, decision.reasons, prospect.entry)


def _hindrance(session: Session, ws: WorkstreamPlan) -> Reason | None:
    """What keeps a workstream from being run at all."""
    if why := approval.missing(session, ws):
        return Reason("unapproved", why)
    if why := shelf.unfinished(ws):
        return Reason("archived-unfinished", why)
    if why := session.stacks.unmerged(ws):
        return Reason("unmerged", why)
    return None


def _suppose(session: Session, ws: WorkstreamPlan, step: StepPlan, decision: Decision, entry: Entry) -> None:
    """Take a step as restored, without doing it."""
    freshness = session.place(ws).freshness
    owned = freshness.owned_states(ws) if step.edits else {}
    states = entry.states()
    if ws.land == BRANCH:
        session.stacks.suppose(ws.id, states)
        freshness = session.place(ws).freshness
    else:
        freshness.suppose(states)
    after = freshness.decide(ws, step)
    wrote = written(owned, freshness.owned_states(ws)) if step.edits else None
    success = success_of(step, decision, after, wrote)
    outputs = canonical_json(success.outputs)
    at = (ws.step_task(step.name), ws.id, step.name, 0)
    session.reader.suppose(CleanRow(*at, success.key, success.manifest, outputs, success.result))
