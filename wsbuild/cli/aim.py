"""`wsbuild aim`: which tool serves what, asking one, and what was asked before."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cli.common import JsonOption, LimitOption, SinceOption, project_root, show_json, show_table
from wsbuild.cli.since import since_time
from wsbuild.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, UserError
from wsbuild.tools.output import printable
from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from wsbuild.aim.routing import Routed

aim_app = typer.Typer(help="Which tool serves a capability: asking it, and what was asked before.")

COLUMNS = ("timestamp", "tool_id", "capability", "success", "state", "message", "workstream", "path")
SHOWN_PAYLOAD = 60


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(aim_app, name="aim")
    aim_app.command("status", help="The tools, and which of them serves what, and why.")(status)
    aim_app.command("route", help="Have a capability served.")(route)
    aim_app.command("audit", help="What was asked before, newest first.")(audit)
    aim_app.command("prune", help="Remove old entries of the audit trail.")(prune)
    aim_app.command("init", help="Write a registry and rules of your own, to be changed.")(init)


def status(as_json: JsonOption = False) -> None:
    """Show what there is; no tool is started but to ask its version."""
    from wsbuild.aim.opening import opened
    from wsbuild.aim.overview import capabilities, tools

    with opened(project_root(), os.environ) as aim:
        rows, served = tools(aim), capabilities(aim)
    if as_json:
        data = {
            "enabled": not aim.known.off,
            "registry": aim.known.folder,
            "why_off": aim.known.off,
            "tools": [row._asdict() for row in rows],
            "capabilities": [row._asdict() for row in served],
        }
        show_json("aim-status", data)
        return
    typer.echo(f"registry  {aim.known.folder or 'none: ' + aim.known.off}\n")
    show_table([[row.id, row.version or "no version told", row.path] for row in rows if row.found])
    show_table([[row.id, "missing", row.install] for row in rows if not row.found])
    typer.echo("")
    show_table([[row.name, row.served_by or "nobody", row.why] for row in served])


def route(
    capability: Annotated[str, typer.Argument(metavar="CAPABILITY", help="What is wanted.")],
    payload: Annotated[
        str, typer.Option("--payload", metavar="FILE", help="What it is about, as JSON (-: standard input).")
    ] = "",
    home: Annotated[
        str, typer.Option("--home", metavar="DIR", help="The project that this directory is a copy of.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Exit 0 where a tool has served it, 1 where none has or what it checked is not all right."""
    from wsbuild.aim.opening import opened

    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    given = _payload(payload)
    here = os.path.realpath(os.getcwd())
    root = os.path.realpath(home) if home else project_root()
    with opened(root, os.environ) as aim:
        if aim.known.off:
            typer.echo(f"wsbuild: {aim.known.off}: a tool profile is used directly", err=True)
        shown = aim.redactor
        tell = None if as_json else lambda line: typer.echo(f"aim: {printable(shown.text(line))}", err=True)
        routed = aim.router(here if home else root, tell).route(capability, given)
        aim.keep_tidy()
    if as_json:
        show_json("aim-route", shown.all(_row(routed)))
    else:
        typer.echo(shown.text(_text(routed)), nl=False)
    raise typer.Exit(EXIT_OK if routed.passed else EXIT_FAILED)


def _stop(signum: int, _: object) -> None:
    raise SystemExit(128 + signum if signum else EXIT_INTERRUPTED)


def _payload(file: str) -> dict[str, Any]:
    """What a file holds. Raises UserError for what is no payload."""
    if not file:
        return {}
    try:
        if file == "-":
            text = sys.stdin.read()
        else:
            with open(file, encoding="utf-8") as source:
                text = source.read()
        data = json.loads(text)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "name a file of JSON") from error
    except ValueError as error:
        raise UserError(f"{file} is no JSON: {error}", 'write {"files": ["a.py"]}') from error
    if not isinstance(data, dict):
        raise UserError(f"{file} holds no object", 'write {"files": ["a.py"]}')
    return data


def _row(routed: Routed) -> dict[str, Any]:
    attempts = [
        {
            "tool_id": one.tool,
            "state": one.state,
            "try": one.number,
            "message": one.message,
            "error_reason": one.reason,
            "duration_s": round(one.duration_s, 3),
            "note": one.note,
        }
        for one in routed.attempts
    ]
    return {
        "capability": routed.capability,
        "success": routed.success,
        "message": routed.message,
        "content": dict(routed.content),
        "tool_id": routed.tool_id,
        "attempts": attempts,
        "audits": routed.audits,
    }


def _text(routed: Routed) -> str:
    """What became of it: what the tool said, indented, and then lines that can be told from that."""
    lines = [f"  {printable(line)}" for line in str(routed.content.get("stdout", "")).splitlines()]
    for one in routed.content.get("findings", ()):
        place = f"{one['path']}:{one['line']}:{one['column']}"
        lines.append(f"  {printable(place)} {printable(one['message'])} [{printable(one['code'])}]")
    if (usage := routed.usage) != Usage():
        lines.append(f"aim: used {usage}")
    if (until := routed.limited_until) is not None:
        lines.append(f"aim: limited until {until:.0f}")
    served = f"served by {routed.tool_id}: " if routed.success else ""
    lines.append(f"aim: {routed.capability}: {served}{printable(routed.message)}")
    return "".join(f"{line}\n" for line in lines)


def audit(
    tool: Annotated[str, typer.Option("--tool", metavar="ID", help="Only of this tool.")] = "",
    capability: Annotated[str, typer.Option("--capability", help="Only of this capability.")] = "",
    since: SinceOption = "",
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="Only before then.")] = "",
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="Only what succeeded, or what did not.")
    ] = None,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values with a header.")] = False,
) -> None:
    """Show the audit trail."""
    from wsbuild.aim.query import Wanted, matching

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    wanted = Wanted(tool, capability, since_time(since), since_time(until), success)
    unreadable: list[str] = []
    found = matching(project_root(), wanted, limit, unreadable)
    for line in unreadable:
        typer.echo(f"wsbuild: skipped {printable(line)}", err=True)
    if as_json:
        show_json("aim-audit", {"items": [{"path": one.path, **one.data} for one in found]})
        return
    rows = [_columns(one.path, one.data) for one in found]
    if as_csv:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])
        typer.echo(out.getvalue(), nl=False)
        return
    show_table([[row[0], row[1] or "-", row[2], row[4], printable(row[5])[:SHOWN_PAYLOAD]] for row in rows])


def _columns(path: str, data: dict[str, Any]) -> list[str]:
    result = data["result"] or {"success": "", "state": "running", "message": ""}
    told = [str(result["success"]).lower(), result["state"], result["message"]]
    return [data["timestamp"], data["tool_id"], data["capability"], *told, data["workstream"], path]


def prune(
    days: Annotated[
        int | None, typer.Option("--days", min=0, help="Keep what is younger (default: as the settings say).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove entries that are older than they are kept."""
    from wsbuild.aim import settings
    from wsbuild.aim.audit import prune as prune_entries
    from wsbuild.problems import ProblemsError

    root = project_root()
    known, problems = settings.load(root)
    if problems:
        raise ProblemsError(problems)
    age = known.audit_log_retention_days if days is None else days
    gone = prune_entries(root, age, dry_run=dry_run)
    if as_json:
        show_json("aim-prune", {"dry_run": dry_run, "days": age, "entries": gone})
        return
    word = "would go" if dry_run else "removed"
    typer.echo(f"{word}: {len(gone)} entr{'y' if len(gone) == 1 else 'ies'} older than {age} days")


def init() -> None:
    """Write what comes with wsbuild to `aim/registry/`."""
    from wsbuild.aim.scaffold import make

    typer.echo("".join(f"{path}\n" for path in make(project_root())) + "see it: wsbuild aim status")
