"""What came of an attempt at a step, as data; and what of a success is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.files import MISSING
from wsbuild.cache.manifest import result_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.cache.manifest import Manifest
    from wsbuild.plan.records import StepPlan


class Outcome(NamedTuple):
    """How an attempt ended: `state` as in `status.ATTEMPT`, `message` for a person, `signature` the
    error's identity (empty on success), `output` the tail of what the tool said.
    """

    state: str
    exit_code: int
    duration_s: float
    message: str = ""
    signature: str = ""
    output: str = ""


class Success(NamedTuple):
    """What an attempt that succeeded leaves as its clean row."""

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


def success_of(
    seed: int,
    step: StepPlan,
    before: Manifest,
    inputs: Mapping[str, str],
    outputs: dict[str, str],
    wrote: Mapping[str, str] | None = None,
) -> Success:
    """The clean row of a step that succeeded.

    Its definition, tools and upstream results are those it was started with (`before`); `inputs` are
    recorded as given. A step without declared outputs answers for what it read and `wrote`.
    """
    manifest = before.with_inputs(inputs)
    answers_for = outputs if step.outputs else {**inputs, **(wrote or {})}
    there = [(path, state) for path, state in answers_for.items() if state != MISSING]
    return Success(
        manifest.text(),
        manifest.key(seed),
        outputs,
        result_digest(there, seed),
        dict(outputs if wrote is None else wrote),
    )
