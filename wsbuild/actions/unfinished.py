"""Landings under way: noted while files are put in their places, finished where a process died meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from wsbuild.atomic import write_atomic
from wsbuild.errors import WsbuildError
from wsbuild.statedir import LANDING, make_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wsbuild.actions.session import Session
    from wsbuild.worktrees.git import Git

FILES = ".files"
"""What the names of notes on files end with; those on commits are `worktrees.commit`'s."""


def _path(session: Session, ws_id: str) -> str:
    return os.path.join(session.root, LANDING, ws_id + FILES)


def note_files(session: Session, ws_id: str, wrote: Mapping[str, str]) -> None:
    """Note what is about to be in the checkout, where its steps have left something else: what was merged.
    Raises OSError.
    """
    writers = session.reader.writers(list(wrote))
    if any(not writers[path] or writers[path][0].digest != state for path, state in wrote.items()):
        make_dir(session.root, LANDING)
        write_atomic(_path(session, ws_id), json.dumps(wrote).encode())


def drop_files(session: Session, ws_id: str) -> None:
    """Note that they are on record, or not there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_path(session, ws_id))


def finish_landings(
    session: Session, finished: Callable[[str, int, Mapping[str, str], str], None]
) -> Iterator[str]:
    """Make the commits of landings that were cut, and tell `finished` of each landing whose files are in
    their places; gives a line on each that cannot be finished. For whoever has just taken the tree's lock.

    Raises GitError.
    """
    for ws_id, wrote in _noted_files(session):
        if (attempt_id := _cut_attempt(session, ws_id)) and wrote == session.freshness.states.states(wrote):
            finished(ws_id, attempt_id, wrote, "")
        drop_files(session, ws_id)
    if session.git is not None:
        yield from _finish_commits(session, session.git, finished)


def _finish_commits(
    session: Session, git: Git, finished: Callable[[str, int, Mapping[str, str], str], None]
) -> Iterator[str]:
    from wsbuild.worktrees.commit import drop_note, resume, under_way

    for pending in under_way(git):
        attempt_id = _cut_attempt(session, pending.ws_id)
        try:
            is_there = attempt_id and resume(pending)
        except (WsbuildError, OSError) as error:
            yield f"{pending.ws_id} is not committed: {error}"
            continue
        if is_there:
            paths = [path.removeprefix(git.prefix) for path in pending.paths]
            finished(pending.ws_id, attempt_id, session.freshness.states.states(paths), pending.commit)
        drop_note(git, pending.ws_id)


def _cut_attempt(session: Session, ws_id: str) -> int:
    """The last attempt at a landing, 0 where that is on record as done: what was done about it since is the
    user's.
    """
    last = session.reader.last_attempt(f"ws:{ws_id.removeprefix('ws-')}:land")
    return 0 if last is None or last.status == "ok" else last.attempt_id


def _noted_files(session: Session) -> Iterator[tuple[str, dict[str, str]]]:
    for name in sorted(os.listdir(os.path.join(session.root, LANDING))):
        ws_id, kind = os.path.splitext(name)
        if kind == FILES:
            wrote = {}
            with (
                contextlib.suppress(OSError, ValueError, AttributeError),
                open(_path(session, ws_id), encoding="utf-8") as file,
            ):
                wrote = {str(path): str(state) for path, state in json.load(file).items()}
            yield ws_id, wrote
