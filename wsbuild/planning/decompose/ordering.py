"""Which part comes after which, and why: by imports, by the names of tests, by rules.

A part that imports from another comes after it, a test after what it tests, and rules say what they say.
Parts that would wait for each other are made one where the limits allow that; where not, the reasons that
weigh least are left aside.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning.decompose.digraph import closing, knots
from wsbuild.planning.decompose.grouping import Measure, Part
from wsbuild.planning.decompose.imports import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wsbuild.planning.decompose.grouping import Material
    from wsbuild.planning.decompose.rules import Rules

IMPORT, NAME, RULE = "import", "name", "rule"
_TEST = re.compile(r"(?:test_(?P<a>.+)|(?P<b>.+?)(?:_test|\.test|\.spec|\.Tests|-test))")
_NAMES = re.compile(r"`[^`]*`|\S*/\S*")
"""Code and paths in a task: what files are called says nothing of what is urgent."""


class Reason(NamedTuple):
    """Why a file, and the part it is in, comes after another: `kind` is IMPORT, NAME or RULE, `detail` the
    name and description of a rule.
    """

    kind: str
    later: str
    earlier: str
    detail: str = ""

    def __str__(self) -> str:
        words = {IMPORT: "{} imports {}", NAME: "{} tests {}, by its name"}
        return words.get(self.kind, "{} waits for {}, by the rule {}").format(
            self.later, self.earlier, self.detail
        )


Weight = tuple[int, int, int]
"""How many rules, imports and names speak for something: one rule weighs more than all imports."""


class Edge(NamedTuple):
    """The part `later` comes after the part `earlier`; both by their places among the parts."""

    later: int
    earlier: int
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> Weight:
        """What the reasons weigh."""
        kinds = [reason.kind for reason in self.reasons]
        return (kinds.count(RULE), kinds.count(IMPORT), kinds.count(NAME))


class Ordered(NamedTuple):
    """The parts, some of them made one, with edges that make no cycle, and the edges left aside."""

    parts: tuple[Part, ...]
    edges: tuple[Edge, ...]
    aside: tuple[Edge, ...]


def _tested(path: str) -> tuple[str, str]:
    """The stem and the family of what a file tests by its name; empty for no test."""
    stem, ending = posixpath.splitext(posixpath.basename(path))
    match = _TEST.fullmatch(stem)
    return ((match["a"] or match["b"]), _family(ending)) if match else ("", "")


def _family(ending: str) -> str:
    return SCRIPTS[0] if ending in SCRIPTS else ending


def _by_name(material: Material) -> Iterator[Reason]:
    """Tests and what they test, where the name leaves no doubt and no import tells."""
    stems: dict[tuple[str, str], list[str]] = {}
    for path in sorted(material.files):
        stem, ending = posixpath.splitext(posixpath.basename(path))
        stems.setdefault((stem, _family(ending)), []).append(path)
    linked = {frozenset(each) for each in material.imports}
    for path in sorted(material.files):
        found = stems.get(_tested(path), [])
        if len(found) == 1 and frozenset((path, found[0])) not in linked:
            yield Reason(NAME, path, found[0])


def _by_rules(parts: Sequence[Part], rules: Rules) -> Iterator[Reason]:
    """One file of each part speaks for it."""
    for rule in rules.dependencies:
        detail = f"{rule.name} ({rule.description})" if rule.description else rule.name
        waiting = [next(filter(rule.waits, part.files), "") for part in parts]
        first = [next(filter(rule.first, part.files), "") for part in parts]
        for at, later in enumerate(waiting):
            others = (other for other, path in enumerate(first) if path and other != at)
            yield from (Reason(RULE, later, first[other], detail) for other in others if later)


def _edges(parts: Sequence[Part], material: Material, rules: Rules) -> list[Edge]:
    of = {path: at for at, part in enumerate(parts) for path in part.files}
    found: dict[tuple[int, int], set[Reason]] = {}
    imports = (Reason(IMPORT, *each) for each in material.imports)
    for reason in (*imports, *_by_name(material), *_by_rules(parts, rules)):
        ends = of[reason.later], of[reason.earlier]
        if ends[0] != ends[1]:
            found.setdefault(ends, set()).add(reason)
    return [Edge(*ends, tuple(sorted(reasons))) for ends, reasons in sorted(found.items())]


def _merged(parts: Sequence[Part], ats: Sequence[int]) -> list[Part]:
    """The parts with those at `ats` made one, in the place of the first of them."""
    first = parts[ats[0]]
    files = tuple(sorted(path for at in ats for path in parts[at].files))
    names = ", ".join(sorted({parts[at].group.name for at in ats}))
    why = (f"parts of {names} that would wait for each other are one",)
    one = Part(first.group, files, tuple(dict.fromkeys(w for at in ats for w in parts[at].why)) + why)
    return [one if at == ats[0] else part for at, part in enumerate(parts) if at not in ats[1:]]


def _to_merge(parts: Sequence[Part], edges: Sequence[Edge], measure: Measure) -> list[int]:
    """Parts that wait for each other and may be one: all of a knot, or the two that most speaks for."""

    def fits(ats: Sequence[int]) -> bool:
        return measure.fits([path for at in ats for path in parts[at].files])

    weights = {(edge.later, edge.earlier): edge.weight for edge in edges}
    for knot in _knots(parts, edges):
        if fits(knot):
            return knot
        pairs = [
            (tuple(map(sum, zip(weights[a, b], weights[b, a], strict=True))), a, b)
            for a in knot
            for b in knot
            if a < b and (a, b) in weights and (b, a) in weights and fits((a, b))
        ]
        if pairs:
            _, *pair = min(pairs, key=lambda pair: ([-each for each in pair[0]], pair[1:]))
            return pair
    return []


def _knots(parts: Sequence[Part], edges: Sequence[Edge]) -> list[list[int]]:
    """The parts that wait for each other, directly or not."""
    drawn = ((f"{edge.later:09}", f"{edge.earlier:09}") for edge in edges)
    found = knots((f"{at:09}" for at in range(len(parts))), drawn)
    return [[int(name) for name in knot] for knot in found if len(knot) > 1]


def _set_aside(parts: Sequence[Part], edges: Sequence[Edge]) -> list[Edge]:
    """The edges to be left out so that no cycle remains: those that close one with what weighs more."""
    found: list[Edge] = []
    for knot in _knots(parts, edges):
        inside = set(knot)
        within = [edge for edge in edges if edge.later in inside and edge.earlier in inside]
        within.sort(key=lambda edge: ([-each for each in edge.weight], edge.later, edge.earlier))
        drawn = [(str(edge.later), str(edge.earlier)) for edge in within]
        closed = set(closing([str(at) for at in knot], drawn))
        found += [edge for edge, ends in zip(within, drawn, strict=True) if ends in closed]
    return found


def put_in_order(parts: Sequence[Part], material: Material, rules: Rules) -> Ordered:
    """The parts with what each comes after."""
    measure = Measure(material, rules.limits)
    here = list(parts)
    edges = _edges(here, material, rules)
    while ats := _to_merge(here, edges, measure):
        here = _merged(here, ats)
        edges = _edges(here, material, rules)
    aside = _set_aside(here, edges)
    return Ordered(tuple(here), tuple(sorted({*edges} - {*aside})), tuple(aside))


def scores(ordered: Ordered, material: Material, rules: Rules) -> Mapping[int, tuple[float, str]]:
    """What the rules for priorities give each part that they speak of, and why, by its place. What such a
    part comes after is as urgent.
    """
    measure = Measure(material, rules.limits)
    found: dict[int, tuple[float, str]] = {}
    for at, part in enumerate(ordered.parts):
        text = _NAMES.sub(" ", " ".join(task.text for task in measure.tasks(part.files))).lower()
        for rule in rules.priorities:
            word = next((w for w in rule.keywords if re.search(rf"(?<!\w){re.escape(w)}", text)), "")
            if word and rule.score > found.get(at, (0.0,))[0]:
                found[at] = rule.score, f"{rule.name}, for the word {word!r}"
    earlier: dict[int, list[int]] = {}
    for edge in ordered.edges:
        earlier.setdefault(edge.later, []).append(edge.earlier)
    todo = sorted(found, key=lambda at: (found[at][0], -at))
    while todo:
        at = todo.pop()
        for other in earlier.get(at, ()):
            if found.get(other, (0.0,))[0] < found[at][0]:
                found[other] = found[at][0], "as something urgent comes after it"
                todo.append(other)
    return dict(sorted(found.items()))
