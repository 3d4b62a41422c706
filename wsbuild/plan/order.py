"""Which steps a request runs, and in which order: targets to their closure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.plan.cached import Plan
    from wsbuild.plan.records import WorkstreamPlan
    from wsbuild.plan.select import Target

Chosen = dict[str, list[str]]
"""Workstream ids, in the order of the plan, each with the names of its chosen steps in order."""


def _needed(ws: WorkstreamPlan, steps: Iterable[str]) -> set[str]:
    by_name = {step.name: step for step in ws.steps}
    todo, found = list(steps), set[str]()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(by_name[name].needs)
    return found


def _in_order(plan: Plan, wanted: dict[str, set[str]]) -> Chosen:
    return {
        ws_id: [step.name for step in plan[ws_id].steps if step.name in wanted[ws_id]]
        for ws_id in sorted(wanted, key=plan.rank)
    }


def just(plan: Plan, targets: Iterable[Target]) -> Chosen:
    """The targets' own steps, without what they depend on."""
    wanted: dict[str, set[str]] = {}
    for target in targets:
        steps = {target.step} if target.step else {step.name for step in plan[target.ws_id].steps}
        wanted.setdefault(target.ws_id, set()).update(steps)
    return _in_order(plan, wanted)


def closure(plan: Plan, targets: Iterable[Target]) -> Chosen:
    """The targets' steps and everything they depend on."""
    wanted = {ws_id: _needed(plan[ws_id], steps) for ws_id, steps in just(plan, targets).items()}
    upstream = {dep for ws_id in wanted for dep in plan[ws_id].depends_on}
    for ws_id in plan.closure(upstream):
        wanted[ws_id] = {step.name for step in plan[ws_id].steps}
    return _in_order(plan, wanted)
