"""`wsbuild rollback`: undo workstreams by their compensation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from wsbuild.actions.interrupt import install
from wsbuild.actions.record import Recorder
from wsbuild.actions.rollback import LEFT, roll_back, undos
from wsbuild.actions.session import Session
from wsbuild.cli.common import JsonOption, from_root, project_root, show_json
from wsbuild.errors import EXIT_FAILED
from wsbuild.plan.select import select
from wsbuild.tools.process import shutdown

if TYPE_CHECKING:
    from wsbuild.actions.tally import Undone


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rollback", help="Undo workstreams: run their compensation_actions, last first.")(rollback)


def rollback(
    targets: Annotated[list[str], typer.Argument(metavar="WORKSTREAM...", help="What to undo.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Dependents before what they depend on; stop at the first failure, and go on there when run again."""
    session = Session(project_root(), os.environ, writing=not dry_run)
    recorder = Recorder(session)
    told: list[Undone] = []
    is_done = True
    try:
        words = [from_root(word, session.root) for word in targets]
        wanted = {target.ws_id for target in select(session.plan, words)}
        order = [row.id for row in session.plan.summaries if row.id in wanted]

        def tell(undone: Undone) -> None:
            told.append(undone)
            if not as_json:
                typer.echo("\n".join(undone.lines()))

        if not dry_run:
            session.chosen = {ws_id: [] for ws_id in order}
            recorder.hold_tree()
            install(session)
        for ws_id in reversed(order):
            ws = session.plan[ws_id]
            if dry_run:
                for undo in undos(session, ws):
                    tell(undo.ended(ws, LEFT))
            elif is_done:
                is_done = roll_back(session, recorder, ws, tell)
        if not dry_run:
            recorder.finish()
    finally:
        shutdown()
        recorder.release()
        session.close()
    if as_json:
        show_json("rollback", {"done": is_done and not dry_run, "actions": [each._asdict() for each in told]})
    if session.ended_by:
        raise typer.Exit(128 + session.ended_by)
    if not is_done:
        raise typer.Exit(EXIT_FAILED)
