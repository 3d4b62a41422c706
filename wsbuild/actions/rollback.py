"""Undoing a workstream: its compensation, from the last action to the first, each on record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions.attempt import TROUBLE
from wsbuild.actions.commands import Run, run_commands
from wsbuild.actions.outcome import Attempt, Outcome
from wsbuild.plan.records import StepPlan
from wsbuild.statedir import LOGS
from wsbuild.store import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import CommandPlan, WorkstreamPlan

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


def undos(session: Session, ws: WorkstreamPlan) -> list[Undo]:
    """What is left to be done, in the order of doing: not what an earlier, unfinished rollback has done."""
    done = session.store.read(lambda conn: events.undone(conn, ws.id))
    found = [Undo(number, command) for number, command in enumerate(ws.compensation, 1)]
    return [undo for undo in reversed(found) if undo.number not in done]


def roll_back(
    session: Session, recorder: Recorder, ws: WorkstreamPlan, tell: Callable[[str, Undo, str], None]
) -> bool:
    """Do what is left; gives whether all is done. `tell` is told of each action: what became of it, and the
    last words on a failure, after which no other is tried.

    In the end the steps of the workstream are forgotten: its next run begins anew.
    """
    left = undos(session, ws)
    for at, undo in enumerate(left):
        if undo.is_for_a_person:
            tell(BY_HAND, undo, "")
            continue
        outcome = _carry_out(session, recorder, ws, undo)
        if outcome.state != "ok":
            tell(FAILED, undo, outcome.message)
            for other in left[at + 1 :]:
                tell(LEFT, other, "")
            recorder.rolled_back(ws, f"rollback: {outcome.message}", is_done=False)
            return False
        tell(UNDONE, undo, "")
    recorder.forget([ws.step_task(step.name) for step in ws.steps])
    recorder.rolled_back(ws, "rolled back", is_done=True)
    return True


def _carry_out(session: Session, recorder: Recorder, ws: WorkstreamPlan, undo: Undo) -> Outcome:
    run_id = recorder.open_run()
    at = {"number": undo.number, "action": undo.command.label}
    recorder.note_undo(ws, "compensation_start", at)
    step = StepPlan(STEP, STEP, (), (undo.command,), (), (), implicit=False, edits=False, fields={})
    attempt = Attempt(run_id, 0, undo.number, ws.step_task(STEP), ws.id, STEP, STEP)
    log = os.path.join(LOGS, run_id, f"ws.{ws.name}.{STEP}.{undo.number}.log")
    try:
        outcome = run_commands(Run(session, ws, step, attempt, log, lambda _pid, _start: None))
    except TROUBLE as error:
        outcome = Outcome("failed", 1, 0.0, str(error))
    ended = {"status": outcome.state, "exit_code": outcome.exit_code, "message": outcome.message, "log": log}
    recorder.note_undo(ws, "compensation_end", {**at, **ended})
    return outcome
