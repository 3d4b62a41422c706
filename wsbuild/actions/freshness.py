"""Is a step up to date, and if not, why: the recorded row against the files as they are.

Asking writes nothing. Who runs a step asks here before and after; who lists or explains asks the
same question, so the answer cannot differ.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.actions.prompt import EDIT, template_path
from wsbuild.actions.words import paths_in, without_root
from wsbuild.cache.digest import sha256_text
from wsbuild.cache.files import MISSING
from wsbuild.cache.manifest import Manifest, Reason, differences, result_digest
from wsbuild.identity import SHELL
from wsbuild.patterns import matcher
from wsbuild.plan.records import BRANCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.actions.reader import Reader
    from wsbuild.cache.expand import Tree
    from wsbuild.cache.files import FileStates
    from wsbuild.identity import Tools
    from wsbuild.plan.cached import Plan
    from wsbuild.plan.records import CommandPlan, StepPlan, WorkstreamPlan
    from wsbuild.store.clean import CleanRow
    from wsbuild.store.writes import Writer

NEVER_RUN = Reason("never-run")


class Decision(NamedTuple):
    """The answer for one step.

    `manifest` is what the step's key would be made of now; in it, inputs that a later step wrote stand
    as they were. `action` is what running the step now would depend on: the inputs as they are,
    whoever wrote them, which are `seen`; `outputs` are the states of its declared outputs.
    """

    fresh: bool
    reasons: tuple[Reason, ...]
    manifest: Manifest
    action: Manifest
    seen: dict[str, str]
    outputs: dict[str, str]


class Freshness:
    """Answers for the steps of one plan."""

    def __init__(
        self,
        plan: Plan,
        tree: Tree,
        states: FileStates,
        tools: Tools,
        reader: Reader,
        environ: Mapping[str, str],
        model: str,
    ) -> None:
        self.plan = plan
        self.tree = tree
        self.states = states
        self.tools = tools
        self.reader = reader
        self.environ = environ
        self.model = model
        self._written: dict[str, Manifest] = {}

    def fork(self) -> Freshness:
        """The same, for somebody who will suppose something."""
        return self.at(self.tree.fork(), self.states.fork())

    def suppose(self, states: Mapping[str, str]) -> None:
        """Answer from now on as if these files were in these states (MISSING: not there)."""
        self.states.suppose(states)
        self.tree.suppose({path: state != MISSING for path, state in states.items()})

    def at(self, tree: Tree, states: FileStates) -> Freshness:
        """The same questions about another tree of the project's files."""
        return Freshness(self.plan, tree, states, self.tools, self.reader, self.environ, self.model)

    def decide(self, ws: WorkstreamPlan, step: StepPlan) -> Decision:
        """Whether `step` is up to date now.

        It is when nothing that its result depends on differs from what was recorded with its last
        success, and what it made is still there. What a step that comes later in the plan wrote
        since, as recorded, does not count as a difference: that is the later step's to answer for.
        """
        manifest = self._definition(ws, step)
        seen = self.states.states(self._input_paths(ws, step))
        outputs = self.output_states(step)
        row = self.reader.row(ws.step_task(step.name))
        if row is None:
            manifest = manifest.with_inputs(seen)
            return Decision(False, (self._why_no_row(ws, step),), manifest, manifest, seen, outputs)
        recorded = Manifest.parse(row.manifest)
        self._keep_names(manifest, recorded)
        action = manifest.with_inputs(seen)
        settled = self._settle(ws, step, row, recorded.inputs(), seen)
        manifest = action if settled is seen else manifest.with_inputs(settled)
        reasons = differences(recorded.lines, manifest.lines)
        reasons += self._output_reasons(ws, step, row, outputs)
        return Decision(not reasons, tuple(reasons), manifest, action, seen, outputs)

    def output_states(self, step: StepPlan) -> dict[str, str]:
        """The declared outputs as they are; one that is named literally is there even if missing."""
        return self.states.states(self.tree.expand(step.outputs)) if step.outputs else {}

    def owned_states(self, ws: WorkstreamPlan) -> dict[str, str]:
        """The files that the workstream owns, as they are."""
        found = self.states.states(self.tree.expand(ws.owned, gitignore=True))
        return {path: state for path, state in found.items() if state != MISSING}

    def result_of(self, ws: WorkstreamPlan, step: StepPlan) -> str:
        """The recorded result of a step; empty when it has none. A step with nothing to do passes
        on the results of what it needs.
        """
        if not step.idle:
            row = self.reader.row(ws.step_task(step.name))
            return row.result if row else ""
        by_name = {known.name: known for known in ws.steps}
        needed = [(need, self.result_of(ws, by_name[need])) for need in step.needs]
        return result_digest(needed)

    def missing_inputs(self, step: StepPlan, seen: Mapping[str, str]) -> list[str]:
        """Declared input files that are not there: the step cannot run."""
        if step.implicit:
            return []
        return [path for path in step.inputs if seen.get(path) == MISSING]

    def _definition(self, ws: WorkstreamPlan, step: StepPlan) -> Manifest:
        manifest = self._fields(step, ws.step_task(step.name))
        if step.prompt:
            self.states.note(EDIT)  # where the repository's own would appear
            manifest.add("field", "prompt_template", self.states.state(template_path(self.tree.root)))
        for command in step.commands:
            if command.capability:
                from wsbuild.actions import routes

                ground = (self.tools.with_own, self.states, self.environ, self._env_line, self.model)
                route = self.plan.routes[command.capability]
                routes.add_lines(manifest, command.capability, route, routes.Ground(*ground))
                continue
            starts = self._program(command)
            if "/" not in starts or os.path.isabs(starts):
                manifest.add(
                    "tool",
                    command.argv[0] if command.argv else SHELL,
                    self.tools.identity(starts, command.version),
                )
            if "{model_name}" in command.argv:
                manifest.add("field", "model_name", self.model)
            for name, value in command.env.items():
                manifest.add("env", name, self._env_line(name, value))
        if any(command.detectors for command in step.commands):
            from wsbuild.actions import judging

            judging.add_lines(manifest, step, judging.Ground(*self._ground(ws)))
        for need in step.needs:
            by_name = next(known for known in ws.steps if known.name == need)
            manifest.add("upstream", ws.step_task(need), self.result_of(ws, by_name))
        for dep in ws.depends_on:
            upstream = self.plan[dep]
            results = [(known.name, self.result_of(upstream, known)) for known in upstream.steps]
            manifest.add("upstream", upstream.task, _joined(tuple(results)))
        return manifest

    def _ground(self, ws: WorkstreamPlan) -> tuple[Any, ...]:
        return self.tree, self.states, self.tools, self.plan.detectors, partial(self._is_made, ws)

    def _fields(self, step: StepPlan, task: str) -> Manifest:
        """The lines that the plan alone decides, written once."""
        known = self._written.get(task)
        if known is None:
            known = Manifest()
            for name, value in step.fields.items():
                known.add("field", name, value)
            self._written[task] = known
        return Manifest(known.lines)

    def _program(self, command: CommandPlan) -> str:
        """What a command starts: a name on PATH, an absolute path, or a path in the project."""
        starts = command.argv[0] if command.argv else SHELL
        return self.tools.python if starts == "{python}" else without_root(starts)

    def _env_line(self, name: str, value: str | None) -> str:
        if value is None:
            value = self.environ.get(name)
        if value is None:
            return "unset"
        return sha256_text(f"{name}={value}")

    def _input_paths(self, ws: WorkstreamPlan, step: StepPlan) -> list[str]:
        """What the step reads: its inputs, what its detectors read, and files of the project named on its
        command line.
        """
        paths = self.tree.expand(step.inputs, gitignore=step.implicit)
        if any(command.detectors for command in step.commands):
            from wsbuild.actions import judging

            owned = self.tree.expand(ws.owned, gitignore=True)
            paths = sorted({*paths, *judging.inputs(step, owned, judging.Ground(*self._ground(ws)))})
        named = [path for path in paths_in(step) if self.tree.is_file(path)]
        if not named and not (step.implicit and step.outputs):
            return paths
        made = matcher(step.outputs, below=True)
        if step.implicit:
            paths = [path for path in paths if not made(path)]
        return sorted({*paths, *(path for path in named if not made(path))})

    def _settle(
        self,
        ws: WorkstreamPlan,
        step: StepPlan,
        row: CleanRow,
        recorded: Mapping[str, str],
        now: dict[str, str],
    ) -> dict[str, str]:
        """`now`, with what later steps wrote since put back to what was recorded."""
        if recorded == now:
            return now
        moved = [p for p in recorded.keys() | now.keys() if recorded.get(p) != now.get(p)]
        later = self._written_later(ws, step, row, moved, now)
        settled = dict(now) if later else now
        for path in later:
            if path in recorded:
                settled[path] = recorded[path]
            else:
                settled.pop(path, None)
        return settled

    def _keep_names(self, manifest: Manifest, recorded: Manifest) -> None:
        """Let a name that counted count as long as it is there, whoever wrote what is there since."""
        for kind, name in recorded.lines.keys() - manifest.lines.keys():
            if kind == "name" and any(self.tree.counted(name)):
                manifest.add(kind, name, "")

    def _is_made(self, ws: WorkstreamPlan, path: str) -> bool:
        """Whether all that is at a path is as steps of other workstreams have left it."""
        files = self.tree.counted(path)
        for size in chain([1], repeat(500)):  # mostly the first one tells
            batch = list(islice(files, size))
            if not batch:
                return True
            states, writers = self.states.states(batch), self.reader.writers(batch)
            for file in batch:
                found = writers.get(file, ())
                is_own = any(one.task.startswith(ws.task + ":") for one in found)
                if is_own or states[file] not in {one.digest for one in found}:
                    return False
        raise AssertionError("BUG: an endless loop has ended")

    def _written_later(
        self,
        ws: WorkstreamPlan,
        step: StepPlan,
        row: CleanRow,
        paths: Sequence[str],
        now: Mapping[str, str],
    ) -> list[str]:
        """Those of `paths` whose present state is what the latest later step recorded that can have written
        there.
        """
        if not paths:
            return []
        here = self._place(ws.step_task(step.name))
        found = []
        for path, writers in self.reader.writers(paths).items():
            for writer in writers:
                if writer.attempt_id <= row.attempt_id or self._place(writer.task) <= here:
                    continue
                if writer.digest == now.get(path, MISSING):
                    found.append(path)
                elif self._has_yet_to_land(writer):
                    continue
                break
        return found

    def _has_yet_to_land(self, writer: Writer) -> bool:
        """Whether what a step wrote may be in a workspace only."""
        _, name, step = writer.task.split(":", 2)
        ws = self.plan["ws-" + name]
        if ws.land == BRANCH:
            return True  # it is merged, or not, by somebody else
        land = ws.steps[-1]
        if land.phase != "land" or land.name == step:
            return False
        row = self.reader.row(f"ws:{name}:{land.name}")
        return row is None or row.attempt_id < writer.attempt_id

    def _place(self, task: str) -> tuple[int, int]:
        """Where a task stands in the plan; before everything when it is not in it any more."""
        _, name, step = task.split(":", 2)
        ws_id = "ws-" + name
        if ws_id not in self.plan:
            return (-1, -1)
        names = [known.name for known in self.plan[ws_id].steps]
        return (self.plan.rank(ws_id), names.index(step)) if step in names else (-1, -1)

    def _output_reasons(
        self, ws: WorkstreamPlan, step: StepPlan, row: CleanRow, now: Mapping[str, str]
    ) -> list[Reason]:
        recorded = row.output_states()
        moved = sorted(p for p in recorded.keys() | now.keys() if recorded.get(p) != now.get(p))
        settled = set(self._written_later(ws, step, row, moved, now))
        return [
            Reason("output-missing" if not now.get(path) else "output-changed", path)
            for path in moved
            if path not in settled
        ]

    def _why_no_row(self, ws: WorkstreamPlan, step: StepPlan) -> Reason:
        last = self.reader.last_attempt(ws.step_task(step.name))
        if last is None:
            return NEVER_RUN
        if last.status == "ok":
            return Reason("inputs-moved" if last.key_moved else "forgotten")
        return Reason(f"last-run-{last.status.replace('running', 'interrupted')}")


@lru_cache(maxsize=4096)
def _joined(results: tuple[tuple[str, str], ...]) -> str:
    """The results of all steps of a workstream as one: each of those that depend on it asks for it."""
    return result_digest(results)


def written(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """What changed between two looks at the same files: path to its state now (MISSING: gone)."""
    paths: Iterable[str] = before.keys() | after.keys()
    return {p: after.get(p, MISSING) for p in sorted(paths) if before.get(p) != after.get(p)}
