"""What the sub-commands share: the project, and one JSON object on stdout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.actions.session import Session
from wsbuild.cli.text import json_text
from wsbuild.root import find_root, path_from_root

if TYPE_CHECKING:
    from wsbuild.config import Config

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many rows.")]
SinceOption = Annotated[
    str,
    typer.Option("--since", metavar="WHEN", help="UTC time (2026-01-31 or with T12:00:00Z), or 2h, 3d."),
]


def project_root() -> str:
    """The root of the project that the current directory is in."""
    return find_root(os.getcwd())


def from_root(word: str, root: str) -> str:
    """A word that names a file below the current directory, as seen from the root."""
    return path_from_root(word, root, os.path.realpath(os.getcwd()))


def project_settings(root: str) -> Config:
    """The settings of the project. Raises ProblemsError where its file is wrong."""
    from wsbuild import config
    from wsbuild.problems import ProblemsError

    settings, problems = config.load(root)
    if problems:
        raise ProblemsError(problems)
    return settings


def asking_session() -> Session:
    """A session that leaves every byte of state as it is."""
    return Session(project_root(), os.environ, writing=False)


def show_json(name: str, data: dict[str, Any]) -> None:
    """Print `data` as the output `wsbuild/<name>/1`."""
    typer.echo(json_text(name, data), nl=False)


def show_table(rows: list[list[str]]) -> None:
    """Print rows in aligned columns."""
    if not rows:
        return
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
