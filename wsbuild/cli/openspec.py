"""`wsbuild spec import` and `sync`: changes of OpenSpec to workstreams, and what is done back to them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cli.ask import UP_TO_DATE, statuses
from wsbuild.cli.common import JsonOption, asking_session, from_root, project_root, show_json
from wsbuild.errors import EXIT_FAILED, EXIT_OK, UserError
from wsbuild.problems import describe
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.planning.openspec.draft import Options
    from wsbuild.planning.openspec.importing import Imported
    from wsbuild.planning.openspec.sync import Synced

ONCE_DONE = ("stale", "failed")
"""Statuses of workstreams that may have been done before."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import", help="Write the workstreams for changes of OpenSpec.")(import_)
    app.command("sync", help="Tick the tasks of changes whose workstreams are done.")(sync)


def import_(
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CHANGE|FILE]...", help="Ids of changes, or YAML files of items."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="All changes that are not archived.")] = False,
    files: Annotated[
        list[str] | None,
        typer.Option("--files", metavar="PATTERN", help="Files that it may change, besides those it names."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", metavar="group|none", help="A workstream a group of tasks, or just one.")
    ] = "",
    tool: Annotated[str, typer.Option("--tool", metavar="NAME", help="The tool profile that edits.")] = "",
    capability: Annotated[
        str, typer.Option("--capability", metavar="NAME", help="Or what the tool must be able to do.")
    ] = "",
    gate: Annotated[int | None, typer.Option("--gate", min=1, help="The approval that it needs.")] = None,
    ccpm_issue: Annotated[
        str, typer.Option("--ccpm-issue", metavar="ISSUE", help="The issue that it belongs to.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Write files anew that somebody has edited.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be written.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Nothing is written where anything is wrong; what somebody edited stays."""
    from wsbuild.planning.openspec.change import change_ids
    from wsbuild.planning.openspec.importing import import_changes

    if bool(changes) == every:
        raise typer.BadParameter("name changes, or say --all")
    if split not in {"", "group", "none"}:
        raise typer.BadParameter(f"--split is group or none, not {split}")
    root = project_root()
    options = _options(root, tool, capability, gate, ccpm_issue)
    options = options._replace(files=tuple(from_root(one, root) for one in files or ()), split=split)
    words = [from_root(word, root) for word in changes or ()] or change_ids(root)
    ask = _asked if sys.stdin.isatty() and not as_json else _nobody
    found = import_changes(root, os.environ, words, options, ask, force=force, dry_run=dry_run)
    for problem in (each for one in found for each in one.warnings):
        typer.echo(printable(f"wsbuild: {describe(problem)}"), err=True)
    if as_json:
        show_json("spec-import", {"dry_run": dry_run, "changes": [_imported(one) for one in found]})
        return
    for one in found:
        _show_imported(one, force=force, dry_run=dry_run)


def _options(root: str, tool: str, capability: str, gate: int | None, issue: str) -> Options:
    """What was said, with the default tool. Raises UserError for a tool that is none."""
    from difflib import get_close_matches

    from wsbuild import config
    from wsbuild.planning.openspec.draft import Options
    from wsbuild.problems import ProblemsError
    from wsbuild.tools import profiles

    settings, problems = config.load(root)
    known, wrong = profiles.load(root)
    if problems or wrong:
        raise ProblemsError([*problems, *wrong])
    if tool and tool not in known:
        near = get_close_matches(tool, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "config/tool_profiles.json adds profiles"
        raise UserError(f"no tool profile is named {tool!r}", hint)
    number = issue.isdecimal() and issue.isascii() and len(issue) < 16
    told = int(issue) if number else issue or None
    return Options(settings.default_tool, tool, capability, gate, told)


def _nobody(_: str) -> Sequence[str]:
    return ()


def _asked(name: str) -> Sequence[str]:
    """The files that a person names for something that names none."""
    typer.echo(printable(f"{name} names no file of the project."), err=True)
    typer.echo("Files that it may change (patterns, with spaces between): ", err=True, nl=False)
    return sys.stdin.readline().split()


def _imported(one: Imported) -> dict[str, Any]:
    return {
        "change": one.change,
        "place": one.place,
        "path": one.path,
        "state": one.state,
        "workstreams": [dict(ws) for ws in one.workstreams],
        "gone": list(one.gone),
        "warnings": [problem._asdict() for problem in one.warnings],
    }


def _show_imported(one: Imported, *, force: bool, dry_run: bool) -> None:
    if not one.path:
        typer.echo(printable(f"done     {one.change}: nothing is left to do"))
        return
    ids = ", ".join(ws["id"] for ws in one.workstreams)
    typer.echo(printable(f"{one.state:8} {one.path}: {ids}"))
    for ws_id in one.gone:
        typer.echo(f"gone     {ws_id}")
    if one.state == "edited" and not force:
        message = f"{one.path} stays as somebody has edited it; --force writes it anew"
        typer.echo(printable(f"wsbuild: {message}"), err=True)
    elif dry_run and one.state != "same":
        typer.echo(printable(one.text), nl=False)


def sync(
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[CHANGE]...", help="Which (default: all imported ones).")
    ] = None,
    untick: Annotated[
        bool, typer.Option("--untick", help="Clear boxes too, of workstreams that are not done any more.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where something would be written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Done is what `wsbuild status` calls up to date."""
    from wsbuild import bundle
    from wsbuild.planning.openspec.known import all_known
    from wsbuild.planning.openspec.sync import sync as sync_tasks

    root = project_root()
    session = asking_session()
    try:
        known = all_known(bundle.load(root, os.environ).workstreams)
        status = {ws["id"]: ws["status"] for ws in statuses(session, [one.id for one in known])}
    finally:
        session.close()
    done = {ws_id for ws_id, said in status.items() if said == UP_TO_DATE}
    undone = {ws_id for ws_id, said in status.items() if said in ONCE_DONE} if untick else set()
    words = [from_root(word, root) for word in changes or ()]
    found = sync_tasks(root, known, words, done=done, undone=undone, check=check)
    if as_json:
        show_json("spec-sync", {"check": check, "changes": [_synced(one) for one in found]})
    else:
        _show_synced(found, check=check)
    raise typer.Exit(EXIT_FAILED if check and any(one.ticks for one in found) else EXIT_OK)


def _synced(one: Synced) -> dict[str, Any]:
    return {
        "change": one.change,
        "path": one.path,
        "ticks": [tick._asdict() for tick in one.ticks],
        "left": [left._asdict() for left in one.left],
    }


def _show_synced(found: Sequence[Synced], *, check: bool) -> None:
    words = ("would be ticked", "would be cleared") if check else ("ticked", "cleared")
    for one in found:
        for tick in one.ticks:
            word = words[0] if tick.done else words[1]
            typer.echo(printable(f"{one.path}:{tick.line}: {word}: {tick.text}"))
        for left in one.left:
            line = f":{left.line}" if left.line else ""
            typer.echo(printable(f"{one.path}{line}: not ticked: {left.text} {left.reason}"), err=True)
    if not any(one.ticks for one in found):
        typer.echo("nothing to tick")
