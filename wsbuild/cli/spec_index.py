"""`wsbuild spec index`, `resolve` and `guard`: ids of paragraphs, what they mean, whether they are right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from wsbuild.cli.common import JsonOption, project_root, project_settings, show_json
from wsbuild.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from wsbuild.problems import describe
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from wsbuild.planning.specs.index import Places, Plan

SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="DIR", help="A directory of specifications (default: as set)."),
]
OutputOption = Annotated[
    str, typer.Option("--output", metavar="FILE", help="The index of ids (default: docs/index.json).")
]
SuiteOption = Annotated[
    str,
    typer.Option(
        "--suite-index-out",
        metavar="FILE",
        help="The suite of volumes and sections (default: docs/.index/suite-index.yaml).",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("index", help="Write the ids of paragraphs to sidecars, and the indexes of them.")(index)
    app.command("resolve", help="Where a reference to a specification leads.")(resolve)
    app.command("guard", help="Check that specifications, sidecars and indexes agree.")(guard)


def index(
    source: SourceOption = None,
    output: OutputOption = "",
    suite_index_out: SuiteOption = "",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where something would be written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Exit 0 when all is written, 2 where a page or sidecar cannot be used: then nothing is."""
    from wsbuild.planning.specs.index import plan, write

    root = project_root()
    planned = plan(root, _places(root, source or [], output, suite_index_out))
    if not check:
        write(root, planned)
    for note in planned.notes:
        typer.echo(f"wsbuild: {printable(describe(note))}", err=True)
    if as_json:
        changes = [{"path": one.path, "state": one.state} for one in planned.changes]
        counts = {"pages": len(planned.sidecars), "paragraphs": planned.paragraphs}
        notes = [note._asdict() for note in planned.notes]
        data = {"check": check, **counts, "new_ids": planned.new_ids, "changes": changes, "notes": notes}
        show_json("spec-index", data)
    else:
        _show(planned, check)
    raise typer.Exit(EXIT_FAILED if check and planned.changes else EXIT_OK)


def resolve(
    reference: Annotated[
        str, typer.Argument(metavar="REFERENCE", help="spec://VOLUME/SECTION[#p-N] or specid://ID.")
    ],
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the file, the lines and the text of what is referred to."""
    from wsbuild.planning.specs.resolve import resolve as find

    root = project_root()
    target = find(root, _places(root, source or []), reference)
    if as_json:
        show_json("spec-resolve", target._asdict())
        return
    typer.echo(f"{target.file}:{target.start_line}-{target.end_line}")
    typer.echo(printable(target.text))
    if target.stale:
        told = f"{target.file} has changed since it was indexed: run `wsbuild spec index`"
        typer.echo(f"wsbuild: {told}", err=True)


def guard(
    source: SourceOption = None,
    output: OutputOption = "",
    suite_index_out: SuiteOption = "",
    as_json: JsonOption = False,
) -> None:
    """Exit 0 where all agree, 1 where something does not, 2 where something cannot be used."""
    from wsbuild.planning.specs.guard import guard as judge

    root = project_root()
    verdict = judge(root, _places(root, source or [], output, suite_index_out))
    problems = [*verdict.broken, *verdict.drift]
    if as_json:
        rows = [problem._asdict() for problem in problems]
        show_json("spec-guard", {"ok": not problems, "pages": verdict.pages, "problems": rows})
    else:
        for problem in problems:
            typer.echo(printable(describe(problem)), err=True)
        count = len(problems)
        typer.echo(f"{_count(verdict.pages, 'page')}, {_count(count, 'problem') if count else 'no problems'}")
    raise typer.Exit(EXIT_USAGE if verdict.broken else EXIT_FAILED if verdict.drift else EXIT_OK)


def _places(root: str, given: list[str], index_file: str = "", suite_file: str = "") -> Places:
    """Where specifications are, as options and settings say. Raises UserError."""
    from wsbuild.planning.specs.index import Places
    from wsbuild.planning.specs.sources import choose

    settings = project_settings(root)
    chosen = choose(root, [_from_root(word, root) for word in given], settings.spec_sources)
    places = Places(chosen, settings.ignore)
    return places._replace(
        index_file=_from_root(index_file, root) if index_file else places.index_file,
        suite_file=_from_root(suite_file, root) if suite_file else places.suite_file,
    )


def _from_root(word: str, root: str) -> str:
    """A path below the current directory, as seen from the root."""
    return os.path.relpath(os.path.join(os.path.realpath(os.getcwd()), word), root)


def _show(planned: Plan, check: bool) -> None:
    for change in planned.changes:
        typer.echo(f"{'would be ' if check else ''}{change.state}: {change.path}")
    fresh = f", {planned.new_ids} with a new id" if planned.new_ids else ""
    told = f"{_count(len(planned.sidecars), 'page')}, {_count(planned.paragraphs, 'paragraph')}{fresh}"
    typer.echo(told if planned.changes else f"{told}; all up to date")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
