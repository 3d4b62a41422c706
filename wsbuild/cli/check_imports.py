"""`wsbuild check-imports`: where imports and paths stand that the project has given up."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Annotated

import typer

from wsbuild.cli.common import JsonOption, from_root, project_root, project_settings, show_json
from wsbuild.errors import EXIT_FAILED, StateError
from wsbuild.looks import is_file
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.detectors.standards.files import Found
    from wsbuild.detectors.standards.rules import Standards


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-imports", help="Find imports and paths that the project has given up.")(check_imports)


def check_imports(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files and directories (default: all).")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Write what is to be written instead.")] = False,
    prose: Annotated[
        bool, typer.Option("--prose", help="Look at Markdown, plain text and docstrings too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Exit 0 where nothing (more) is found, 1 where something is."""
    from wsbuild.detectors.standards import rules
    from wsbuild.problems import ProblemsError

    root = project_root()
    standards, problems = rules.load(root)
    if problems:
        raise ProblemsError(problems)
    standards = standards._replace(prose=prose or standards.prose)
    files = [] if standards.is_empty else _files(root, [from_root(path, root) for path in paths or []])
    found: list[tuple[str, Found]] = []
    fixed: list[str] = []
    for path in files:
        here, is_fixed = _check(root, path, standards, fix=fix)
        found += [(path, one) for one in here if not one.suppressed]
        fixed += [path] if is_fixed else []
    if as_json:
        rows = [{"path": path, **one._asdict()} for path, one in found]
        show_json("check-imports", {"files": len(files), "fixed": fixed, "found": rows})
    else:
        _show(found, fixed, len(files), is_empty=standards.is_empty, fix=fix)
    raise typer.Exit(EXIT_FAILED if found else 0)


def _files(root: str, wanted: Sequence[str]) -> list[str]:
    """The files of the project that are no links; of `wanted` those that it names, or is."""
    from wsbuild.cache.expand import Tree
    from wsbuild.detectors.listing import Listing

    tree = Tree(root, project_settings(root).ignore)
    files = Listing(tree, root, os.environ).files(wanted)
    return [path for path in files if is_file(os.path.join(root, path))]


def _check(root: str, path: str, standards: Standards, *, fix: bool) -> tuple[list[Found], bool]:
    """What is found in a file (after it was fixed), and whether it was changed."""
    from wsbuild.atomic import write_atomic
    from wsbuild.detectors.standards.files import look, mend

    full = os.path.join(root, path)
    try:
        with open(full, "rb") as file:
            data = file.read()
        found = look(path, data, standards)
        if not (fix and found):
            return found, False
        mended = mend(path, data, standards)
        if mended == data:
            return found, False
        write_atomic(full, mended, stat.S_IMODE(os.stat(full).st_mode))
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}", "the files before it are done") from error
    return look(path, mended, standards), True


def _show(
    found: Sequence[tuple[str, Found]], fixed: Sequence[str], files: int, *, is_empty: bool, fix: bool
) -> None:
    from wsbuild.detectors.standards.rules import FILE

    for path in fixed:
        typer.echo(f"fixed {printable(path)}")
    for path, one in found:
        why = f" (not fixed: {one.why})" if one.why and fix else ""
        typer.echo(printable(f"{path}:{one.line}:{one.column}: {one.code} {one.message}{why}"))
    if is_empty:
        typer.echo(f"nothing is given up: {FILE} would say what")
        return
    count = f"{len(found) or 'nothing'} found"
    fixes = sum(not one.why for _, one in found)
    typer.echo(f"{files} files, {count}" + (f"; --fix mends {fixes}" if fixes and not fix else ""))
