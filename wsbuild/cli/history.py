"""`wsbuild runs`, `errors`, `events` and `log`: what was recorded."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cli.common import (
    JsonOption,
    LimitOption,
    SinceOption,
    asking_session,
    from_root,
    project_root,
    show_json,
    show_table,
)
from wsbuild.cli.findings import register as add_findings
from wsbuild.cli.since import since_time
from wsbuild.errors import UserError
from wsbuild.plan.order import just
from wsbuild.plan.select import select
from wsbuild.statedir import database_path
from wsbuild.store import history
from wsbuild.store.db import open_store
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.store.db import Connection

RunOption = Annotated[str, typer.Option("--run-id", metavar="RUN", help="Only of this run.")]
WsOption = Annotated[str, typer.Option("--ws", metavar="ID", help="Only of this workstream.")]

errors_app = typer.Typer(
    help="The distinct errors of steps, last seen first, with their counts; and what detectors have found."
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs", help="The runs, newest first.")(runs)
    app.add_typer(errors_app, name="errors")
    add_findings(errors_app)
    app.command("events", help="What happened, newest first.")(events)
    app.command("log", help="What a step printed when it last ran.")(log)


@contextmanager
def _connection() -> Iterator[Connection]:
    store = open_store(database_path(project_root(), os.environ), readonly=True)
    try:
        for warning in store.warnings:
            typer.echo(f"wsbuild: {warning}", err=True)
        yield store.connection()
    finally:
        store.close()


def _wanted(limit: int, since: str, run_id: str, ws: str) -> history.Wanted:
    ws_id = "ws-" + ws.removeprefix("ws:").removeprefix("ws-") if ws else ""
    return history.Wanted(limit, since_time(since), run_id, ws_id)


def runs(
    limit: LimitOption = 20,
    since: SinceOption = "",
    run_id: RunOption = "",
    ws: WsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show runs."""
    with _connection() as conn:
        rows = history.runs(conn, _wanted(limit, since, run_id, ws))
    if as_json:
        show_json("runs", {"items": rows})
        return
    show_table(
        [[row["run_id"], row["status"], _seconds(row["duration_s"]), _counts(row["counts"])] for row in rows]
    )


@errors_app.callback(invoke_without_command=True)
def errors(
    context: typer.Context,
    limit: LimitOption = 20,
    since: SinceOption = "",
    run_id: RunOption = "",
    ws: WsOption = "",
    as_json: JsonOption = False,
) -> None:
    """The distinct errors of steps, last seen first, with their counts; and what detectors have found."""
    if context.invoked_subcommand:
        return
    with _connection() as conn:
        rows = history.errors(conn, _wanted(limit, since, run_id, ws))
    if as_json:
        show_json("errors", {"items": rows})
        return
    for row in rows:
        times = "once" if row["count"] == 1 else f"{row['count']} times"
        typer.echo(
            f"{row['ws_id']} {row['step']}: {row['message']} ({times}, last {row['last_seen_at'][:19]}Z)"
        )
        for line in row["context"].get("output", "").rstrip().splitlines()[-3:]:
            typer.echo("    " + "".join(c if c.isprintable() else "?" for c in line))
        if row["context"].get("log"):
            typer.echo(f"    log: {row['context']['log']}")


def events(
    limit: LimitOption = 50,
    since: SinceOption = "",
    run_id: RunOption = "",
    ws: WsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show events."""
    with _connection() as conn:
        rows = history.events(conn, _wanted(limit, since, run_id, ws))
    if as_json:
        show_json("events", {"items": rows})
        return
    show_table(
        [
            [
                row["at"][:23] + "Z",
                ":".join(filter(None, [row["ws_id"], row["step"]])),
                row["type"],
                _payload(row["payload"]),
            ]
            for row in rows
        ]
    )


def log(
    target: Annotated[
        str, typer.Argument(metavar="TASK", help="A step, or a workstream for its last attempt.")
    ],
    attempt: Annotated[int, typer.Option("--attempt", min=0, help="The step's attempt of this number.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show the log of an attempt."""
    session = asking_session()
    try:
        chosen = just(session.plan, select(session.plan, [from_root(target, session.root)]))
        tasks = [session.plan[ws_id].step_task(name) for ws_id, names in chosen.items() for name in names]
        rows = history.attempts(session.store.connection(), tasks, 1000 if attempt else 50)
    finally:
        session.close()
    if as_json:
        show_json("log", {"items": rows})
        return
    found = [row for row in rows if attempt in {0, row["number"]}]
    if not found:
        raise UserError(f"{target} has no such attempt", "`wsbuild status` shows what has run")
    row = found[0]
    ended = "cached" if row["cached"] else f"{row['status']} ({_seconds(row['duration_s'])})"
    typer.echo(f"{row['task']} attempt {row['number']}: {ended} {row['message']}".rstrip())
    _show_log(session.root, row["log_path"])


def _show_log(root: str, path: str) -> None:
    if not path:
        return
    try:
        with open(os.path.join(root, path), "rb") as file:
            text = file.read().decode("utf-8", "backslashreplace")
    except OSError:
        typer.echo("(the step printed nothing, or its log is gone)")
        return
    typer.echo(printable(text), nl=False)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)


def _payload(payload: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in payload.items() if value not in ("", [], None))[:120]
