"""The graph as DOT, Mermaid, JSON and SVG, and the plan as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.graph import Graph
    from wsbuild.model import Edge

DEPENDS_ON = "depends_on"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _why(edge: Edge) -> str:
    return edge.why.replace("_", " ") + (f": {edge.detail}" if edge.detail else "")


def to_dot(graph: Graph) -> str:
    """The graph for graphviz; edges that are only an order are dashed."""
    lines = ["digraph workstreams {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(ws_id)};" for ws_id in graph.order]
    for edge in graph.edges:
        style = "" if edge.why == DEPENDS_ON else f" [style=dashed, label={_quoted(_why(edge))}]"
        lines.append(f"  {_quoted(edge.before)} -> {_quoted(edge.after)}{style};")
    return "\n".join([*lines, "}", ""])


def to_mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart."""
    names = {ws_id: "n_" + re.sub(r"\W", "_", ws_id) for ws_id in graph.order}
    lines = ["flowchart LR"]
    lines += [f'  {names[ws_id]}["{ws_id}"]' for ws_id in graph.order]
    for edge in graph.edges:
        if edge.before in names and edge.after in names:
            label = _why(edge).replace('"', "#quot;").replace("|", "#124;")
            arrow = "-->" if edge.why == DEPENDS_ON else f'-. "{label}" .->'
            lines.append(f"  {names[edge.before]} {arrow} {names[edge.after]}")
    return "\n".join([*lines, ""])


def to_json(graph: Graph) -> dict[str, Any]:
    """Nodes with their waves, and edges."""
    wave_of = {ws_id: number for number, wave in enumerate(graph.waves(), 1) for ws_id in wave}
    nodes = [
        {
            "id": ws_id,
            "kind": graph.workstreams[ws_id].kind,
            "priority": graph.workstreams[ws_id].priority,
            "wave": wave_of[ws_id],
        }
        for ws_id in graph.order
    ]
    return {
        "nodes": nodes,
        "edges": [{**_edge(edge), "detail": edge.detail} for edge in graph.edges],
    }


def to_svg(dot: str, run_dot: Callable[[bytes], bytes]) -> bytes:
    """The picture that `run_dot` (graphviz) makes of a DOT text."""
    return run_dot(dot.encode())


def plan_json(graph: Graph, durations: Mapping[str, float]) -> dict[str, Any]:
    """Waves, the critical path, edges, and what takes turns."""
    return {
        "waves": graph.waves(),
        "critical_path": graph.critical_path(durations),
        "edges": [_edge(edge) for edge in graph.edges],
        "conflicts": [
            {**overlap._asdict(), "workstreams": list(overlap.workstreams)}
            for overlap in graph.overlaps
            if not overlap.ordered
        ],
    }


def _edge(edge: Edge) -> dict[str, str]:
    return {"from": edge.before, "to": edge.after, "why": edge.why}
