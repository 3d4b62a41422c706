"""`wsbuild validate`: everything that is wrong with what the user wrote, in one pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cli.common import JsonOption, project_root, show_json
from wsbuild.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, UserError
from wsbuild.model import Problem
from wsbuild.plan.read import load
from wsbuild.problems import describe
from wsbuild.statedir import database_path
from wsbuild.store import workstreams
from wsbuild.store.db import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.model import Overlap
    from wsbuild.plan.read import Loaded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate", help="Check bundles, settings and tool profiles; report all problems.")(validate)


def validate(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|ID]...",
            help="Bundle files, directories or workstream ids (default: all).",
        ),
    ] = None,
    run_id: Annotated[
        str, typer.Option("--run-id", help="Check also that this recorded run's workstreams exist.")
    ] = "",
    authoring: Annotated[
        bool, typer.Option("--authoring", help="Say also what is valid and could be better.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="The same, and exit 1 where there is such advice.")
    ] = False,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="CODE", help="No advice of this kind.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Exit 0 when nothing is wrong, 2 when something is; 1 for advice where that is asked for."""
    root = project_root()
    files, ids = _split(paths or [])
    loaded = load(root, os.environ, files)
    problems = list(loaded.problems)
    if ids:
        problems += _unknown(ids, loaded)
        wanted = set(ids)
        sources = {ws.source for ws in loaded.workstreams if ws.id in wanted}
        problems = [problem for problem in problems if problem.file in sources or not problem.file]
    if run_id:
        problems += _gone(root, run_id, loaded)
    advice = _advice(root, loaded, ids, skip or ()) if authoring or strict else None
    if as_json:
        show_json("validate", _as_json(loaded, problems, advice))
    else:
        _show(loaded, problems, advice)
    raise typer.Exit(EXIT_USAGE if problems else EXIT_FAILED if strict and advice else EXIT_OK)


def _advice(root: str, loaded: Loaded, ids: Sequence[str], skip: Sequence[str]) -> list[Problem]:
    """What could be better, of workstreams with these ids (all, without any). Raises UserError."""
    from wsbuild.planning.authoring.advice import CODES, advise

    for code in skip:
        if code not in CODES:
            raise UserError(f"no advice has the code {code!r:.60}", f"there is {', '.join(CODES)}")
    sources = {ws.source for ws in loaded.workstreams if ws.id in ids}
    found = advise(root, loaded, skip)
    return [each for each in found if not ids or each.file in sources]


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words that are paths, and those that are workstream ids."""
    ids = [
        "ws-" + word.removeprefix("ws:").removeprefix("ws-")
        for word in words
        if not os.path.lexists(word) and not word.endswith((".json", ".yaml", ".yml"))
    ]
    files = [
        os.path.abspath(word)
        for word in words
        if os.path.lexists(word) or word.endswith((".json", ".yaml", ".yml"))
    ]
    return files, ids


def _unknown(ids: list[str], loaded: Loaded) -> list[Problem]:
    from difflib import get_close_matches

    known = [ws.id for ws in loaded.workstreams]
    found = []
    for ws_id in ids:
        if ws_id not in known:
            near = get_close_matches(ws_id, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`wsbuild list` shows what there is"
            found.append(Problem("", "", 0, "unknown-workstream", f"no workstream is named {ws_id!r}", hint))
    return found


def _gone(root: str, run_id: str, loaded: Loaded) -> list[Problem]:
    """The workstreams of a recorded run that no bundle declares any more."""
    store = open_store(database_path(root, os.environ), readonly=True)
    try:
        recorded = workstreams.of_run(store.connection(), run_id)
    finally:
        store.close()
    if not recorded:
        hint = "`wsbuild runs` shows what is recorded"
        return [Problem("", "", 0, "unknown-run", f"no run is named {run_id!r}", hint)]
    known = {ws.id for ws in loaded.workstreams}
    return [
        Problem("", "", 0, "workstream-gone", f"{run_id} ran {ws_id}, which no bundle declares now")
        for ws_id in sorted(recorded)
        if ws_id not in known
    ]


def _as_json(loaded: Loaded, problems: list[Problem], advice: list[Problem] | None) -> dict[str, Any]:
    data = {
        "ok": not problems,
        "bundles": len({ws.source for ws in loaded.workstreams}),
        "workstreams": [ws.id for ws in loaded.workstreams],
        "problems": [problem._asdict() for problem in problems],
        "overlaps": [_overlap_json(overlap) for overlap in loaded.graph.overlaps],
        "cycles": loaded.graph.cycles,
    }
    if advice is not None:
        data["advice"] = [each._asdict() for each in advice]
    return data


def _overlap_json(overlap: Overlap) -> dict[str, Any]:
    return {**overlap._asdict(), "workstreams": list(overlap.workstreams)}


def _show(loaded: Loaded, problems: list[Problem], advice: list[Problem] | None) -> None:
    for problem in [*problems, *loaded.graph.warnings, *(advice or ())]:
        typer.echo(describe(problem), err=problem in problems)
    unordered = [overlap for overlap in loaded.graph.overlaps if not overlap.ordered]
    for overlap in unordered if advice is None else ():
        first, second = overlap.workstreams
        how = {
            "same": "both claim",
            "contains": "one contains the other:",
            "glob": "both may match",
        }[overlap.kind]
        witness = f" (for example {overlap.witness})" if overlap.witness != overlap.path else ""
        typer.echo(f"overlap: {first} and {second} {how} {overlap.path}{witness}")
    count = len(loaded.workstreams)
    ordered = len(loaded.graph.overlaps) - len(unordered)
    policy = {"serialize": "will take turns", "warn": "may run together", "error": "refused"}
    told = [f"{count} workstream{'' if count == 1 else 's'}"]
    if unordered:
        told.append(f"{_overlaps(len(unordered), 'unordered ')} ({policy[loaded.config.overlap]})")
    if ordered:
        told.append(f"{_overlaps(ordered)} ordered by dependencies")
    told.append(f"{len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    if advice is not None:
        count = len(advice)
        told.append(f"{count} piece{'' if count == 1 else 's'} of advice" if count else "no advice")
    typer.echo(", ".join(told))


def _overlaps(count: int, which: str = "") -> str:
    return f"{count} {which}overlap{'' if count == 1 else 's'}"
