"""doit's dependency manager, answered from wsbuild's store: every doit command goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.dependency import Dependency, DependencyStatus, MD5Checker

from wsbuild.tasks import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.engine import Engine
    from wsbuild.doit_plugin.detecting import Detecting
    from wsbuild.tasks import WorkTask


class _Said:
    """A reason in the form in which `doit info` prints it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class WorkDependency(Dependency):  # type: ignore[misc]
    """Asks the session instead of a doit database.

    doit's own constructor is not called: it would bind the backend's methods over these. What doit
    saves after a task is already recorded by then; `accepting` is for `reset-dep`, which saves
    without running.
    """

    def __init__(self, engine: Engine, *, accepting: bool, detecting: Detecting | None = None) -> None:
        self.engine = engine
        self.detecting = detecting
        self.accepting = accepting
        self.checker = MD5Checker()
        self.name = engine.session.database

    def get_status(
        self, task: WorkTask, tasks_dict: Mapping[str, WorkTask], get_log: bool = False
    ) -> DependencyStatus:
        """Whether the task is up to date; a group is when all of its members are."""
        status = DependencyStatus(get_log)
        task.dep_changed = []
        if task.detector and self.detecting is not None:
            reasons = self.detecting.reasons(task.detector)
            for reason in reasons:
                status.add_reason("uptodate_false", (_Said(reason), [], {}))
            if self.engine.running and not reasons:
                self.detecting.up_to_date(task.detector)
            return status
        if not task.step:
            self._group_status(task, tasks_dict, status)
            return status
        reasons = self.engine.reasons(task.ws_id, task.step)
        for reason in reasons:
            status.add_reason("uptodate_false", (_Said(reason), [], {}))
        if self.engine.running and not reasons and not self.engine.session.force:
            self.engine.up_to_date(task.ws_id, task.step)
        return status

    def _group_status(
        self, task: WorkTask, tasks_dict: Mapping[str, WorkTask], status: DependencyStatus
    ) -> None:
        """In a run the members have been done by now; else ask each that is loaded."""
        if self.engine.running:
            return
        members = [tasks_dict[name] for name in task.task_dep if name in tasks_dict]
        for member in members:
            if self.get_status(member, tasks_dict).status != "up-to-date":
                status.add_reason("uptodate_false", (_Said(member.name), [], {}))

    def save_success(self, task: WorkTask, result_hash: Any = None) -> None:  # noqa: ARG002
        """After a run: nothing, the step is recorded. For `reset-dep`: accept things as they are."""
        if self.accepting and task.step:
            self.engine.accept(task.ws_id, task.step)

    def remove_success(self, task: WorkTask) -> None:
        """After a failure: the attempt is recorded; a step that was not tried is noted as blocked."""
        if self.engine.running and task.step:
            self.engine.blocked(task.ws_id, task.step)

    def remove(self, task_id: str) -> None:
        """Forget a task: it will run again. Its history stays. `ws` stands for all."""
        self.engine.forget(None if task_id == ALL else task_id)

    def remove_all(self) -> None:
        """Forget all tasks."""
        self.engine.forget(None)

    def ignore(self, task: WorkTask) -> None:
        """Leave a task out of runs until it is forgotten."""
        self.engine.ignore(task.name)

    def status_is_ignore(self, task: WorkTask) -> bool:
        """Whether the task is to be left out."""
        ignored = self.engine.is_ignored(task.name)
        if ignored and self.engine.running and task.step:
            self.engine.ignored(task.ws_id, task.step)
        return ignored

    def get_values(self, task_name: str) -> dict[str, Any]:  # noqa: ARG002
        """Steps pass files on, not values."""
        return {}

    def get_value(self, task_id: str, key_name: str) -> None:
        """Steps pass files on, not values."""

    def get_result(self, task_name: str) -> None:
        """Not used: `save_success` takes no result."""

    def close(self) -> None:
        """The command is over."""
        if self.detecting is not None:
            self.detecting.close()
        self.engine.close()
        session = self.engine.session
        if self.engine.running and session.run_id and not session.ended_by:
            github = session.plan.config.github
            if github["enabled"] and github["after_run"]:
                from wsbuild.doit_plugin.telling import tell_of_run

                tell_of_run(session, session.run_id)
