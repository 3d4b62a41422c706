"""`wsbuild gc`: how much earlier runs left behind, and less of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from wsbuild.actions import leftovers
from wsbuild.actions.record import Recorder
from wsbuild.actions.session import Session
from wsbuild.cli.common import JsonOption, project_root, show_json, show_table
from wsbuild.cli.units import read_age, shown_size

if TYPE_CHECKING:
    from wsbuild.actions.leftovers import Leftover


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("gc", help="Remove what earlier runs left behind: worktrees, logs, prompts.")(gc)


def gc(
    max_age: Annotated[
        str, typer.Option("--max-age", metavar="AGE", help="Leave what is younger than this: 30d, 12h.")
    ] = "30d",
    work: Annotated[
        bool,
        typer.Option("--work", help="Also work that is nowhere else: quarantine, moved aside, rescued."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what is old, and worktrees of workstreams that are gone; their work is rescued before."""
    age_s = read_age(max_age)

    def goes(one: Leftover) -> bool:
        return (one.age_s > age_s or not one.needed) and (work or one.kind not in leftovers.WORK)

    session = Session(project_root(), os.environ, writing=not dry_run)
    recorder = Recorder(session)
    try:
        if not dry_run:
            recorder.hold_tree()
        rows = [(one, goes(one)) for one in leftovers.leftovers(session)]
        if not dry_run:
            _remove(session, [one for one, is_going in rows if is_going])
    finally:
        recorder.release()
        session.close()
    _tell(rows, dry_run=dry_run, as_json=as_json)


def _remove(session: Session, going: list[Leftover]) -> None:
    for one in going:
        if told := leftovers.remove(session, one):
            session.warn(told)


def _tell(rows: list[tuple[Leftover, bool]], *, dry_run: bool, as_json: bool) -> None:
    going = sum(one.bytes for one, gone in rows if gone)
    left = sum(one.bytes for one, gone in rows if not gone)
    if as_json:
        items = [
            {
                "kind": one.kind,
                "name": one.name,
                "bytes": one.bytes,
                "age_s": round(one.age_s),
                "goes": gone,
            }
            for one, gone in rows
        ]
        data = {"dry_run": dry_run, "bytes": going, "left_bytes": left, "items": items}
        show_json("gc", data)
        return
    word = "would go" if dry_run else "removed"
    show_table([[one.kind, shown_size(one.bytes), word if gone else "", one.name] for one, gone in rows])
    count = sum(gone for _, gone in rows)
    typer.echo(f"{word}: {count} of {len(rows)}, {shown_size(going)}; {shown_size(left)} left")
