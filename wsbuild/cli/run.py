"""`wsbuild run`: the same engine as `doit run ws:X`, with its own options and JSON."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from wsbuild.actions.tally import Tally
from wsbuild.cli.common import JsonOption, asking_session, from_root, project_root, show_json
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
    from wsbuild.actions.again import Again
    from wsbuild.cli import running

    request = running.RunRequest(tuple(words), jobs, go_on, force, no_wait, as_json)
    again = None if force or affected else Again([os.getcwd(), *sys.argv[1:]])
    raise typer.Exit(running.run(request, root, os.environ, again))


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
