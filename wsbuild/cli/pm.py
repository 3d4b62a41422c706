"""`wsbuild pm`: epics and tasks as workstreams and back, their statuses, and their issues on GitHub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cli.common import JsonOption, asking_session, from_root, project_root, show_json, show_table
from wsbuild.errors import EXIT_FAILED, UserError
from wsbuild.problems import ProblemsError
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.bundle import Bundles
    from wsbuild.model import Workstream
    from wsbuild.planning.drafts import Outcome
    from wsbuild.planning.project.epics import Epic
    from wsbuild.planning.project.statuses import Change

pm_app = typer.Typer(help="Epics and tasks of CCPM as workstreams and back, and their issues on GitHub.")

EpicsArgument = Annotated[list[str] | None, typer.Argument(metavar="[EPIC]...", help="The names of epics.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over what somebody has edited, too.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Only show it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(pm_app, name="pm")
    pm_app.command("import", help="Write bundles for the tasks of epics.")(import_epics)
    pm_app.command("export", help="Write the files of epics for workstreams.")(export)
    pm_app.command("status", help="Write into the files of epics how their tasks stand.")(status)
    pm_app.command("github", help="Say on GitHub how workstreams stand.")(github)


def _declared(root: str) -> Bundles:
    from wsbuild import bundle
    from wsbuild.specdir import workstream_dir

    if not os.path.isdir(workstream_dir(root, os.environ)):
        return bundle.Bundles((), (), ())
    return bundle.load(root, os.environ)


def _epics(root: str, names: Sequence[str] = (), *, some: bool = True) -> list[Epic]:
    """The epics that are named, or all; with `some`, there must be one. Raises ProblemsError, UserError."""
    from wsbuild.planning.project.epics import choose, find, read_epics

    places = choose(root, names) if names or some else find(root)
    epics, problems = read_epics(root, places)
    if problems:
        raise ProblemsError(problems)
    return epics


def import_epics(
    names: EpicsArgument = None,
    every: Annotated[bool, typer.Option("--all", help="All epics that there are.")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="Also tasks that are done.")] = False,
    tool: Annotated[
        str, typer.Option("--tool", metavar="PROFILE", help="Who edits where a task does not say.")
    ] = "aider",
    force: ForceOption = False,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a bundle for each epic, a workstream for each of its tasks that is left to do."""
    from wsbuild.planning import drafts
    from wsbuild.planning.project.to_bundles import check_names, to_bundle

    if bool(names) == every:
        raise UserError(
            "epics are named, and all wanted" if every else "no epic is named", "name epics, or say --all"
        )
    root = project_root()
    epics = _epics(root, names or ())
    declared = {ws.id: ws.source for ws in _declared(root).workstreams}
    made = [to_bundle(root, epic, declared, tool=tool, closed=closed) for epic in epics]
    problems = [*check_names(epics), *(each for _, wrong in made for each in wrong)]
    found = [one.draft for one, _ in made if one.draft is not None]
    if not problems and found:
        problems = list(drafts.check(root, os.environ, found).problems)
    if problems:
        raise ProblemsError(problems)
    states = [drafts.state_of(root, os.environ, draft) for draft in found]
    if not dry_run:
        states = drafts.write(root, os.environ, found, force=force)
    left = [(one.epic.place.name, task, why) for one, _ in made for task, why in one.left_out]
    if as_json:
        data = {
            **_files(states, dry_run=dry_run, force=force),
            "left_out": [{"epic": epic, "task": task, "reason": why} for epic, task, why in left],
        }
        show_json("pm-import", data)
        return
    _show_files(states, force=force)
    show_table([["left out", f"{epic}/{task}", why] for epic, task, why in left])


def _files(states: Sequence[Outcome], *, dry_run: bool, force: bool) -> dict[str, Any]:
    rows = [
        {"path": one.path, "state": one.state, "written": _is_written(one, force=force)} for one in states
    ]
    return {"dry_run": dry_run, "files": rows}


def _is_written(one: Outcome, *, force: bool) -> bool:
    from wsbuild.planning.drafts import CHANGED, EDITED, NEW

    return one.state in {NEW, CHANGED} or (force and one.state == EDITED)


def _show_files(states: Sequence[Outcome], *, force: bool) -> None:
    for one in states:
        is_left = one.state == "edited" and not force
        note = ": it stays as somebody has edited it (--force writes over it)" if is_left else ""
        typer.echo(f"{one.state:<8} {printable(one.path)}{note}")


def export(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKSTREAM]...", help="Which (default: all).")
    ] = None,
    epic: Annotated[
        str, typer.Option("--epic", metavar="NAME", help="Put those that come from no epic into this one.")
    ] = "",
    layout: Annotated[
        str, typer.Option("--layout", help="claude (.claude/epics) or workspace (pm/workspace/epics).")
    ] = "claude",
    force: ForceOption = False,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the files of epics that are not there: what was imported as it was, all else as new tasks."""
    from wsbuild.planning.project.epics import LAYOUTS
    from wsbuild.planning.project.to_epics import state_of, to_epics, write

    chosen = next((one for one in LAYOUTS if one.name == layout), None)
    if chosen is None:
        raise UserError(f"--layout {layout!r} is none of {', '.join(one.name for one in LAYOUTS)}")
    root = project_root()
    workstreams = _chosen(root, targets or ())
    pages, problems = to_epics(root, workstreams, epic=epic, layout=chosen)
    if problems:
        raise ProblemsError(problems)
    states = [state_of(root, page) for page in pages] if dry_run else write(root, pages, force=force)
    for source in _edited(root, workstreams):
        line = f"{source} was edited: of what came from an epic, the epic is written as it was then"
        typer.echo(f"wsbuild: {printable(line)}", err=True)
    homeless = [ws.id for ws in workstreams if not ws.metadata.get("ccpm") and not epic]
    if as_json:
        show_json("pm-export", {**_files(states, dry_run=dry_run, force=force), "left_out": homeless})
        return
    _show_files(states, force=force)
    if homeless:
        typer.echo(f"{len(homeless)} come from no epic (--epic NAME puts them into one)")


def _edited(root: str, workstreams: Sequence[Workstream]) -> list[str]:
    """The bundle files of epics that somebody has changed since they were imported."""
    from wsbuild.planning.drafts import is_own

    sources = dict.fromkeys(ws.source for ws in workstreams if ws.metadata.get("ccpm"))
    found = []
    for source in sources:
        with open(os.path.join(root, source), encoding="utf-8", errors="replace") as file:
            found += [] if is_own(file.read()) else [source]
    return found


def _chosen(root: str, targets: Sequence[str]) -> list[Workstream]:
    """The workstreams that are named, or all, in the order of the plan. Raises ProblemsError."""
    from wsbuild.plan.select import select

    session = asking_session()
    try:
        words = [from_root(word, root) for word in targets]
        ids = [target.ws_id for target in select(session.plan, words)]
        order = [ws_id for ws_id in session.plan.ids if ws_id in set(ids)]
    finally:
        session.close()
    known = {ws.id: ws for ws in _declared(root).workstreams}
    return [known[ws_id] for ws_id in order if ws_id in known]


def status(
    names: EpicsArgument = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where something is to be written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the lines `status:` and `updated:` of tasks, and of epics, and no other byte."""
    from wsbuild.actions.outside import Outside
    from wsbuild.planning.project import statuses
    from wsbuild.planning.project.standing import standings

    root = project_root()
    epics = _epics(root, names or ())
    session = asking_session()
    outside = Outside(session)
    try:
        stood = standings(outside.moves())
    finally:
        outside.close()
        session.close()
    owned = statuses.owners(_declared(root).workstreams)
    changes, problems = statuses.status_changes(epics, stood, owned)
    if problems:
        raise ProblemsError(problems)
    if not check:
        statuses.write(root, changes)
    if as_json:
        rows = [_row(change) for change in changes]
        show_json("pm-status", {"check": check, "files": rows})
    else:
        _show_changes(changes, check=check)
    if check and any(change.state == statuses.WRITTEN for change in changes):
        raise typer.Exit(EXIT_FAILED)


def _row(change: Change) -> dict[str, str]:
    return {
        "path": change.file,
        "before": change.before,
        "after": change.after,
        "since": change.at,
        "state": change.state,
    }


def _show_changes(changes: Sequence[Change], *, check: bool) -> None:
    for change in changes:
        said = f"{printable(change.file)}: {printable(change.before) or 'no status'} -> {change.after}"
        if change.state == "newer":
            typer.echo(f"left     {said}, since {change.at}: it was changed after that")
        else:
            typer.echo(f"{'stale' if check else 'written':<8} {said}, since {change.at}")
    if not changes:
        typer.echo("all files say how their tasks stand")


def github(dry_run: DryOption = False, as_json: JsonOption = False) -> None:
    """Make issues for epics and tasks that have none, comment on changes of status, label, close, tick."""
    from wsbuild.doit_plugin.telling import Telling

    session = asking_session()
    telling = Telling(session)
    try:
        if dry_run:
            _show_pending(telling, as_json=as_json)
            return
        if not session.plan.config.github["enabled"]:
            hint = "write `github: {enabled: true, repository: owner/name}` into config/wsbuild.yaml"
            raise UserError("GitHub is not enabled", hint)
        report = telling.tell()
    finally:
        telling.close()
        session.close()
    if as_json:
        rows = [row._asdict() for row in report.rows]
        data = {"dry_run": False, "ended": report.ended, "message": report.message, "calls": report.calls}
        show_json("pm-github", {**data, "items": rows})
    else:
        for row in report.rows:
            number = f"#{row.issue}" if row.issue else ""
            typer.echo(f"{row.what:<9} {number:<6} {printable(f'{row.about}: {row.message}')}")
        if report.message:
            typer.echo(f"{report.ended}: {printable(report.message)}", err=True)
        typer.echo(f"{report.calls} requests" if report.calls else "nothing to say")
    if report.ended != "ok":
        raise typer.Exit(EXIT_FAILED)


def _show_pending(telling: Any, *, as_json: bool) -> None:
    rows = telling.pending()
    if as_json:
        data = {"dry_run": True, "ended": "ok", "message": "", "calls": 0}
        show_json("pm-github", {**data, "items": [row._asdict() for row in rows]})
        return
    for row in rows:
        number = f"#{row.issue}" if row.issue else "new"
        typer.echo(f"{row.what:<9} {number:<6} {printable(f'{row.about}: {row.message}')}".rstrip(": "))
    if not rows:
        typer.echo("nothing to say")
