"""`wsbuild detect`: what linters and scanners find, from what is known already as far as possible."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from wsbuild.cli.common import JsonOption, from_root, project_root
from wsbuild.cli.show_findings import FORMATS
from wsbuild.errors import UserError

OnlyOption = Annotated[
    list[str] | None, typer.Option("--detector", "-d", metavar="ID", help="Only this one; may be repeated.")
]
JobsOption = Annotated[
    int, typer.Option("-j", "--jobs", min=0, help="Tools at a time (0: one for each processor).")
]


def _known_format(word: str) -> str:
    if word and word not in FORMATS:
        raise typer.BadParameter(f"{word!r} is none of {', '.join(FORMATS)}")
    return word


FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORM",
        help=f"{', '.join(FORMATS)}.",
        callback=_known_format,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("detect", help="Judge files by linters and scanners, and none of them twice.")(detect)


def detect(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files and directories (default: all).")
    ] = None,
    only: OnlyOption = None,
    jobs: JobsOption = 0,
    as_list: Annotated[bool, typer.Option("--list", help="Only say which detectors there are.")] = False,
    new: Annotated[
        str, typer.Option("--new", metavar="ID", help="Write the beginnings of a detector of your own.")
    ] = "",
    as_json: JsonOption = False,
    form: FormatOption = "",
    stat: Annotated[bool, typer.Option("--stat", help="How often each code was found, and no more.")] = False,
    show_all: Annotated[bool, typer.Option("--all", "-a", help="Show all of many equal findings.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Have mended what tools can mend, and judge again.")
    ] = False,
    write_baseline: Annotated[
        bool, typer.Option("--baseline", help="Write all that is found to the baseline.")
    ] = False,
    staged: Annotated[bool, typer.Option("--staged", help="Judge what the next commit changes.")] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="Judge what has changed since the last commit.")
    ] = False,
    affected: Annotated[
        str,
        typer.Option("--affected", metavar="REV", help="Judge what the branch has changed since REV."),
    ] = "",
    new_only: Annotated[bool, typer.Option("--new-only", help="Leave out what is in the baseline.")] = False,
    files_from: Annotated[
        str,
        typer.Option("--files-from", metavar="FILE", help="Judge what a file names (-: standard input)."),
    ] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where a detector is skipped, as its tool is not there.")
    ] = False,
    home: Annotated[
        str, typer.Option("--home", metavar="DIR", help="The project that this directory is a copy of.")
    ] = "",
) -> None:
    """Exit 0 where nothing is found, 1 where something is or a tool has failed."""
    from wsbuild.cli.answers import Request
    from wsbuild.cli.detecting import run, run_named
    from wsbuild.cli.text import show
    from wsbuild.detectors import baseline

    wanted = {name for name, given in (("json", as_json), ("stat", stat), (form, form)) if given}
    if len(wanted) > 1 or (write_baseline and (new_only or wanted)):
        raise typer.BadParameter("--json, --format, --stat and --baseline exclude each other")
    which = [name for name, given in (("staged", staged), ("changed", changed or affected)) if given]
    if len(which) > 1 or (changed and affected) or (staged and (fix or write_baseline)):
        raise typer.BadParameter("--staged, --changed, --affected exclude each other; what is staged stays")
    if (files_from or home) and (which or write_baseline or bool(paths) == bool(files_from)):
        raise typer.BadParameter("--files-from and --home want files that are named, and not in two ways")
    root = os.path.realpath(os.getcwd()) if home else project_root()
    if as_list:
        _show_detectors(root, only or [])
        return
    if new:
        from wsbuild.detectors.scaffold import make

        typer.echo("".join(f"{path}\n" for path in make(root, new)) + f"try it: wsbuild detect -d {new}")
        return
    request = Request(
        tuple(from_root(path, root) for path in paths or _named_in(files_from)),
        tuple(only or []),
        jobs,
        next(iter(wanted), "text"),
        fix,
        show_all,
        new_only or (bool(home) and os.path.exists(os.path.join(root, baseline.FILE))),
        write_baseline,
        "".join(which),
        affected,
        strict,
    )
    if files_from or home:
        answer = run_named(request, os.path.realpath(home) if home else root, root, os.environ)
    else:
        answer = run(request, [os.getcwd(), *sys.argv[1:]], root, os.environ)
    raise typer.Exit(show(answer))


def _named_in(file: str) -> list[str]:
    """The paths that a file holds, each ended by NUL if there is one, else by the end of its line."""
    if not file:
        return []
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "name a file that holds paths") from error
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(line) for line in lines if line]


def _show_detectors(root: str, only: list[str]) -> None:
    from wsbuild.detectors.project import choose
    from wsbuild.detectors.settings import load

    _, detectors = load(root, root)
    for one in choose(detectors, only, []) if only else detectors:
        when = " (on demand)" if one.manifest.on_demand else ""
        typer.echo(f"{one.id:<20} {one.manifest.name}{when}")
