"""Undoing a workstream: its compensation, from the last action to the first, each on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions import tally
from wsbuild.actions.attempt import TROUBLE
from wsbuild.actions.commands import Run, run_commands
from wsbuild.actions.outcome import Attempt, Outcome
from wsbuild.actions.tally import Undone
from wsbuild.plan.records import StepPlan
from wsbuild.statedir import log_path
from wsbuild.store import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import CommandPlan, WorkstreamPlan

ON_FAILURE = "on_failure"
STEP = "rollback"
UNDONE, BY_HAND, FAILED, LEFT = "undone", "by hand", "FAILED", "left"


class Undo(NamedTuple):
    """One action of a compensation: `number` is its place in the bundle, from 1."""

    number: int
    command: CommandPlan

    @property
    def is_for_a_person(self) -> bool:
        """Whether there is nothing to start."""
        return not (self.command.argv or self.command.shell)

    def ended(self, ws: WorkstreamPlan, what: str, message: str = "") -> Undone:
        """What became of it: UNDONE, BY_HAND, FAILED with the last words, or LEFT."""
        return Undone(ws.id, what, self.command.label, message)


def undos(session: Session, ws: WorkstreamPlan) -> list[Undo]:
    """What is left to be done, in the order of doing: not what an earlier, unfinished rollback has done."""
    done = session.store.read(lambda conn: events.undone(conn, ws.id))
    found = [Undo(number, command) for number, command in enumerate(ws.compensation, 1)]
    return [undo for undo in reversed(found) if undo.number not in done]


def roll_back(
    session: Session, recorder: Recorder, ws: WorkstreamPlan, tell: Callable[[Undone], None]
) -> bool:
    """Do what is left; gives whether all is done. `tell` is told of each action; after one that fails no
    other is tried.

    In the end the steps of the workstream are forgotten: its next run begins anew.
    """
    left = undos(session, ws)
    for at, undo in enumerate(left):
        if undo.is_for_a_person:
            tell(undo.ended(ws, BY_HAND))
            continue
        outcome = _carry_out(session, recorder, ws, undo)
        if outcome.state != "ok":
            tell(undo.ended(ws, FAILED, outcome.message))
            for other in left[at + 1 :]:
                tell(other.ended(ws, LEFT))
            recorder.rolled_back(ws, f"rollback: {outcome.message}", is_done=False)
            return False
        tell(undo.ended(ws, UNDONE))
    recorder.forget([ws.step_task(step.name) for step in ws.steps])
    recorder.rolled_back(ws, "rolled back", is_done=True)
    return True


def roll_back_failed(session: Session, recorder: Recorder) -> None:
    """Undo what failed in this run, where the settings want that. What worked in a worktree has nothing to
    undo: it has not landed.
    """
    if session.plan.config.rollback != ON_FAILURE or session.run_id is None or session.fatal:
        return
    failed = {report.task.split(":")[1] for report in session.tally.reports if report.status == tally.FAILED}
    for ws in (session.plan[ws_id] for ws_id in session.chosen):
        is_in_place = ws.isolation == "none" or session.git is None
        if ws.name in failed and ws.compensation and is_in_place and not session.ended_by:
            roll_back(session, recorder, ws, session.tally.undone.append)


def _carry_out(session: Session, recorder: Recorder, ws: WorkstreamPlan, undo: Undo) -> Outcome:
    run_id = recorder.open_run()
    at = {"number": undo.number, "action": undo.command.label}
    recorder.note_undo(ws, "compensation_start", at)
    step = StepPlan(STEP, STEP, (), (undo.command,), (), (), implicit=False, edits=False, fields={})
    attempt = Attempt(run_id, 0, undo.number, ws.step_task(STEP), ws.id, STEP, STEP)
    log = log_path(run_id, attempt.task, attempt.number)
    try:
        outcome = run_commands(Run(session, ws, step, attempt, log, lambda _pid, _start: None))
    except TROUBLE as error:
        outcome = Outcome("failed", 1, 0.0, str(error))
    ended = {"status": outcome.state, "exit_code": outcome.exit_code, "message": outcome.message, "log": log}
    recorder.note_undo(ws, "compensation_end", {**at, **ended})
    return outcome
