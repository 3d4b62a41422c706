"""What came of an attempt at a step, as data; and what of a success is recorded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions.tally import FAILED
from wsbuild.cache.files import MISSING
from wsbuild.cache.manifest import result_digest
from wsbuild.store.writes import Wrote
from wsbuild.tools.signature import signature
from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.freshness import Decision
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.records import StepPlan, WorkstreamPlan


class Limit(NamedTuple):
    """A tool has reached a usage limit: `until` is when it may be asked again, in seconds since 1970."""

    tool: str
    until: float
    reason: str

    @property
    def message(self) -> str:
        """What a person is told."""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.until))
        return f"{self.tool} is not to be asked before {at} (or with --force): {self.reason}"


class Outcome(NamedTuple):
    """How an attempt ended: `state` as in `status.ATTEMPT`, `message` for a person, `signature` the
    error's identity (empty on success), `output` the tail of what the tool said, `command` the label of
    the command that failed ('' where it was not a command that failed). `complaint` is a line of the output
    that tells of a failure although the tool ended well, `limit` that it may not be asked again before a
    time, `usage` what it has used; `answered` are the tools that could have said so, and did not;
    `strays` lines on what was done in the checkout meanwhile, `warnings` those on commands that failed and
    do not block.
    """

    state: str
    exit_code: int
    duration_s: float
    message: str = ""
    signature: str = ""
    output: str = ""
    command: str = ""
    complaint: str = ""
    limit: Limit | None = None
    usage: Usage = Usage()
    answered: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_finding(self) -> bool:
        """Whether a command ran and found something wrong: that can be fixed."""
        return bool(self.command) and self.state in {"failed", "timeout", "crashed"}


class Stop(NamedTuple):
    """Why a step is not tried (again) in this run, and the status in which that leaves it: FAILED,
    WAITING or OVER_BUDGET.
    """

    message: str
    status: str = FAILED


def of_edit(step: str, outcome: Outcome, *, changed: bool) -> Outcome:
    """What has become of an edit that ended so: one that `changed` nothing failed if its tool said that."""
    if outcome.state == "ok" and changed:
        return outcome._replace(limit=None)
    if outcome.limit is not None:
        return outcome._replace(state="failed", exit_code=1, message=outcome.limit.message, signature="")
    if outcome.state != "ok" or not outcome.complaint:
        return outcome
    mark = signature(step, "no-edit", outcome.complaint)
    message = f"{step} changed nothing: {outcome.complaint}"
    return outcome._replace(state="failed", exit_code=1, message=message, signature=mark)


def stop_of_strays(step: str, outcome: Outcome) -> Stop:
    """Why to stop when something was done elsewhere while a step was at work."""
    words = (
        f"while {step} was at work, somebody {outcome.strays[0]}",
        *outcome.strays[1:],
        "nothing lands in this run, as that may have been its tool; its result is kept: run it again if it",
        "was you (`watch: git` in config/wsbuild.yaml has files of the checkout not looked at)",
    )
    return Stop("\n".join(words))


OK = Outcome("ok", 0, 0.0)
"""Nothing had to be run."""


class Success(NamedTuple):
    """What an attempt that succeeded leaves as its clean row; `writes` is what it left where, a path
    that it removed as MISSING.
    """

    manifest: str
    key: str
    outputs: dict[str, str]
    result: str
    writes: dict[str, str]


class Attempt(NamedTuple):
    """An open attempt: `number` counts the attempts of its step, from 1."""

    run_id: str
    attempt_id: int
    number: int
    task: str
    ws_id: str
    step: str
    phase: str


class Ground(NamedTuple):
    """What a step finds where its outputs go.

    `standing` are files that others put there, `made` those that the step itself made when it last
    ran (they may be gone by now). `removed` were taken away; `aside` says where those of them are
    that nobody answers for.
    """

    standing: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    aside: tuple[str, ...] = ()

    def is_created(self, path: str) -> bool:
        """Whether a file that the step left is of its own making."""
        return path in self.made or path not in self.standing


class Restored(NamedTuple):
    """A step whose recorded result was put back: `decision` is why it was not up to date, `why` the same
    in a few words, `log` what the step once printed, `aside` where files are that were in the way.
    """

    ws: WorkstreamPlan
    step: StepPlan
    decision: Decision
    entry: Entry
    success: Success
    wrote: Mapping[str, Wrote]
    log: bytes
    why: str
    duration_s: float
    aside: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """The name of the step's task."""
        return self.ws.step_task(self.step.name)

    def attempt_at(self, attempt_id: int) -> Attempt:
        """The attempt that it counts as."""
        return Attempt("", attempt_id, 0, self.task, self.ws.id, self.step.name, self.step.phase)


def success_of(
    step: StepPlan, before: Decision, after: Decision, wrote: Mapping[str, str] | None = None
) -> Success:
    """The clean row of a step that succeeded: how things were when it started, and how they are.

    Its definition, tools and upstream results are those it was started with. A step that edits
    `wrote` some of its inputs: those are recorded as it left them, all others as it found them.
    Without declared outputs a step answers for what it read and wrote.
    """
    inputs = after.seen if wrote is None else _undisturbed(before, after, wrote)
    manifest = before.action if inputs == before.seen else before.manifest.with_inputs(inputs)
    answers_for = after.outputs if step.outputs else {**inputs, **(wrote or {})}
    there = [(path, state) for path, state in answers_for.items() if state != MISSING]
    return Success(
        manifest.text(),
        manifest.key(),
        after.outputs,
        result_digest(there),
        dict(after.outputs if wrote is None else wrote),
    )


def _undisturbed(before: Decision, after: Decision, wrote: Mapping[str, str]) -> dict[str, str]:
    recorded = dict(before.seen)
    for path in wrote:
        if path in after.seen:
            recorded[path] = after.seen[path]
        else:
            recorded.pop(path, None)
    return recorded


def left_by(step: StepPlan, success: Success, ground: Ground) -> dict[str, Wrote]:
    """What a success left where, for the record of who wrote what; what it once made and did not make
    this time is gone.
    """
    gone = dict.fromkeys(ground.made, Wrote(MISSING))
    created = {path: bool(step.outputs) and ground.is_created(path) for path in success.writes}
    return {**gone, **{path: Wrote(state, created[path]) for path, state in success.writes.items()}}


def left_by_failure(outputs: Mapping[str, str], ground: Ground) -> dict[str, Wrote]:
    """What an attempt that failed left at the places of its outputs: the next one starts without it."""
    there = {path: state for path, state in outputs.items() if state != MISSING}
    made = {path: state for path, state in there.items() if ground.is_created(path)}
    return {**dict.fromkeys(ground.made, Wrote(MISSING)), **{p: Wrote(s, True) for p, s in made.items()}}
