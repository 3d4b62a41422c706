"""The vocabulary: workstreams, steps, problems, statuses. Data only, no input or output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Problem(NamedTuple):
    """One thing that is wrong in one file a user wrote.

    `file` is relative to the project root, `pointer` a JSON pointer (RFC 6901) into it, `line`
    counts from 1 (0: unknown), `code` is a stable kebab-case name, `hint` the next step.
    """

    file: str
    pointer: str
    line: int
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """An explicit step, as a bundle declares it.

    Exactly one of `run` (argument list), `shell` (a command line for /bin/sh), `tool` (a profile
    name) and `detectors` is set. `needs` is None where it was not given: then the step needs the
    one before it. `inputs` is None where it was not given: then it is the workstream's own files.
    `env` maps a name to its value, or to None to pass the caller's value through; `pass_env` names
    what is passed through without counting for the key. `cache` says whether its results may be put
    back in the place of running it, `incremental` that it works on from its earlier outputs.
    """

    name: str
    run: tuple[str, ...] = ()
    shell: str = ""
    tool: str = ""
    detectors: tuple[str, ...] = ()
    needs: tuple[str, ...] | None = None
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    timeout_sec: float | None = None
    retries: int = 0
    cache: bool = True
    incremental: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationAction:
    """What undoes something; without `run` and `shell` it is for a person to do."""

    text: str
    run: tuple[str, ...] = ()
    shell: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceTest:
    """A check that must hold after RUNTIME; without `run` and `shell` it is for a person to do."""

    id: str
    text: str
    run: tuple[str, ...] = ()
    shell: str = ""
    timeout_sec: float | None = None

    @property
    def manual(self) -> bool:
        """Whether only a person can do it: shown as unverified, never as passed."""
        return not self.run and not self.shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Workstream:
    """A declared unit of change to a repository, normalized: canonical paths, defaults filled in.

    `files_scope` and `files_create` hold canonical patterns (see `patterns`). `source` is the
    bundle file relative to the root, `pointer` the place in it, `line` its first line there.
    """

    id: str
    source: str
    pointer: str
    line: int
    openspec_change: str
    ccpm_issue: str
    gate: int
    files_scope: tuple[str, ...]
    files_create: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    acceptance_tests: tuple[AcceptanceTest, ...] = ()
    depends_on: tuple[str, ...] = ()
    tool: str = ""
    capability: str = ""
    capability_payload: Mapping[str, Any] = field(default_factory=dict)
    circuit_breaker: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parallel_ok: bool = True
    conflict_group: str = ""
    kind: str = "impl"
    priority: str = "foreground"
    estimated_context_tokens: int | None = None
    max_cost_usd: float | None = None
    compensation_actions: tuple[CompensationAction, ...] = ()
    test_gates: tuple[Mapping[str, Any], ...] = ()
    steps: tuple[StepSpec, ...] = ()
    isolation: str = ""
    land: str = "files"

    @property
    def name(self) -> str:
        """The id without its `ws-`, as it stands in task names."""
        return self.id.removeprefix("ws-")


class Edge(NamedTuple):
    """`after` may not start before `before` has ended.

    `why` is `depends_on` (a failure of `before` blocks `after`), `overlap` or `conflict_group`
    (order only: a failure does not block).
    """

    before: str
    after: str
    why: str
    detail: str = ""


class Overlap(NamedTuple):
    """Two workstreams claim the same path.

    `kind` is `same`, `contains` or `glob`; `path` what both claim; `witness` a file in both;
    `ordered` whether a dependency path orders them.
    """

    kind: str
    path: str
    witness: str
    workstreams: tuple[str, str]
    ordered: bool
