"""`wsbuild plan` and `wsbuild graph`: in which order, and why."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from wsbuild.cli.common import JsonOption, project_root, show_json
from wsbuild.errors import StateError
from wsbuild.plan.read import load
from wsbuild.problems import ProblemsError
from wsbuild.reports.graphs import plan_json, to_dot, to_json, to_mermaid, to_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.graph import Graph


class Format(StrEnum):
    """What a graph can be written as."""

    DOT = "dot"
    MERMAID = "mermaid"
    JSON = "json"
    SVG = "svg"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("plan", help="The order of work: waves, the critical path, what takes turns.")(plan)
    app.command("graph", help="The dependency graph as DOT, Mermaid, JSON or SVG.")(graph)


def _graph(root: str) -> Graph:
    loaded = load(root, os.environ)
    if loaded.problems:
        raise ProblemsError(loaded.problems)
    return loaded.graph


def _durations(root: str) -> Mapping[str, float]:
    """Seconds each workstream took when it last succeeded."""
    from wsbuild.statedir import database_path
    from wsbuild.store import attempts
    from wsbuild.store.db import open_store

    store = open_store(database_path(root, os.environ), readonly=True)
    try:
        return attempts.durations(store.connection())
    finally:
        store.close()


def plan(
    affected: Annotated[
        str,
        typer.Option("--affected", metavar="REV", help="Only what changed since a git revision."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show waves and the critical path."""
    root = project_root()
    drawn = _graph(root)
    shown = plan_json(drawn, _durations(root))
    if affected:
        from wsbuild.cli.changes import affected_ids

        keep = set(affected_ids(root, affected))
        waves = [[ws_id for ws_id in wave if ws_id in keep] for wave in shown["waves"]]
        shown["waves"] = [wave for wave in waves if wave]
        shown["critical_path"] = [ws_id for ws_id in shown["critical_path"] if ws_id in keep]
        shown["edges"] = [e for e in shown["edges"] if e["from"] in keep and e["to"] in keep]
    if as_json:
        shown.pop("schema", None)
        show_json("plan", shown)
        return
    for number, wave in enumerate(shown["waves"], 1):
        typer.echo(f"wave {number}: {' '.join(wave)}")
    if shown["critical_path"]:
        typer.echo(f"critical path: {' -> '.join(shown['critical_path'])}")
    for edge in shown["edges"]:
        if edge["why"] != "depends_on":
            typer.echo(f"takes turns: {edge['from']} before {edge['to']} ({edge['why'].replace('_', ' ')})")


def graph(
    form: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.DOT,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Write here.")] = "",
) -> None:
    """Write the graph to stdout or a file."""
    drawn = _graph(project_root())
    if form is Format.JSON and not output:
        data = to_json(drawn)
        data.pop("schema", None)
        show_json("graph", data)
        return
    data_bytes = _render(drawn, form)
    if output:
        try:
            with open(output, "wb") as file:
                file.write(data_bytes)
        except OSError as error:
            raise StateError(f"{output}: {error.strerror}", "name another file with -o") from error
    else:
        typer.echo(data_bytes, nl=False)


def _render(drawn: Graph, form: Format) -> bytes:
    if form is Format.DOT:
        return to_dot(drawn).encode()
    if form is Format.MERMAID:
        return to_mermaid(drawn).encode()
    if form is Format.SVG:
        return to_svg(to_dot(drawn), _run_dot)
    import json

    return (json.dumps(to_json(drawn), indent=2, ensure_ascii=False) + "\n").encode()


def _run_dot(source: bytes) -> bytes:
    """Graphviz's `dot` as a filter. Raises StateError where it is not installed or fails."""
    from wsbuild.tools.capture import capture

    try:
        code, output = capture(["dot", "-Tsvg"], input=source, timeout=120.0)
    except FileNotFoundError:
        code, output = 127, b"dot is not installed"
    if code:
        said = output.decode(errors="replace").strip()[-200:]
        raise StateError(f"graphviz failed: {said}", "install graphviz, or use -f dot or -f mermaid")
    return output
