"""Stage 2: workstreams as a graph: what is wrong with it, who takes turns, and the order of work.

The only user of networkx. The same workstreams give the same answers in any process.
"""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wsbuild.model import Edge, Overlap, Problem
from wsbuild.overlaps import Found, find_overlaps
from wsbuild.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    import networkx as nx

    from wsbuild.model import Workstream

DEPENDS_ON = "depends_on"
OVERLAP = "overlap"
CONFLICT_GROUP = "conflict_group"
UNKNOWN_DURATION_S = 1.0


def _preference(ws: Workstream) -> tuple[bool, str]:
    """Foreground first, then by id."""
    return (ws.priority == "background", ws.id)


class Graph:
    """Workstreams with their edges, drawn by `build`.

    `problems` are errors, `warnings` what the policy `warn` lets pass; `cycles` lists the ids of
    each cycle; `order` is a topological order of all workstreams that are not in or behind one.
    """

    def __init__(self, workstreams: Iterable[Workstream]) -> None:
        self.workstreams = {ws.id: ws for ws in sorted(workstreams, key=lambda ws: ws.id)}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.overlaps: list[Overlap] = []
        self.edges: list[Edge] = []
        self.cycles: list[list[str]] = []
        self.order: list[str] = []
        self._after: dict[str, list[str]] = {ws_id: [] for ws_id in self.workstreams}
        self._before: dict[str, list[str]] = {ws_id: [] for ws_id in self.workstreams}

    # --- questions

    def dependents(self, ws_id: str) -> set[str]:
        """All workstreams that a failure of `ws_id` blocks."""
        return self._reach(ws_id, self._dependents_of)

    def ancestors(self, ws_id: str) -> set[str]:
        """All workstreams that must be done before `ws_id`."""
        return self._reach(ws_id, lambda one: self._known_dependencies(self.workstreams[one]))

    def waves(self) -> list[list[str]]:
        """Who could run at the same time: each wave waits for the one before.

        A workstream that is not `parallel_ok` has a wave of its own.
        """
        level: dict[str, int] = {}
        levels: list[list[str]] = []
        for ws_id in self.order:
            depth = 1 + max((level[one] for one in self._before[ws_id] if one in level), default=-1)
            level[ws_id] = depth
            if depth == len(levels):
                levels.append([])
            levels[depth].append(ws_id)
        waves: list[list[str]] = []
        for here in levels:
            together = [ws_id for ws_id in here if self.workstreams[ws_id].parallel_ok]
            alone = [[ws_id] for ws_id in here if not self.workstreams[ws_id].parallel_ok]
            waves += ([together] if together else []) + alone
        return waves

    def critical_path(self, durations: Mapping[str, float] | None = None) -> list[str]:
        """The chain that takes longest, by `durations` in seconds (1 where unknown)."""
        known = durations or {}
        total: dict[str, float] = {}
        came_from: dict[str, str | None] = {}
        for ws_id in self.order:
            before = [one for one in self._before[ws_id] if one in total]
            best = min(before, key=lambda one: (-total[one], one), default=None)
            came_from[ws_id] = best
            total[ws_id] = known.get(ws_id, UNKNOWN_DURATION_S) + (total[best] if best else 0.0)
        path: list[str] = []
        here = min(total, key=lambda one: (-total[one], one), default=None)
        while here is not None:
            path.append(here)
            here = came_from[here]
        return path[::-1]

    def affected(self, paths: Iterable[str]) -> list[str]:
        """The workstreams that changes of `paths` concern, and those that depend on them, in order.

        Concerned are those that own a path, read it as an input of a step, or are declared in it.
        """
        changed = set(paths)
        concerned: set[str] = set()
        for ws in self.workstreams.values():
            reads = [pattern for step in ws.steps for pattern in step.inputs or ()]
            matches = matcher((*ws.files_scope, *ws.files_create, *reads))
            if ws.source in changed or any(map(matches, changed)):
                concerned |= {ws.id} | self.dependents(ws.id)
        return [ws_id for ws_id in self.order if ws_id in concerned]

    def before(self, ws_id: str) -> list[str]:
        """What `ws_id` directly waits for, by any kind of edge."""
        return self._before[ws_id]

    # --- drawing

    def add_edge(self, before: str, after: str, why: str, detail: str = "") -> None:
        """Add an edge between two workstreams of the graph."""
        self.edges.append(Edge(before, after, why, detail))
        self._after[before].append(after)
        self._before[after].append(before)

    def _known_dependencies(self, ws: Workstream) -> list[str]:
        return [one for one in ws.depends_on if one in self.workstreams]

    def _dependents_of(self, ws_id: str) -> list[str]:
        return [e for e in self._after[ws_id] if ws_id in self.workstreams[e].depends_on]

    @staticmethod
    def _reach(start: str, step: Callable[[str], Iterable[str]]) -> set[str]:
        found: set[str] = set()
        todo = [start]
        while todo:
            for one in step(todo.pop()):
                if one not in found:
                    found.add(one)
                    todo.append(one)
        return found

    def sort(self) -> None:
        """Find the order: a heap of what is ready, so that ties go by preference."""
        waiting = {ws_id: len(before) for ws_id, before in self._before.items()}
        ready = [_preference(self.workstreams[one]) for one, count in waiting.items() if not count]
        heapq.heapify(ready)
        self.order = []
        while ready:
            _, ws_id = heapq.heappop(ready)
            self.order.append(ws_id)
            for one in self._after[ws_id]:
                waiting[one] -= 1
                if not waiting[one]:
                    heapq.heappush(ready, _preference(self.workstreams[one]))

    def ancestor_sets(self) -> dict[str, int]:
        """The ancestors of each workstream in the order as the bits of a number."""
        bit = {ws_id: 1 << at for at, ws_id in enumerate(self.order)}
        above: dict[str, int] = {}
        for ws_id in self.order:
            bits = 0
            for one in self._before[ws_id]:
                bits |= above.get(one, 0) | bit.get(one, 0)
            above[ws_id] = bits
        return above


def _unknown_dependencies(graph: Graph, archived: Container[str]) -> Iterator[Problem]:
    from difflib import get_close_matches

    for ws in graph.workstreams.values():
        for at, dependency in enumerate(ws.depends_on):
            if dependency not in graph.workstreams and dependency not in archived:
                near = get_close_matches(dependency, graph.workstreams, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "declare it, or remove the dependency"
                message = f"{ws.id} depends on {dependency!r}, which no bundle declares"
                pointer = f"{ws.pointer}/depends_on/{at}"
                yield Problem(ws.source, pointer, ws.line, "unknown-dependency", message, hint)


def _cycles(graph: Graph) -> Iterator[tuple[list[str], Problem]]:
    """One shortest cycle of each knot of dependencies."""
    import networkx as nx

    drawn: nx.DiGraph[str] = nx.DiGraph()
    drawn.add_nodes_from(graph.workstreams)
    drawn.add_edges_from((edge.before, edge.after) for edge in graph.edges)
    for knot in sorted(map(sorted, nx.strongly_connected_components(drawn))):
        first = knot[0]
        if len(knot) == 1 and not drawn.has_edge(first, first):
            continue
        cycle = _shortest_cycle(drawn.subgraph(knot), first)
        ws = graph.workstreams[first]
        message = f"workstreams wait for each other: {' -> '.join([*cycle, cycle[0]])}"
        hint = "remove one of these dependencies"
        yield cycle, Problem(ws.source, f"{ws.pointer}/depends_on", ws.line, "cycle", message, hint)


def _shortest_cycle(knot: Any, start: str) -> list[str]:
    """The shortest way from `start` back to it, told as who depends on whom."""
    import networkx as nx

    ways = [nx.shortest_path(knot, one, start) for one in sorted(knot.successors(start))]
    way = min(ways, key=len)
    return [start, *reversed([one for one in way if one != start])]


def _overlap_problem(graph: Graph, found: Found) -> Problem:
    first, second = graph.workstreams[found.first], graph.workstreams[found.second]
    message = f"{first.id} and {second.id} both claim {found.path} ({found.witness}) and nothing orders them"
    hint = "let one depend on the other, narrow a scope, or set `overlap: serialize` in config/wsbuild.yaml"
    return Problem(second.source, f"{second.pointer}/files_scope", second.line, "overlap", message, hint)


def _take_turns(graph: Graph, pairs: Iterable[tuple[str, str, str, str]]) -> None:
    """Order pairs (one, two, why, detail) that nothing orders yet, by their places in the order.

    All new edges go forward in one order of the whole graph, so that no cycle can arise. A pair
    that the edges so far order is left alone.
    """
    place = {ws_id: at for at, ws_id in enumerate(graph.order)}
    above = graph.ancestor_sets()
    wanted: dict[str, list[tuple[int, str, str, str]]] = {}
    for one, two, why, detail in pairs:
        if one in place and two in place:
            before, after = sorted((one, two), key=place.__getitem__)
            wanted.setdefault(after, []).append((place[before], before, why, detail))
    # In the order of the places, so that what is known of a workstream's ancestors is complete.
    for ws_id in graph.order:
        bits = above[ws_id]
        for one in graph.before(ws_id):
            bits |= above[one] | (1 << place[one])
        for at, before, why, detail in sorted(wanted.get(ws_id, ()), reverse=True):
            if not bits >> at & 1:
                graph.add_edge(before, ws_id, why, detail)
                bits |= above[before] | (1 << at)
        above[ws_id] = bits


def _group_pairs(graph: Graph) -> Iterator[tuple[str, str, str, str]]:
    groups: dict[str, list[str]] = {}
    for ws_id in graph.order:
        if group := graph.workstreams[ws_id].conflict_group:
            groups.setdefault(group, []).append(ws_id)
    for group, members in sorted(groups.items()):
        for one, two in pairwise(members):
            yield one, two, CONFLICT_GROUP, group


def build(
    workstreams: Sequence[Workstream],
    *,
    policy: str = "serialize",
    isdir: Callable[[str], bool] = lambda _path: False,
    files: Sequence[str] = (),
    archived: Container[str] = (),
) -> Graph:
    """Draw the graph. `policy` says what unordered overlaps are: `serialize`, `error` or `warn`;
    `isdir` which literal paths are directories; `files` the repository's files, for witnesses;
    `archived` the ids that may be depended on although no workstream has them.

    What is wrong is in `problems`; nothing is raised.
    """
    graph = Graph(workstreams)
    graph.problems += _unknown_dependencies(graph, archived)
    for ws in graph.workstreams.values():
        for dependency in dict.fromkeys(ws.depends_on):
            if dependency in graph.workstreams:
                graph.add_edge(dependency, ws.id, DEPENDS_ON)
    graph.sort()
    if len(graph.order) < len(graph.workstreams):
        for cycle, problem in _cycles(graph):
            graph.cycles.append(cycle)
            graph.problems.append(problem)
    _draw_overlaps(graph, policy, find_overlaps(graph.workstreams.values(), isdir, files))
    _take_turns(graph, _group_pairs(graph))
    graph.sort()
    graph.edges.sort()
    return graph


def _draw_overlaps(graph: Graph, policy: str, found: Iterable[Found]) -> None:
    above = graph.ancestor_sets()
    bit = {ws_id: 1 << at for at, ws_id in enumerate(graph.order)}
    unordered: list[Found] = []
    for one in found:
        first, second = one.first, one.second
        known = first in bit and second in bit
        ordered = known and bool(above[first] & bit[second] or above[second] & bit[first])
        graph.overlaps.append(Overlap(one.kind, one.path, one.witness, (first, second), ordered))
        if not ordered:
            unordered.append(one)
    if policy == "serialize":
        _take_turns(graph, ((one.first, one.second, OVERLAP, one.path) for one in unordered))
    elif policy == "error":
        graph.problems += [_overlap_problem(graph, one) for one in unordered]
    else:
        graph.warnings += [_overlap_problem(graph, one) for one in unordered]
