"""A dry run: what would run and why, with nothing run and nothing written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from wsbuild.actions.outlook import FRESH, NOTHING, RESTORE, RUN, outlook
from wsbuild.actions.session import Session
from wsbuild.cli.common import project_root, show_json
from wsbuild.plan.order import closure
from wsbuild.plan.select import select

if TYPE_CHECKING:
    from wsbuild.actions.outlook import StepOutlook

STATUS = {RUN: "would_run", RESTORE: "would_restore", FRESH: "up_to_date", NOTHING: "skipped"}


def dry(words: list[str], *, force: bool, as_json: bool) -> None:
    """Show what a run of `words` would do."""
    session = Session(project_root(), os.environ, writing=False)
    try:
        chosen = closure(session.plan, select(session.plan, words))
        steps = outlook(session, chosen, force=force)
    finally:
        session.close()
    counts = {status: sum(STATUS[s.decision] == status for s in steps) for status in STATUS.values()}
    if as_json:
        rows = [{"task": s.task, "status": STATUS[s.decision], "reason": _reason(s)} for s in steps]
        show_json("dry-run", {"counts": counts, "steps": rows})
        return
    for step in steps:
        if step.decision in {RUN, RESTORE}:
            verb = "would run" if step.decision == RUN else "would restore"
            typer.echo(f"{verb:<13} {step.task:<32} {_reason(step)}".rstrip())
    restored = f"{counts['would_restore']} to restore, " if counts["would_restore"] else ""
    typer.echo(f"dry run: {counts['would_run']} to run, {restored}{counts['up_to_date']} up to date")


def _reason(step: StepOutlook) -> str:
    return str(step.reasons[0]) if step.reasons else ""
