"""What doit drives: a session that can run steps, and be told what became of them."""

from __future__ import annotations

import gc
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wsbuild import GC_THRESHOLD
from wsbuild.actions.settled import Remembering, can_be_remembered
from wsbuild.actions.tally import BLOCKED, IDLE, SKIPPED, UP_TO_DATE, StepReport
from wsbuild.actions.turns import Turns
from wsbuild.cache.files import MISSING
from wsbuild.errors import WsbuildError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.actions.record import Recorder
    from wsbuild.actions.session import Session
    from wsbuild.plan.order import Chosen


class Engine:
    """The verbs of doit's commands over one session. What writes takes the tree's lock first."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.running = False
        self._turns = Turns()
        self._gc_threshold = gc.get_threshold()

    @cached_property
    def recorder(self) -> Recorder:
        """The one who writes."""
        from wsbuild.actions.record import Recorder

        return Recorder(self.session)

    # --- a run

    def start(self, chosen: Chosen, others: Iterable[StepReport] = ()) -> None:
        """A run of `chosen` begins, of which `others` are known to be done; nothing is written before a step
        has something to do.
        """
        from wsbuild.actions.interrupt import install

        session = self.session
        session.chosen = chosen
        self.running = True
        for report in others:
            session.tally.add(report)
        plan = session.plan
        session.reader.prime(plan[ws_id].step_task(step) for ws_id, steps in chosen.items() for step in steps)
        _ = session.freshness, self.recorder  # made here, not by the first of several threads
        install(session)
        # What is loaded by now stays until the end: looking through it again and again takes a tenth of
        # a run of many small steps.
        gc.freeze()
        self._gc_threshold = gc.get_threshold()
        gc.set_threshold(*GC_THRESHOLD)

    def perform(self, ws_id: str, step: str) -> str:
        """Run one step; gives why it failed, empty when it did not."""
        from wsbuild.actions.perform import perform

        session = self.session
        ws, plan = session.step(ws_id, step)
        try:
            with self._turns.turn(alone=not ws.parallel_ok):
                if session.ended_by or session.fatal:
                    return "the run was ended"
                return perform(session, self.recorder, ws, plan)
        except WsbuildError as error:
            session.fatal = error
            return str(error)

    def up_to_date(self, ws_id: str, step: str) -> None:
        """Note a step that had nothing to do."""
        ws, plan = self.session.step(ws_id, step)
        status, reason = (SKIPPED, IDLE) if plan.idle else (UP_TO_DATE, "")
        self.session.tally.add(StepReport(ws.step_task(step), status, reason))

    def ignored(self, ws_id: str, step: str) -> None:
        """Note a step that the user wants left out."""
        task = self.session.plan[ws_id].step_task(step)
        self.session.tally.add(StepReport(task, SKIPPED, "ignored (doit forget undoes it)"))

    def blocked(self, ws_id: str, step: str) -> None:
        """Note a step that could not start, with what it waited for; unless it was tried, or the run
        was ended.
        """
        session = self.session
        ws, plan = session.step(ws_id, step)
        if session.ended_by or session.fatal or session.tally.get(ws.step_task(step)):
            return
        needed = [ws.step_task(need) for need in plan.needs]
        needed += [session.plan[dep].task for dep in ws.depends_on]
        stuck = [task for task in needed if session.tally.failed(task)]
        self.session.tally.add(StepReport(ws.step_task(step), BLOCKED, f"needs {', '.join(stuck)}"))

    def reasons(self, ws_id: str, name: str) -> list[str]:
        """Why a step is not up to date; empty when it is, or has nothing to do. Outside of a run also
        against earlier results, and whether it would be restored.
        """
        ws, step = self.session.step(ws_id, name)
        if step.idle:
            return []
        decision = self.session.decide(ws_id, name)
        if decision.fresh or self.running:
            return [str(reason) for reason in decision.reasons]
        from wsbuild.actions import reuse

        prospect = reuse.look_up(self.session, ws, step, decision)
        if prospect.entry is not None:
            return [*map(str, decision.reasons), "would be restored from the cache"]
        return [*map(str, reuse.explained(self.session, ws, step, decision, prospect.why_not).reasons)]

    # --- what the other commands change

    def accept(self, ws_id: str, step: str) -> None:
        """Take a step as done with everything as it is now."""
        self.recorder.accept(*self.session.step(ws_id, step))

    def forget(self, task: str | None) -> None:
        """Let a task (None: every task) run again."""
        self.recorder.forget(None if task is None else [task])

    def ignore(self, task: str) -> None:
        """Leave a task out until it is forgotten."""
        self.recorder.ignore(task)

    def is_ignored(self, task: str) -> bool:
        """Whether a task is left out."""
        return task in self.session.reader.ignored()

    def close(self) -> None:
        """The command is over: close the record of its run, and let go of everything."""
        if "recorder" in self.__dict__:
            from wsbuild.actions.rollback import roll_back_failed

            roll_back_failed(self.session, self.recorder)
            self.recorder.finish()
        remembering = self._remembering()
        if self.running:
            from wsbuild.tools.process import shutdown

            shutdown()
            gc.set_threshold(*self._gc_threshold)
            gc.unfreeze()
        self.session.close()
        if remembering is not None:
            remembering.keep()
        if "recorder" in self.__dict__:
            self.recorder.release()

    def _remembering(self) -> Remembering | None:
        again = self.session.again
        if not self.running or again is None or not can_be_remembered(self.session):
            return None
        self.recorder.keep_looked_up()
        if again.is_spoiled:
            return None
        return Remembering(self.session, again, is_alone=self.recorder.holds_tree)

    # --- what listings show

    def inputs_of(self, ws_id: str, step: str) -> set[str]:
        """The files a step (or, without one, a workstream) reads, where they exist."""
        ws = self.session.plan[ws_id]
        seen: dict[str, str] = {}
        for known in ws.steps:
            if step in {"", known.name}:
                seen.update(self.session.place(ws).freshness.decide(ws, known).seen)
        return {path for path, state in seen.items() if state != MISSING}

    def upstream_of(self, ws_id: str, step: str) -> list[str]:
        """The tasks a step depends on."""
        ws, plan = self.session.step(ws_id, step)
        return [ws.step_task(need) for need in plan.needs] + [
            self.session.plan[dep].task for dep in ws.depends_on
        ]

    def made_by(self, ws_id: str, step: str) -> list[str]:
        """What a step made and `doit clean` may remove: its declared outputs, never its inputs."""
        ws, plan = self.session.step(ws_id, step)
        decision = self.session.place(ws).freshness.decide(ws, plan)
        row = self.session.reader.row(ws.step_task(step))
        made = {*(row.output_states() if row else ()), *decision.outputs}
        return sorted(path for path in made if path not in decision.seen)

    def meta_of(self, ws_id: str, step: str) -> dict[str, Any]:
        """Where a step comes from and what it runs."""
        ws, plan = self.session.step(ws_id, step)
        commands = [command.shell or list(command.argv) for command in plan.commands]
        return {"workstream": ws.id, "file": ws.source, "phase": plan.phase, "commands": commands}
