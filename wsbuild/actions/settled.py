"""Remembering a run that has found nothing to do."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from wsbuild import memory
from wsbuild.actions.tally import SKIPPED, UP_TO_DATE
from wsbuild.plan.records import BRANCH
from wsbuild.statedir import keep_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.actions.again import Again
    from wsbuild.actions.session import Session
    from wsbuild.actions.tally import StepReport
    from wsbuild.plan.records import StepPlan

ENVIRON = (
    *("PATH", "HOME", "AIDER_MODEL", "AIM_REGISTRY_PATH", "WSBUILD_CACHE_DIR"),
    *("PIPELINE_WORKSTREAM_DIR", "PIPELINE_DB_PATH", "PIPELINE_DRY_RUN"),
)
"""Variables that every answer depends on."""


def is_settled(session: Session) -> bool:
    """Whether a run has found nothing to do, and the next one can see by looks alone that it does so too."""
    if session.run_id is not None or session.force or session.ended_by or session.fatal:
        return False
    if session.has_warned or session.workspaces or not all(map(_is_done, session.tally.reports)):
        return False
    steps = list(_steps(session))
    if len(steps) != len(session.tally.reports) or any(map(_asks_others, steps)):
        return False
    lands = {session.plan[ws_id].land for ws_id in session.chosen}
    return BRANCH not in lands and not session.freshness.tools.asks_each_time


def keep(session: Session, again: Again, *, nobody_writes: bool) -> None:
    """Remember it, unless something was recorded meanwhile; where nobody else could, it was the run itself.
    The run has let go of the database.
    """
    if not again.database_is_as_seen() and not nobody_writes:
        return
    passed = {
        name
        for step in _steps(session)
        for command in step.commands
        for name, value in command.env.items()
        if value is None
    }
    environ = {name: session.environ.get(name) for name in ENVIRON}
    environ |= memory.hidden(session.environ, passed)
    details = json.dumps(again.watch.names)
    new = memory.of_run(session.root, (0, again.render(), ""), again.watch.stats(), environ, details)

    def write(path: str, data: bytes) -> None:
        keep_file(session.root, os.path.relpath(path, session.root), data)

    memory.save(memory.RUN, session.root, again.words, new, write)


def _steps(session: Session) -> Iterator[StepPlan]:
    for ws_id, names in session.chosen.items():
        wanted = set(names)
        yield from (step for step in session.plan[ws_id].steps if step.name in wanted)


def _is_done(report: StepReport) -> bool:
    return report.status == UP_TO_DATE or (report.status == SKIPPED and report.reason == "nothing configured")


def _asks_others(step: StepPlan) -> bool:
    """Whether a step depends on what detectors or routes look at, which nobody takes note of."""
    return any(command.detectors or command.capability for command in step.commands)
