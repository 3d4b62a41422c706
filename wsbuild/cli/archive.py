"""`wsbuild archive`: put workstreams that are done away with their reports, and bring them back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild import __version__
from wsbuild.actions.record import Recorder
from wsbuild.actions.session import Session
from wsbuild.cli.ask import statuses
from wsbuild.cli.common import JsonOption, from_root, project_root, show_json, show_table
from wsbuild.cli.units import shown_size
from wsbuild.errors import EXIT_FAILED, UserError
from wsbuild.plan.select import select
from wsbuild.statedir import STATE
from wsbuild.store import history
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.plan.records import WorkstreamPlan
    from wsbuild.planning.archive.contents import Report, Stamp
    from wsbuild.planning.archive.restoring import Change
    from wsbuild.planning.archive.storing import Foreseen, Refused, Stored, Where

VARIABLE = "SOURCE_DATE_EPOCH"
ALL = 10**9
"""Rows: all that there are."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("archive", help="Put workstreams that are done away, with their reports; or bring one back.")(
        archive
    )


def archive(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKSTREAM]...", help="What to archive (default: all that is done)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also what is not done: it is given up.")] = False,
    to: Annotated[
        str, typer.Option("--to", metavar="DIR", help="Where to (default: as the settings say).")
    ] = "",
    restore: Annotated[
        str, typer.Option("--restore", metavar="FILE|ID", help="Bring an archive back, or a workstream.")
    ] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show what is archived.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Exit 1 where one that was named, or is done, cannot be archived."""
    if (listed and (targets or restore)) or (restore and (targets or force or to)):
        raise typer.BadParameter("--list and --restore go with no workstreams and no --force or --to")
    if force and not targets:
        raise typer.BadParameter("--force needs the names of the workstreams that are given up")
    if listed:
        _list(as_json=as_json)
    elif restore:
        _restore(restore, dry_run=dry_run, as_json=as_json)
    else:
        _archive(targets or [], to, force=force, dry_run=dry_run, as_json=as_json)


def _where(root: str, to: str = "") -> Where:
    from wsbuild.plan import archived
    from wsbuild.planning.archive.storing import Where
    from wsbuild.specdir import workstream_dir

    shelf = archived.folder_of(root)
    return Where(root, workstream_dir(root, os.environ), os.path.abspath(to) if to else shelf, shelf)


def _archive(words: Sequence[str], to: str, *, force: bool, dry_run: bool, as_json: bool) -> None:
    from wsbuild.planning.archive.storing import Refused, foresee, store

    root = project_root()
    session = Session(root, os.environ, writing=not dry_run)
    recorder = Recorder(session)
    try:
        if not dry_run:
            recorder.hold_tree()
        chosen = select(session.plan, [from_root(word, root) for word in words])
        ids = list(dict.fromkeys(target.ws_id for target in chosen))
        told = {row["id"]: row for row in statuses(session, session.plan.closure(ids))}
        lacking = _lacking(session, told)
        lacks = {ws_id: lacking[ws_id] for ws_id in ids}
        wanted = [told[ws_id] for ws_id in ids if force or not lacks[ws_id]]
        reports = [_report(session, session.plan[row["id"]], row, lacks[row["id"]]) for row in wanted]
        where, stamp = _where(root, to), _stamp(session)
        done: Foreseen | Stored = foresee(where, reports) if dry_run else store(where, reports, stamp)
    finally:
        recorder.release()
        session.close()
    left = (
        []
        if force
        else [Refused(ws_id, why, "`wsbuild run` it first") for ws_id, why in lacks.items() if why]
    )
    refused = [*(left if words else []), *done.refused]
    _tell(_outcome(done, dry_run=dry_run), refused, left, as_json=as_json)
    if refused:
        raise typer.Exit(EXIT_FAILED)


def _lacking(session: Session, told: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What is not done of workstreams, each behind those that it depends on; '' where all is."""
    found: dict[str, str] = {}
    for ws_id, row in told.items():
        ws = session.plan[ws_id]
        # What could be restored is taken as restored for those behind it: as files are, they are not done.
        behind = [dep for dep in ws.depends_on if found[dep]]
        why = f"it depends on {behind[0]}, which is not done" if behind else ""
        found[ws_id] = why or _lacks(session, ws, row)
    return found


def _lacks(session: Session, ws: WorkstreamPlan, row: Mapping[str, Any]) -> str:
    for step in row["steps"]:
        if not step["fresh"]:
            return f"{step['name']} is not up to date: {step['reason'] or 'never run'}"
    if ws.land == "branch" and session.git is not None and not session.stacks.is_merged(ws.id):
        return f"its branch wsbuild/{ws.id} is not merged"
    return ""


def _report(session: Session, ws: WorkstreamPlan, row: Mapping[str, Any], why: str) -> Report:
    from wsbuild.planning.archive.contents import Report

    conn = session.store.connection()
    tasks = {step.name: ws.step_task(step.name) for step in ws.steps}
    attempts = history.attempts(conn, list(tasks.values()), ALL)
    of_it = history.Wanted(ALL, ws_id=ws.id)
    last = {each["step"]: each for each in reversed(attempts)}
    rows = {
        "attempts": attempts,
        "errors": history.errors(conn, of_it),
        "events": history.events(conn, of_it),
    }
    redactor = session.redactor
    return Report(
        id=ws.id,
        source=os.path.basename(ws.source),
        why=redactor.text(why),
        result=session.freshness.whole_result(ws),
        depends_on=(*ws.depends_on, *ws.archived),
        steps=redactor.all(row["steps"]),
        last=redactor.all([last[step] for step in sorted(last)]),
        rows=redactor.all(rows),
        logs={step: redactor.data(log) for step in sorted(last) if (log := _log(session, last[step]))},
    )


def _log(session: Session, attempt: Mapping[str, Any]) -> bytes:
    try:
        with open(os.path.join(session.root, attempt["log_path"] or STATE), "rb") as file:
            return file.read()
    except OSError:
        return b""


def _stamp(session: Session) -> Stamp:
    from wsbuild.planning.archive.contents import Stamp

    given = os.environ.get(VARIABLE, "")
    try:
        at = datetime.fromtimestamp(int(given), UTC) if given else datetime.now(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UserError(f"{VARIABLE} is {given!r}, which is no time", "give seconds since 1970") from error
    head = session.stacks.tops.head if session.git is not None else ""
    return Stamp(at.strftime("%Y-%m-%dT%H:%M:%SZ"), __version__, head or "")


def _outcome(done: Foreseen | Stored, *, dry_run: bool) -> dict[str, Any]:
    from wsbuild.planning.archive.storing import Stored

    if isinstance(done, Stored):
        return {"dry_run": dry_run, "file": done.file, "archived": done.ids, "finished": done.finished}
    new, known = ([report.id for report in each] for each in (done.new, done.known))
    return {"dry_run": dry_run, "file": "", "archived": sorted(new), "finished": sorted(known)}


def _tell(
    outcome: Mapping[str, Any], refused: Sequence[Refused], left: Sequence[Refused], *, as_json: bool
) -> None:
    if as_json:
        rows = {"refused": [one._asdict() for one in refused], "left": [one._asdict() for one in left]}
        show_json("archive", {**outcome, **rows})
        return
    to = f" to {outcome['file']}" if outcome["file"] else ""
    for ws_id in outcome["archived"]:
        typer.echo(f"{'would archive' if outcome['dry_run'] else 'archived'} {ws_id}{to}")
    for ws_id in outcome["finished"]:
        typer.echo(f"{ws_id} was in an archive already: taken out of its bundle file")
    for one in refused:
        typer.echo(f"not archived: {one.id}: {printable(one.reason)}\n  help: {one.hint}", err=True)
    if not (outcome["archived"] or outcome["finished"] or refused):
        typer.echo("nothing is done that could be archived")
    if rest := len({one.id for one in left} - {one.id for one in refused}):
        typer.echo(f"{rest} workstream{'s are' if rest > 1 else ' is'} not done: wsbuild status")


def _restore(word: str, *, dry_run: bool, as_json: bool) -> None:
    from wsbuild.atomic import FileLock
    from wsbuild.plan import archived
    from wsbuild.planning.archive import restoring
    from wsbuild.planning.archive.opening import open_archive
    from wsbuild.statedir import LOCK, make_dir

    root = project_root()
    where = _where(root)
    lock = FileLock(os.path.join(root, LOCK), "wsbuild archive --restore")
    if not dry_run:
        make_dir(root, STATE)
        lock.acquire(on_wait=partial(typer.echo, err=True))
    try:
        ids: list[str] = []
        if word.endswith(".zip") or os.path.isfile(word):
            path = os.path.abspath(word)
        else:
            ids = ["ws-" + word.removeprefix("ws:").removeprefix("ws-")]
            path = restoring.find(root, archived.read(root, where.shelf), ids[0])
        opened = open_archive(path)
        changes = restoring.foresee(opened, ids, where.workstreams, _declared(root))
        file = archived.path_from(root, path)
        if not dry_run:
            restoring.restore(where, file, changes)
    finally:
        lock.release()
    _tell_restored(file, changes, dry_run=dry_run, as_json=as_json)


def _declared(root: str) -> dict[str, str]:
    from wsbuild import bundle

    return {ws.id: os.path.basename(ws.source) for ws in bundle.load(root, os.environ).workstreams}


def _tell_restored(file: str, changes: Sequence[Change], *, dry_run: bool, as_json: bool) -> None:
    restored = [ws_id for change in changes for ws_id in change.ids]
    there = [ws_id for change in changes for ws_id in change.there]
    if as_json:
        data = {"dry_run": dry_run, "file": file, "restored": restored, "there": there}
        show_json("archive-restore", data)
        return
    for change in changes:
        for ws_id in change.ids:
            typer.echo(f"{'would restore' if dry_run else 'restored'} {ws_id} to {change.name}")
        for ws_id in change.there:
            typer.echo(f"{ws_id} is in {change.name} already")


def _list(*, as_json: bool) -> None:
    from wsbuild.plan import archived

    root = project_root()
    archives = archived.read(root, archived.folder_of(root))
    if as_json:
        rows = [
            {**each._asdict(), "workstreams": [one._asdict() for one in each.workstreams]}
            for each in archives
        ]
        show_json("archive-list", {"archives": rows})
        return
    for each in archives:
        typer.echo(f"{each.at}  {each.file}  {shown_size(each.size)}")
        show_table(
            [
                [f"  {one.id}", "done" if one.done else "given up", "restored since" if one.restored else ""]
                for one in each.workstreams
            ]
        )
    if not archives:
        typer.echo("nothing is archived")
