"""Of what day a text is, as git knows it: never what the clock says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wsbuild.worktrees.git import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN = "1970-01-01"
"""Where there is no commit, or no git."""

_COMMIT = "\x01"


def _day(seconds: str) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d")


def _names(said: bytes, prefix: str) -> list[str]:
    """What git lists with -z, from the root of the project."""
    words = (word.decode(errors="replace").strip("\n") for word in said.split(b"\0"))
    return [word if word.startswith(_COMMIT) else word.removeprefix(prefix) for word in words if word]


def of_pages(root: str, pages: Sequence[str], sources: Sequence[str]) -> Mapping[str, str]:
    """The day (UTC) of each page: of its last commit, or, where its text is not committed yet, of the last
    commit of all; UNKNOWN where there is none. `sources` are directories that hold all of them.

    Raises GitError where git does not want to use the repository.
    """
    git = Git.find(root)
    if git is None or not pages:
        return dict.fromkeys(pages, UNKNOWN)
    try:
        head = _day(git.run("log", "-1", "--format=%ct", "HEAD").decode().strip())
    except GitError:  # nothing has been committed yet
        return dict.fromkeys(pages, UNKNOWN)
    changed = set(_names(git.run("diff", "--name-only", "-z", "HEAD", "--", *sources), git.prefix))
    days: dict[str, str] = {}
    said = git.run("log", "-z", "--name-only", f"--format={_COMMIT}%ct", "HEAD", "--", *sources)
    day = head
    for name in _names(said, git.prefix):
        if name.startswith(_COMMIT):
            day = _day(name.removeprefix(_COMMIT))
        else:
            days.setdefault(name, day)
    return {page: head if page in changed else days.get(page, head) for page in pages}
