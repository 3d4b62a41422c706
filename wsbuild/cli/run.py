"""`wsbuild run`: the same engine as `doit run ws:X`, with its own options and JSON."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Annotated, Any

import typer

from wsbuild.actions.again import Again
from wsbuild.actions.session import Session
from wsbuild.actions.tally import NOT_DONE, Tally
from wsbuild.cli.common import JsonOption, asking_session, from_root, project_root, show_json
from wsbuild.cli.text import json_text
from wsbuild.doit_plugin.load import as_text
from wsbuild.doit_plugin.loader import run_doit
from wsbuild.doit_plugin.reporter import SilentReporter, StepReporter
from wsbuild.errors import EXIT_FAILED, EXIT_OK
from wsbuild.plan.select import select


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", help="Run what is stale of some workstreams (all of them without a name).")(run)


def run(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", help="Workstreams, steps, wildcards or owned files."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, run nothing.")] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Steps at a time.")] = 1,
    go_on: Annotated[
        bool,
        typer.Option("-c", "--continue", help="After a failure go on with what does not need it."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run steps even if they are up to date.")] = False,
    affected: Annotated[
        str,
        typer.Option("--affected", metavar="REV", help="Only what changed since a git revision."),
    ] = "",
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Exit 75 at once where another run holds the tree.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run what is stale; exit 1 when a step failed."""
    root = project_root()
    words = [from_root(word, root) for word in targets or []]
    if affected:
        words = _affected(words, affected)
        if not words:
            _nothing(f"nothing is affected since {affected}", as_json=as_json)
            return
    if dry_run or os.environ.get("PIPELINE_DRY_RUN", "") not in {"", "0"}:
        from wsbuild.cli.dry import dry

        dry(words, force=force, as_json=as_json)
        return
    again = None
    if not (force or affected):
        again = Again([os.getcwd(), *sys.argv[1:]])
    session = Session(root, os.environ, writing=True, again=again)
    if again is not None:
        again.render = partial(_as_json if as_json else as_text, session)
    session.wait = not no_wait
    select(session.plan, words)
    options = ["-n", str(jobs)] if jobs > 1 else []
    options += ["-c"] if go_on else []
    options += ["-a"] if force else []
    reporter = SilentReporter if as_json else StepReporter
    try:
        code = run_doit(["run", *options, *words], reporter=reporter, session=session)
    except SystemExit as ended:  # a signal: the record is closed, and the exit code says which
        code = int(ended.code or 0)
    if as_json:
        show_json("run", _result(session, code))
    if session.fatal:
        if as_json:
            raise session.fatal
        raise typer.Exit(session.fatal.exit_code)  # the reporter has said why
    failed = any(report.status in NOT_DONE for report in session.tally.reports)
    raise typer.Exit(EXIT_FAILED if failed and not session.ended_by else code)


def _as_json(session: Session) -> str:
    return json_text("run", _result(session, EXIT_OK))


def _affected(words: list[str], revision: str) -> list[str]:
    """Of what `words` name (or of all), the workstreams that changes since `revision` concern."""
    from wsbuild.cli.changes import affected_ids

    ids = affected_ids(project_root(), revision)
    wanted = {target.ws_id for target in select(asking_session().plan, words)}
    return [ws_id for ws_id in ids if ws_id in wanted]


def _nothing(text: str, *, as_json: bool) -> None:
    if as_json:
        tally = Tally()
        shown = {"counts": tally.counts(), "usage": tally.usage._asdict(), "rollback": [], "steps": []}
        show_json("run", {"run_id": None, "status": "succeeded", **shown})
    else:
        typer.echo(text)


def _result(session: Session, code: int) -> dict[str, Any]:
    counts = session.tally.counts()
    status = "succeeded" if code == EXIT_OK else "failed"
    if session.ended_by:
        status = "interrupted"
    return {
        "run_id": session.run_id,
        "status": status,
        "counts": counts,
        "usage": session.tally.usage._asdict(),
        "rollback": [undone._asdict() for undone in session.tally.undone],
        "steps": [
            {
                "task": report.task,
                "status": report.status,
                "reason": report.reason,
                "duration_s": round(report.duration_s, 6),
                "attempt": report.attempt,
            }
            for report in session.tally.reports
        ],
    }
