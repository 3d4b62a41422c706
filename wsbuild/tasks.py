"""Stage 3: the plan to doit tasks. Pure data: names, dependencies, documentation and one action each.

`ws` holds all workstreams, `ws:<name>` one, `ws:<name>:<step>` a step of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.action import BaseAction
from doit.exceptions import TaskFailed
from doit.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wsbuild.plan.records import WorkstreamPlan

    Perform = Callable[[str, str], str]

ALL = "ws"
DETECT = "detect"
SELECTION = "_selection"


class WorkTask(Task):  # type: ignore[misc]
    """A doit task that skips doit's checks of what we made ourselves (they cost 40 us a task).

    `after` names tasks it waits for without being blocked by their failure. `ws_id` and `step` say
    what it stands for; both are empty for groups of groups, `step` for a workstream. `detector` is that of a
    DetectorTask.
    """

    detector = ""

    def __init__(
        self,
        name: str,
        *,
        doc: str = "",
        deps: Sequence[str] = (),
        after: Sequence[str] = (),
        subtask_of: str | None = None,
        group: bool = False,
        ws_id: str = "",
        step: str = "",
        action: BaseAction | None = None,
    ) -> None:
        self.name = name
        self.doc = doc
        self.task_dep = [*deps, *after]
        self.after = frozenset(after)
        self.subtask_of = subtask_of
        self.has_subtask = group
        self.ws_id = ws_id
        self.step = step
        self.file_dep: set[str] = set()
        self.calc_dep: set[str] = set()
        self.values: dict[str, Any] = {}
        self.targets: list[str] = []
        self._action_instances = [action] if action is not None else []
        if action is not None:
            action.task = self

    def pickle_safe_dict(self) -> dict[str, Any]:
        """What doit passes between its runner and a worker thread: enough to find the task again."""
        return {"name": self.name}


# What doit's own constructor would set, for all instances alike.
for _name, _value in Task("_", None).__dict__.items():
    setattr(WorkTask, _name, _value)
WorkTask._remove_targets = True  # noqa: SLF001 - `doit clean` removes what `targets` names


class StepAction(BaseAction):  # type: ignore[misc]
    """The one action of a task: it calls `perform` with what the task stands for: the workstream and the
    step, or the detector.

    `perform` gives why that failed, empty when it did not. The output of a step goes to its log; doit
    captures nothing.
    """

    def __init__(self, perform: Callable[..., str], *names: str) -> None:
        self.perform = perform
        self.names = names
        self.task: Task | None = None
        self.out: str | None = None
        self.err: str | None = None
        self.result: Any = None
        self.values: dict[str, Any] = {}

    def execute(self, out: Any = None, err: Any = None) -> Any:  # noqa: ARG002
        """Do it; gives doit's failure object, or None."""
        failure = self.perform(*self.names)
        return TaskFailed(failure) if failure else None

    def __repr__(self) -> str:
        return f"<StepAction {' '.join(self.names)}>"


class DetectorTask(WorkTask):
    """The task of one detector over the whole project."""

    def __init__(self, name: str, doc: str, detector: str, perform: Callable[[str], str]) -> None:
        super().__init__(name, doc=doc, subtask_of=DETECT, action=StepAction(perform, detector))
        self.detector = detector


def group_task(ws: WorkstreamPlan, *, deps: Sequence[str] = (), subtask_of: str | None = None) -> WorkTask:
    """The task of a workstream, over `deps` (its steps, where those are loaded too)."""
    return WorkTask(ws.task, doc=ws.doc, deps=deps, subtask_of=subtask_of, group=True, ws_id=ws.id)


def all_task(members: Sequence[str] = ()) -> WorkTask:
    """The task `ws` of all workstreams."""
    return WorkTask(ALL, doc="all workstreams", deps=members, group=True)


def is_detecting(word: str) -> bool:
    """Whether a word of the command line is the task of a detector, or that of all."""
    return word == DETECT or word.startswith(DETECT + ":")


def detect_task(members: Sequence[str] = ()) -> WorkTask:
    """The task of all detectors."""
    return WorkTask(DETECT, doc="linters and scanners over the whole project", deps=members, group=True)


def selection_task(names: Sequence[str]) -> WorkTask:
    """The private task that doit is asked to run: `names`, already in order."""
    return WorkTask(SELECTION, deps=names, group=True)


def step_doc(ws: WorkstreamPlan, step: str) -> str:
    """What a listing says of a step: the names of its commands."""
    found = next(known for known in ws.steps if known.name == step)
    labels = ", ".join(command.label for command in found.commands)
    return labels or ("record what changed" if found.phase == "land" else "nothing configured")


def workstream_tasks(
    ws: WorkstreamPlan,
    perform: Perform,
    *,
    steps: Iterable[str] | None = None,
    loaded: Callable[[str], bool] = lambda _task: False,
) -> list[WorkTask]:
    """The tasks of a workstream's steps (or of `steps`), and its group last.

    A step depends on what it needs; the first ones on the workstreams that this one depends on.
    Only tasks that `loaded` knows, or that are made here, are depended on.
    """
    chosen = [step for step in ws.steps if steps is None or step.name in set(steps)]
    names = {step.name for step in chosen}
    upstream = [task for task in map(_group_name, ws.depends_on) if loaded(task)]
    after = [task for task in map(_group_name, ws.after) if loaded(task)]
    tasks = []
    for step in chosen:
        needs = [ws.step_task(need) for need in step.needs if need in names]
        tasks.append(
            WorkTask(
                ws.step_task(step.name),
                doc=step_doc(ws, step.name),
                deps=needs or upstream,
                after=() if needs else after,
                subtask_of=ws.task,
                ws_id=ws.id,
                step=step.name,
                action=StepAction(perform, ws.id, step.name),
            )
        )
    return [*tasks, group_task(ws, deps=[task.name for task in tasks])]


def _group_name(ws_id: str) -> str:
    return "ws:" + ws_id.removeprefix("ws-")
