"""doit's reporter: one line for each step that ran, with its reason, and a summary at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from doit.globals import Globals

from wsbuild.actions.tally import RESTORED
from wsbuild.doit_plugin.stream import QuietStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit.exceptions import BaseFail

    from wsbuild.actions.session import Session
    from wsbuild.actions.tally import StepReport
    from wsbuild.tasks import WorkTask


class StepReporter:
    """Writes what happened as it happens.

    doit makes it with the stream to write to and its own options, and calls it for every task;
    what the lines say comes from the session.
    """

    desc = "one line for each step that ran, with its reason"

    def __init__(self, outstream: Any, options: Any) -> None:  # noqa: ARG002
        self.outstream = QuietStream(outstream)
        self.session: Session = Globals.dep_manager.engine.session
        self.errors: list[str] = []
        self.session.tell = self.steps

    def initialize(self, tasks: Any, selected_tasks: Sequence[str]) -> None:
        """The run begins."""

    def get_status(self, task: WorkTask) -> None:
        """A task is about to be asked whether it is up to date."""

    def execute_task(self, task: WorkTask) -> None:
        """A task starts."""

    def add_success(self, task: WorkTask) -> None:
        """A task ended well."""
        self._step(task)

    def add_failure(self, task: WorkTask, fail: BaseFail) -> None:  # noqa: ARG002
        """A task failed, or was not started because another did."""
        self._step(task)

    def skip_uptodate(self, task: WorkTask) -> None:
        """A task has nothing to do: the summary counts it."""

    def skip_ignore(self, task: WorkTask) -> None:
        """The user wants the task left out."""
        self._step(task)

    def cleanup_error(self, exception: BaseFail) -> None:
        """Doit could not clean up after a task."""
        self.errors.append(exception.get_msg())

    def runtime_error(self, msg: str) -> None:
        """Doit itself could not go on."""
        self.errors.append(msg)

    def teardown_task(self, task: WorkTask) -> None:
        """Steps have no teardown."""

    def complete_run(self) -> None:
        """The run is over and its record closed: write the summary, and end as a signal asked for."""
        self.summary()
        for message in self.errors:
            sys.stderr.write(f"wsbuild: {self.session.redacted(message)}\n")
        if self.session.ended_by:
            raise SystemExit(128 + self.session.ended_by)

    def summary(self) -> None:
        """The last lines: why the run could not go on, or what it did."""
        if self.session.fatal is not None:
            self.errors.append(str(self.session.fatal))
        if self.session.fatal is None or self.session.run_id is not None:
            for undone in self.session.tally.undone:
                for line in undone.lines():
                    self.write(self.session.redacted(line))
            for line in self.session.tally.summary_lines(self.session.run_id):
                self.write(line)

    def steps(self, reports: Sequence[StepReport]) -> None:
        """The lines of some steps."""
        self.write("\n".join(line for report in reports for line in report.lines()))

    def write(self, line: str) -> None:
        """One line, at once."""
        self.outstream.write(line + "\n")
        self.outstream.flush()

    def _step(self, task: WorkTask) -> None:
        if task.step or task.detector:
            report = self.session.tally.get(task.name)
            if report is not None and report.status != RESTORED:
                self.steps([report])


class SilentReporter(StepReporter):
    """Writes nothing: the caller formats the session's tally."""

    desc = "no output"

    def summary(self) -> None:
        """Nothing."""

    def steps(self, reports: Sequence[StepReport]) -> None:
        """Nothing."""
