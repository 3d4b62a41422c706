"""The compiled form of workstreams: what a run needs to know, as flat records. Data only."""

from __future__ import annotations

from typing import Any, NamedTuple

UNFINISHED = "archived-unfinished"
"""Stands for the result of what was archived before it was done: no result is equal to it."""

FILES, COMMIT, BRANCH = "files", "commit", "branch"
"""How a workstream may land."""


class CommandPlan(NamedTuple):
    """One command of a step.

    `argv` is a template when `profile` names where it came from, else it is literal; `shell` is a
    command line for /bin/sh instead. `timeout` is in seconds; `success` holds the exit codes that
    mean success; `fix` is the template of the command that mends what this one finds, empty where there
    is none; `env` maps a name to its value, or to None to pass the caller's value through;
    `pass_env` names what is passed through without counting for the key.
    `failure_output` are patterns of lines that tell of a failure even then, if nothing was changed,
    `usage_output` and `limit_output` those of `wsbuild.tools.usage`. The failure of one
    that is not `blocking` is told, and no failure of the step. `detectors` are the ids of those that it
    has judge the files of the workstream. `capability` is what it has routed; `unrouted` says why the
    capability that was asked for is not.
    """

    label: str
    argv: tuple[str, ...]
    shell: str = ""
    profile: str = ""
    env: dict[str, str | None] = {}  # noqa: RUF012
    pass_env: tuple[str, ...] = ()
    cwd: str = ""
    timeout: float = 0.0
    success: tuple[int, ...] = (0,)
    version: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    failure_output: tuple[str, ...] = ()
    usage_output: tuple[str, ...] = ()
    limit_output: tuple[str, ...] = ()
    blocking: bool = True
    detectors: tuple[str, ...] = ()
    capability: str = ""
    unrouted: str = ""


class StepPlan(NamedTuple):
    """One step of a workstream, one doit task.

    `phase` is `edit`, `static`, `runtime` or `land`. `needs` are steps of the same workstream.
    `inputs` and `outputs` are patterns; `implicit` says that the inputs were not declared but are the
    workstream's own files; `edits` that the step may change those (it declared no outputs). `fields`
    is what of the definition enters the key. `commands` is empty for LAND, and for a check that has
    nothing to do. `cached` says whether results may be kept for, and come from, other runs;
    `incremental` that the earlier outputs are left for the command to work on from.
    """

    name: str
    phase: str
    needs: tuple[str, ...]
    commands: tuple[CommandPlan, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    implicit: bool
    edits: bool
    fields: dict[str, Any]
    retries: int = 0
    prompt: bool = False
    cached: bool = True
    incremental: bool = False

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do: a check for which no tool is configured."""
        return not self.commands and self.phase != "land"


class WorkstreamPlan(NamedTuple):
    """One workstream. `rank` is its place in the order of the whole plan; `depends_on` are the ids
    whose failure blocks it, `after` those it merely waits for; `owned` the patterns it may write.
    `archived` are those that it depends on as well, and that are in an archive: `file`, whether they were
    `done`, and their `result`.
    `limits` has the fields of `wsbuild.breaker.Limits` for each phase of its steps that has limits.
    `isolation` is `worktree` (its steps work in a git worktree until they land; in place where there is
    no git), `required` (not without git) or `none`. Commands of one `conflict_group` never run at the
    same time. `max_cost_usd` is what it may cost (None: no matter), `estimated_tokens` what one attempt
    at its edit is thought to need. `land` says how it arrives: FILES, COMMIT or BRANCH.
    `gate` is the approval that it needs, `definition` the digest of what is approved (empty where nobody
    has to). `compensation` undoes it, from the last to the first; one that starts nothing is for a person.
    """

    id: str
    rank: int
    doc: str
    kind: str
    priority: str
    depends_on: tuple[str, ...]
    after: tuple[str, ...]
    parallel_ok: bool
    owned: tuple[str, ...]
    source: str
    steps: tuple[StepPlan, ...]
    context: dict[str, Any]
    manual: tuple[str, ...] = ()
    limits: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    isolation: str = "none"
    conflict_group: str = ""
    max_cost_usd: float | None = None
    estimated_tokens: int = 0
    land: str = FILES
    gate: int = 1
    definition: str = ""
    compensation: tuple[CommandPlan, ...] = ()
    archived: dict[str, dict[str, Any]] = {}  # noqa: RUF012

    @property
    def archived_results(self) -> list[tuple[str, str]]:
        """By task the results of what it depends on that is archived."""
        return [
            (f"ws:{ws_id.removeprefix('ws-')}", found["result"] if found["done"] else UNFINISHED)
            for ws_id, found in self.archived.items()
        ]

    @property
    def name(self) -> str:
        """The id without its `ws-`."""
        return self.id.removeprefix("ws-")

    @property
    def task(self) -> str:
        """The name of its doit task group."""
        return "ws:" + self.name

    def step_task(self, step: str) -> str:
        """The name of the doit task of one of its steps."""
        return f"ws:{self.name}:{step}"


def to_json(workstream: WorkstreamPlan) -> dict[str, Any]:
    """A workstream as JSON data."""
    data = workstream._asdict()
    data["steps"] = [
        {**step._asdict(), "commands": [command._asdict() for command in step.commands]}
        for step in workstream.steps
    ]
    data["compensation"] = [command._asdict() for command in workstream.compensation]
    return data


def from_json(data: dict[str, Any]) -> WorkstreamPlan:
    """The workstream that `to_json` wrote; JSON's lists become tuples."""
    steps = []
    for step in data["steps"]:
        commands = tuple(CommandPlan(**_tuples(command)) for command in step["commands"])
        steps.append(StepPlan(**{**_tuples(step), "commands": commands}))
    undo = tuple(CommandPlan(**_tuples(command)) for command in data["compensation"])
    return WorkstreamPlan(**{**_tuples(data), "steps": tuple(steps), "compensation": undo})


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if type(value) is list else value for key, value in data.items()}
