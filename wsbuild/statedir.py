"""Where wsbuild keeps what it knows about a project, below its root."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from wsbuild.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE = ".wsbuild"
LOGS = ".wsbuild/logs"
PROMPTS = ".wsbuild/prompts"
LOCK = ".wsbuild/lock"
LANDING = ".wsbuild/landing"
DATABASE = "state/pipeline_state.db"


def database_path(root: str, environ: Mapping[str, str]) -> str:
    """Where the history database is: `PIPELINE_DB_PATH` (relative to the root), or the default."""
    given = os.path.expanduser(environ.get("PIPELINE_DB_PATH", ""))
    return os.path.join(root, given or DATABASE)


def make_database_room(root: str, environ: Mapping[str, str]) -> None:
    """Make the directory of the history, so that it is there when the project is looked at: its name is one
    that results may depend on.
    """
    with suppress(OSError):
        make_dir(*os.path.split(os.path.dirname(database_path(root, environ))))


def log_path(run_id: str, task: str, number: int) -> str:
    """Where what an attempt prints is kept, from the project's root."""
    return f"{LOGS}/{run_id}/{task.replace(':', '.')}.{number}.log"


def make_dir(root: str, rel: str) -> str:
    """Make the state directory `rel` and give its absolute path.

    A topmost directory that is made for it gets a `.gitignore` that hides it: state is never
    committed, but what a user keeps in a directory of that name is his.
    Raises OSError.
    """
    path = os.path.join(root, rel)
    top = os.path.join(root, rel.split("/", maxsplit=1)[0])
    ignore = os.path.join(top, ".gitignore")
    if not os.path.lexists(top) or (rel.startswith(STATE) and not os.path.lexists(ignore)):
        os.makedirs(top, exist_ok=True)
        write_atomic(ignore, b"# wsbuild's state: never committed\n*\n")
    os.makedirs(path, exist_ok=True)
    return path


def keep_file(root: str, rel: str, data: bytes) -> None:
    """Write a cache file below the state directory, which is checked when it is read; where that is not
    possible, do without it.
    """
    try:
        make_dir(root, os.path.dirname(rel))
        write_atomic(os.path.join(root, rel), data, lasting=False)
    except OSError:
        return
