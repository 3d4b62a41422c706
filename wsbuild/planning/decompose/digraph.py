"""What is asked of directed graphs here. The only user of networkx in planning.

Same graph, same answers, whatever the order that edges come in.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def knots(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The strongly connected components, single nodes too: sorted, and each in order."""
    import networkx as nx

    drawn: nx.DiGraph[str] = nx.DiGraph()
    drawn.add_nodes_from(nodes)
    drawn.add_edges_from(edges)
    return sorted(map(sorted, nx.strongly_connected_components(drawn)))


def islands(nodes: Iterable[str], sets: Iterable[Iterable[str]]) -> list[list[str]]:
    """The nodes that are connected, directly or not, by being in one of the `sets`."""
    import networkx as nx

    drawn: nx.Graph[str] = nx.Graph()
    drawn.add_nodes_from(nodes)
    for each in sets:
        first, *rest = sorted(each)
        drawn.add_edges_from((first, other) for other in rest)
    return sorted(map(sorted, nx.connected_components(drawn)))


def in_order(
    nodes: Sequence[str],
    edges: Iterable[tuple[str, str]],
    preference: Callable[[str], tuple[float | str, ...]],
) -> list[str]:
    """The nodes, each behind those that edges (later, earlier) lead to; of those that may be next, the one
    that `preference` puts first. The edges make no cycle.
    """
    waits = dict.fromkeys(nodes, 0)
    behind: dict[str, list[str]] = {node: [] for node in nodes}
    for later, earlier in sorted(set(edges)):
        waits[later] += 1
        behind[earlier].append(later)
    ready = [(preference(node), node) for node, count in waits.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, node = heapq.heappop(ready)
        order.append(node)
        for other in behind[node]:
            waits[other] -= 1
            if not waits[other]:
                heapq.heappush(ready, (preference(other), other))
    return order


def closing(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges that close a cycle with edges before them: without those, there is none."""
    bit = {node: 1 << at for at, node in enumerate(nodes)}
    reach = dict.fromkeys(nodes, 0)
    found = []
    for start, end in edges:
        if start == end or reach[end] & bit[start]:
            found.append((start, end))
        elif not reach[start] & bit[end]:
            more = reach[end] | bit[end]
            for node in nodes:
                if node == start or reach[node] & bit[start]:
                    reach[node] |= more
    return found
