"""The proposal: workstreams with names, order, tasks and reasons."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from wsbuild import patterns
from wsbuild.model import Problem
from wsbuild.planning.decompose.digraph import in_order
from wsbuild.planning.decompose.files import CREATE, DELETE, RENAME, LeftOut, leave
from wsbuild.planning.decompose.grouping import Material, Measure, Task, divide, group_of
from wsbuild.planning.decompose.imports import find_imports
from wsbuild.planning.decompose.ordering import put_in_order, scores

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from wsbuild.model import Workstream
    from wsbuild.planning.decompose.files import Changed, Input
    from wsbuild.planning.decompose.grouping import Part
    from wsbuild.planning.decompose.ordering import Ordered, Reason
    from wsbuild.planning.decompose.rules import Rules
    from wsbuild.planning.decompose.spec import Spec

PREFIX = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_PREFIX = 40
_LONGEST_NAME = 45


class Options(NamedTuple):
    """What the workstreams have in common. `task` is something to do with all of the files; with `after`
    files that others claim are planned too, to be done after those.
    """

    prefix: str
    tool: str = ""
    capability: str = ""
    gate: int = 1
    issue: str = "none"
    task: str = ""
    after: bool = False


class Proposed(NamedTuple):
    """A workstream to be. `after` is what it depends on, by id, and why; `over` which limits it passes."""

    id: str
    group: str
    kind: str
    files: tuple[Changed, ...]
    lines: int
    tasks: tuple[str, ...]
    after: tuple[tuple[str, tuple[str, ...]], ...]
    why: tuple[str, ...]
    over: tuple[str, ...]
    score: float
    priority: str


class Aside(NamedTuple):
    """A reason for an order that was left aside, as it closes a cycle with what weighs more."""

    later: str
    earlier: str
    reasons: tuple[str, ...]


class Proposal(NamedTuple):
    """The workstreams in an order in which they can be done, and what is worth knowing besides.

    `unread` are files whose imports are not known, `nowhere` requirements that name no file.
    """

    workstreams: tuple[Proposed, ...]
    aside: tuple[Aside, ...]
    left_out: tuple[LeftOut, ...]
    unread: tuple[LeftOut, ...]
    nowhere: tuple[str, ...]


def slug(text: str) -> str:
    """A text in the letters that ids have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST_PREFIX].strip("-")


def _claims(given: Input, existing: Sequence[Workstream]) -> dict[str, list[str]]:
    """Who claims which of the files already."""
    found: dict[str, list[str]] = {}
    for ws in existing:
        claimed = (*ws.files_scope, *ws.files_create)
        has = patterns.matcher(claimed, below=True)
        below = tuple(path for path in claimed if patterns.kind(path) != "glob")
        for one in given.files:
            if has(one.path) or any(path.startswith(one.path + "/") for path in below):
                found.setdefault(one.path, []).append(ws.id)
    return found


def _tasks(given: Input, spec: Spec | None, options: Options) -> dict[str, frozenset[Task]]:
    """What is to be done with each file: what a specification asks, or else what becomes of the file."""
    found: dict[str, set[Task]] = {one.path: set() for one in given.files}
    common = {Task(0, options.task)} if options.task else set()
    for number, requirement in enumerate(spec.requirements if spec else (), 1):
        for path in requirement.paths:
            if path in found:
                found[path].add(Task(number, requirement.task))
    verbs = ("change", CREATE, RENAME, DELETE)
    for one in given.files:
        action = RENAME if one.partner else one.action
        found[one.path] |= common
        if not spec:
            found[one.path].add(Task(1 + verbs.index(action), action))
    return {path: frozenset(tasks) for path, tasks in found.items()}


def _task_texts(
    part: Part, material: Material, measure: Measure, shared: Mapping[Task, int] | None
) -> Iterator[str]:
    """The tasks of a part, in words that name its files. `shared` says how many files have each task of a
    specification; None where there is none.
    """
    for task in measure.tasks(part.files):
        mine = [path for path in part.files if task in material.tasks[path]]
        if shared is None and task.number:
            names = [_renamed(path, material) if task.text == RENAME else f"`{path}`" for path in mine]
            yield f"{task.text.capitalize()} {', '.join(filter(None, names))}"
        elif shared is None or not task.number or shared[task] == len(mine):
            yield task.text
        else:
            yield f"{task.text} (here: {', '.join(f'`{path}`' for path in mine)})"


def _renamed(path: str, material: Material) -> str:
    """How a file is renamed, told for its old name."""
    one = material.files[path]
    return f"`{path}` to `{one.partner}`" if one.action == DELETE else ""


def _kind(part: Part, rules: Rules) -> str:
    """The kind that the rules name for all of its files; '' where they do not agree."""
    kinds = {group_of(path, rules).kind for path in part.files}
    return kinds.pop() if len(kinds) == 1 else ""


def _ids(parts: Sequence[Part], prefix: str, taken: Collection[str]) -> list[str]:
    """A name for each part: the second of a group ends in `-2`, and so on."""
    used = set(taken)
    found = []
    for part in parts:
        name = slug(part.group.name)[:_LONGEST_NAME].strip("-") or "group"
        stem = f"ws-{prefix}-{name}"
        ws_id, number = stem, 1
        while ws_id in used:
            number += 1
            ws_id = f"{stem}-{number}"
        used.add(ws_id)
        found.append(ws_id)
    return found


def _some(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """The first reasons in words, and how many more there are."""
    told = [str(reason) for reason in reasons[:3]]
    more = len(reasons) - len(told)
    return (*told, *([f"and {more} more"] if more else []))


def propose(
    root: str,
    given: Input,
    rules: Rules,
    options: Options,
    *,
    spec: Spec | None = None,
    existing: Sequence[Workstream] = (),
) -> Proposal:
    """Workstreams for the files of `given` in the project at `root`, beside the `existing` ones."""
    claims = _claims(given, existing)
    if not options.after:
        out = (LeftOut(path, f"{' and '.join(ids)} has it already") for path, ids in claims.items())
        given = leave(given, out)
        claims = {}
    imports = find_imports(root, [one.path for one in given.files])
    files = {one.path: one for one in given.files}
    together = [each.paths for each in spec.requirements] if spec else []
    material = Material(files, _tasks(given, spec, options), sorted(imports.edges), together)
    ordered = put_in_order(divide(material, rules), material, rules)
    ids = _ids(ordered.parts, options.prefix, [ws.id for ws in existing])
    return Proposal(
        tuple(_workstreams(ordered, ids, material, rules, spec, claims)),
        tuple(Aside(ids[e.later], ids[e.earlier], _some(e.reasons)) for e in ordered.aside),
        given.left_out,
        tuple(LeftOut(*each) for each in sorted(imports.unread.items())),
        tuple(f"{one.place}: {one.task}" for one in spec.nowhere) if spec else (),
    )


def orphaned(
    existing: Sequence[Workstream], replaced: Sequence[Workstream], proposal: Proposal
) -> list[Problem]:
    """The `existing` workstreams that depend on a `replaced` one that the proposal does not have."""
    gone = {ws.id for ws in replaced} - {ws.id for ws in proposal.workstreams}
    return [
        Problem(
            ws.source,
            f"{ws.pointer}/depends_on/{at}",
            ws.line,
            "unknown-dependency",
            f"{ws.id} depends on {before!r}, which the proposal has no more",
            "remove the dependency first, or propose with another --prefix",
        )
        for ws in existing
        for at, before in enumerate(ws.depends_on)
        if before in gone
    ]


def _workstreams(
    ordered: Ordered,
    ids: Sequence[str],
    material: Material,
    rules: Rules,
    spec: Spec | None,
    claims: Mapping[str, Sequence[str]],
) -> Iterator[Proposed]:
    urgent = scores(ordered, material, rules)
    measure = Measure(material, rules.limits)
    shared = Counter(task for each in material.tasks.values() for task in each) if spec else None
    after: dict[str, list[tuple[str, tuple[str, ...]]]] = {ws_id: [] for ws_id in ids}
    for edge in ordered.edges:
        after[ids[edge.later]].append((ids[edge.earlier], _some(edge.reasons)))
    place = {ws_id: at for at, ws_id in enumerate(ids)}
    drawn = [(later, earlier) for later, each in after.items() for earlier, _ in each]
    for ws_id in in_order(ids, drawn, lambda one: (-urgent.get(place[one], (0.0,))[0], place[one])):
        part = ordered.parts[place[ws_id]]
        score, because = urgent.get(place[ws_id], (0.0, ""))
        why = (*part.why, *([f"priority {score:g}: {because}"] if because else []))
        holders: dict[str, list[str]] = {}
        for path in part.files:
            for holder in claims.get(path, ()):
                holders.setdefault(holder, []).append(f"{path} is in its scope")
        holding = ((holder, tuple(reasons[:3])) for holder, reasons in holders.items())
        yield Proposed(
            ws_id,
            part.group.name,
            _kind(part, rules),
            tuple(material.files[path] for path in part.files),
            measure.lines(part.files),
            tuple(_task_texts(part, material, measure, shared)),
            tuple(sorted([*after[ws_id], *holding])),
            why,
            part.over,
            score,
            "background" if urgent and not score else "foreground",
        )
