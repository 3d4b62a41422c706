"""`wsbuild approve`: let workstreams run that somebody has to agree to."""

from __future__ import annotations

import getpass
import os
from typing import Annotated

import typer

from wsbuild.actions import approval
from wsbuild.actions.record import Recorder
from wsbuild.actions.session import Session
from wsbuild.cli.common import JsonOption, asking_session, from_root, project_root, show_json, show_table
from wsbuild.plan.select import select


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("approve", help="Approve workstreams as they are now; without any, show what waits.")(approve)


def approve(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKSTREAM]...", help="What to approve.")
    ] = None,
    level: Annotated[
        int | None, typer.Option("--level", min=1, help="Up to this level (default: what each needs).")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="A word for the record.")] = "",
    revoke: Annotated[bool, typer.Option("--revoke", help="Take an approval back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Record who approves what; it holds until the definition of the workstream changes."""
    if not targets:
        _show(as_json=as_json)
        return
    session = Session(project_root(), os.environ, writing=True)
    recorder = Recorder(session)
    try:
        words = [from_root(word, session.root) for word in targets]
        chosen = dict.fromkeys(target.ws_id for target in select(session.plan, words))
        for ws_id in chosen:
            ws = session.plan[ws_id]
            if revoke:
                recorder.revoke(ws_id)
            else:
                recorder.approve(ws, level or ws.gate, getpass.getuser(), note)
    finally:
        recorder.release()
        session.close()
    _show(as_json=as_json)


def _show(*, as_json: bool) -> None:
    """What is not approved."""
    session = asking_session()
    try:
        waiting = {row.id: approval.missing(session, session.plan[row.id]) for row in session.plan.summaries}
    finally:
        session.close()
    rows = [[ws_id, why] for ws_id, why in waiting.items() if why]
    if as_json:
        show_json("approve", {"waiting": [{"id": ws_id, "reason": why} for ws_id, why in rows]})
        return
    show_table(rows)
    typer.echo(f"{len(rows)} of {len(waiting)} workstreams wait for approval")
