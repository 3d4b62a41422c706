"""Whether a tool that costs may be asked: not beyond a budget, nor before the time that it said itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from wsbuild.actions.outcome import Limit, Stop
from wsbuild.actions.tally import OVER_BUDGET, WAITING, StepReport
from wsbuild.store import spend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.actions.job import Job
    from wsbuild.store.spend import Spent


def stop_of(job: Job) -> Stop | None:
    """What keeps the tool of an editing step from being asked now; None where nothing does."""
    if not job.step.prompt:
        return None
    if not job.session.force:
        for tool in [command.label for command in job.step.commands if command.limit_output]:
            wait = job.session.store.read(partial(spend.wait_of, tool=tool))
            if wait is not None and wait.until > time.time():
                return Stop(Limit(tool, *wait).message, WAITING)
    over = next(_reached(job), "")
    return Stop(f"stopped by budget: {over}", OVER_BUDGET) if over else None


def _reached(job: Job) -> Iterator[str]:
    """The budgets that are used up, or would be by what the step is estimated to need."""
    session, ws = job.session, job.ws
    budgets = session.plan.config.budgets
    if ws.max_cost_usd is not None:
        spent = session.store.read(lambda conn: spend.of_workstream(conn, ws.id))
        if spent.cost_usd >= ws.max_cost_usd:
            yield f"{ws.id} has used {_dollars(spent.cost_usd, ws.max_cost_usd)} (its `max_cost_usd`)"
    if any(name.startswith("run_") for name in budgets) and session.run_id is not None:
        run_id = session.run_id
        spent = session.store.read(lambda conn: spend.of_run(conn, run_id))
        yield from _over(job, "run", "this run", spent)
    if any(name.startswith("day_") for name in budgets):
        spent = session.store.read(lambda conn: spend.since(conn, datetime.now(UTC).strftime("%Y-%m-%d")))
        yield from _over(job, "day", "this day (UTC)", spent)


def _over(job: Job, period: str, words: str, spent: Spent) -> Iterator[str]:
    budgets, estimated = job.session.plan.config.budgets, job.ws.estimated_tokens
    most = budgets.get(f"{period}_cost_usd")
    if most is not None and spent.cost_usd >= most:
        yield f"{words} has used {_dollars(spent.cost_usd, most)} (`budgets.{period}_cost_usd`)"
    most = budgets.get(f"{period}_tokens")
    if most is not None and (spent.tokens >= most or spent.tokens + estimated > most):
        needs = f"\n{job.ws.id} needs about {estimated:,} (its `estimated_context_tokens`)"
        used = f"{spent.tokens:,} of {most:,.0f} tokens"
        yield f"{words} has used {used} (`budgets.{period}_tokens`){needs if estimated else ''}"


def _dollars(spent: float, most: float) -> str:
    return f"${spent:.4f} of ${most:.4f}"


def give_up(job: Job, stop: Stop, *details: str) -> str:
    """A step is not tried (again) in this run: record it and tell of it; gives the message."""
    job.recorder.give_up(job.ws, job.step, stop, job.guard.row() if job.guard else None)
    space = job.session.workspaces.get(job.ws.id)
    kept = [f"nothing has landed; the work is kept in {space.where}"] if space and space.where else []
    first, *more = stop.message.split("\n")
    job.session.tally.add(StepReport(job.task, stop.status, first, details=(*more, *details, *kept)))
    return stop.message
