"""`wsbuild errors list`, `show` and `mark`: what detectors have found, and what became of it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from wsbuild.cli.common import JsonOption, LimitOption, SinceOption, from_root, project_root, show_json
from wsbuild.cli.since import since_time
from wsbuild.detectors import life
from wsbuild.errors import UserError
from wsbuild.statedir import database_path
from wsbuild.store import findings as store
from wsbuild.store.db import open_store
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from wsbuild.store.db import Connection

FingerprintArgument = Annotated[
    list[str], typer.Argument(metavar="FINGERPRINT...", help="As `list` shows it, or its beginning.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list", help="What detectors have found, the latest change first.")(list_findings)
    app.command("show", help="A finding, and what became of it.")(show)
    app.command("mark", help="Say what became of findings.")(mark)


@contextmanager
def _connection(writing: bool) -> Iterator[Connection]:
    opened = open_store(database_path(project_root(), os.environ), readonly=not writing)
    try:
        for warning in opened.warnings:
            typer.echo(f"wsbuild: {warning}", err=True)
        if writing:
            with opened.transaction() as conn:
                yield conn
        else:
            yield opened.connection()
    finally:
        opened.close()


def list_findings(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files and directories (default: all).")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="new, analyzed, fixed, verified (default: the first two)."),
    ] = None,
    detector: Annotated[
        list[str] | None, typer.Option("--detector", "-d", metavar="ID", help="Only of this one.")
    ] = None,
    severity: Annotated[list[str] | None, typer.Option("--severity", help="error, warning or info.")] = None,
    limit: LimitOption = 50,
    since: SinceOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show findings."""
    for word in state or ():
        if word not in life.STATES:
            raise UserError(f"--state {word!r} is none of {', '.join(life.STATES)}")
    root = project_root()
    places = [from_root(path, root).rstrip(os.sep) for path in paths or ()]
    wanted = store.Wanted(
        tuple(state or (life.NEW, life.ANALYZED)),
        tuple(detector or ()),
        tuple(severity or ()),
        () if os.curdir in places else places,
        since_time(since),
        limit,
    )
    with _connection(writing=False) as conn:
        rows = store.find(conn, wanted)
    if as_json:
        show_json("findings", {"items": [_public(row) for row in rows]})
        return
    for row in rows:
        typer.echo(_line(row))


def show(
    fingerprint: Annotated[str, typer.Argument(help="As `list` shows it, or its beginning.")],
    as_json: JsonOption = False,
) -> None:
    """Show a finding."""
    with _connection(writing=False) as conn:
        row = life.one(conn, fingerprint)
        changes = store.changes_of(conn, row["finding_id"])
    if as_json:
        show_json("finding", {"finding": _public(row), "changes": changes})
        return
    typer.echo(_line(row))
    if row["url"]:
        typer.echo(f"  {printable(row['url'])}")
    for one in changes:
        note = f": {printable(one['note'])}" if one["note"] else ""
        typer.echo(f"  {one['at'][:19]}Z  {one['state_after']} (by {one['changed_by']}){note}")


def mark(
    fingerprints: FingerprintArgument,
    after: Annotated[str, typer.Option("--as", metavar="STATE", help="analyzed or fixed.")],
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
) -> None:
    """Mark findings: all of them, or none where one cannot be."""
    if after not in life.STATES:
        raise UserError(f"--as {after!r} is none of {', '.join(life.STATES)}")
    with _connection(writing=True) as conn:
        rows = life.mark(conn, fingerprints, after, note, life.now())
    for row in rows:
        typer.echo(_line({**row, "state": after}))


def _line(row: dict[str, Any]) -> str:
    where = f"{row['path']}:{row['line']}:{row['column']}" if row["line"] else row["path"]
    said = f"{row['fingerprint']} {row['state']:<8} {where} {row['severity']}: {row['message']}"
    return printable(f"{said}  [{row['detector']} {row['code']}]").replace("\n", "\\n")


def _public(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "finding_id"}
