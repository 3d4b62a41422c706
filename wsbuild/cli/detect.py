"""`wsbuild detect`: what linters and scanners find, from what is known already as far as possible."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild import config
from wsbuild.cli.common import JsonOption, from_root, project_root, show_json
from wsbuild.detectors.engine import ERROR, SKIPPED, Report
from wsbuild.detectors.project import open_project
from wsbuild.errors import EXIT_FAILED, UserError
from wsbuild.problems import describe

if TYPE_CHECKING:
    from wsbuild.detectors.finding import Finding

OnlyOption = Annotated[
    list[str] | None, typer.Option("--detector", "-d", metavar="ID", help="Only this one; may be repeated.")
]
PROCESSORS = os.cpu_count() or 1
JobsOption = Annotated[int, typer.Option("-j", "--jobs", min=1, help="Tools at a time.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("detect", help="Judge files by linters and scanners, and none of them twice.")(detect)


def detect(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files and directories (default: all).")
    ] = None,
    only: OnlyOption = None,
    jobs: JobsOption = PROCESSORS,
    as_list: Annotated[bool, typer.Option("--list", help="Only say which detectors there are.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Exit 0 where nothing is found, 1 where something is or a tool has failed."""
    root = project_root()
    settings, problems = config.load(root)
    with open_project(root, os.environ, settings) as project:
        if problems or project.problems:
            raise UserError("\n".join(map(describe, (*problems, *project.problems))))
        detectors = project.choose(only or [])
        if as_list:
            for one in detectors:
                typer.echo(f"{one.id:<20} {one.manifest.name}")
            return
        files = project.files([from_root(path, root) for path in paths or []])
        report = project.detect(detectors, files, jobs)
        if project.verdicts.warning:
            typer.echo(f"wsbuild: {project.verdicts.warning}", err=True)
    if as_json:
        show_json("detect", _as_json(report))
    else:
        _show(report)
    raise typer.Exit(EXIT_FAILED if report.findings or report.errors else 0)


def _as_json(report: Report) -> dict[str, Any]:
    told = report.detectors
    return {
        "counts": {
            "files": report.files,
            "findings": len(report.findings),
            "tool_calls": sum(one.calls for one in told),
            "from_cache": sum(one.cached for one in told),
            "skipped_detectors": sum(one.status == SKIPPED for one in told),
        },
        "detectors": [
            {"id": one.id, "status": one.status, "reason": one.reason, "version": one.version} for one in told
        ],
        "findings": [finding._asdict() for finding in report.findings],
        "errors": [{"detector": name, "path": path, "message": why} for name, path, why in report.errors],
    }


def _show(report: Report) -> None:
    by_path: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_path.setdefault(finding.path, []).append(finding)
    for path, findings in by_path.items():
        typer.echo(path)
        for one in findings:
            where = f"{one.line}:{one.column}" if one.line else "-"
            typer.echo(f"  {where:<9} {one.severity:<8} {one.message}  [{one.detector} {one.code}]")
    for name, path, why in report.errors:
        typer.echo(f"ERROR     {name}: {path or 'the project'} could not be judged: {why}")
    for told in report.detectors:
        if told.status == SKIPPED:
            typer.echo(f"skipped   {told.id}: {told.reason}")
    calls = sum(told.calls for told in report.detectors)
    failed = sum(told.status == ERROR for told in report.detectors)
    counts = (
        f"{_number(len(report.findings), 'finding')} in {len(by_path)} of {_number(report.files, 'file')}"
    )
    errors = f", {_number(failed, 'detector')} failed" if failed else ""
    typer.echo(f"{counts}; {_number(calls, 'tool call')}{errors}")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
