"""`wsbuild hook`: have git judge each commit before it is made."""

from __future__ import annotations

import os
import shlex
import sys

import typer

from wsbuild.atomic import write_atomic
from wsbuild.cli.common import project_root
from wsbuild.errors import UserError
from wsbuild.worktrees.git import Git

MARK = "# Made by `wsbuild hook install`, and removed by `wsbuild hook remove`."
NAME = "pre-commit"

app = typer.Typer(help="Have git judge what is staged before each commit.", no_args_is_help=True)


def register(main: typer.Typer) -> None:
    """Add the commands."""
    main.add_typer(app, name="hook")


@app.command("install", help="Start `wsbuild detect --staged` before each commit.")
def install(
    new_only: bool = typer.Option(False, "--new-only", help="Leave out what is in the baseline."),
) -> None:
    """Write the hook. One of somebody else stays as it is."""
    root = project_root()
    path = _path(root)
    words = ["detect", "--staged", *(["--new-only"] if new_only else [])]
    command = shlex.join([sys.executable, "-P", "-m", "wsbuild", "-C", root, *words])
    if os.path.lexists(path) and not _is_ours(path):
        raise UserError(f"there is a hook already: {path}", f"add a line to it: {command} || exit 1")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, os.fsencode(f"#!/bin/sh\n{MARK}\nexec {command}\n"), 0o755)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"{path}: {command}")


@app.command("remove", help="Remove that hook.")
def remove() -> None:
    """Remove the hook, if it is ours."""
    path = _path(project_root())
    if not _is_ours(path):
        raise UserError(f"there is no hook of wsbuild at {path}")
    os.unlink(path)
    typer.echo(f"removed {path}")


def _path(root: str) -> str:
    """Where git looks for the hook: in its own directory, or where `core.hooksPath` says."""
    git = Git.find(root)
    if git is None:
        raise UserError(f"{root} is in no git repository", "run `git init` first")
    for scope in ("--local", "--global", "--system"):
        said = git.run("config", scope, "--type=path", "--get", "core.hooksPath", codes=(0, 1, 128))
        if said.strip() and not said.startswith(b"fatal"):
            return os.path.join(git.top, os.fsdecode(said).rstrip("\n"), NAME)
    return os.path.join(git.common_dir, "hooks", NAME)


def _is_ours(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return MARK in file.read()
    except OSError:
        return False
