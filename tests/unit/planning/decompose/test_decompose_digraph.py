"""Cycles and orders, against what networkx says."""

from __future__ import annotations

import random

import networkx as nx
import pytest

from wsbuild.planning.decompose.digraph import closing, in_order


@pytest.mark.parametrize("seed", range(30))
def test_edges_that_close_a_cycle(seed: int) -> None:
    """Without them there is none, and each of them makes one with those that stay."""
    rng = random.Random(seed)
    nodes = list("abcdefgh")
    edges = [(rng.choice(nodes), rng.choice(nodes)) for _ in range(rng.randint(3, 25))]
    found = closing(nodes, edges)
    stay = [edge for edge in edges if edge not in found]
    assert nx.is_directed_acyclic_graph(nx.DiGraph(stay))
    assert all(not nx.is_directed_acyclic_graph(nx.DiGraph([*stay, edge])) for edge in found)
    order = in_order(nodes, stay, lambda node: (node,))
    assert sorted(order) == nodes
    assert all(order.index(later) > order.index(earlier) for later, earlier in stay)


def test_a_long_way_round_is_a_cycle() -> None:
    """Whatever the order in which its edges come."""
    assert closing("abc", [("a", "b"), ("b", "c"), ("c", "a")]) == [("c", "a")]
    assert closing("abc", [("b", "c"), ("a", "b"), ("c", "a")]) == [("c", "a")]
