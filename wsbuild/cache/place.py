"""Where the state is that all worktrees of a repository share, such as the cache.

Asks git nothing: in a hook git's environment could name another repository.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.statedir import STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "cache"
VARIABLE = "WSBUILD_CACHE_DIR"


def cache_dir(root: str, environ: Mapping[str, str]) -> str:
    """The absolute path of the cache of the project at `root`: `WSBUILD_CACHE_DIR` (relative to the
    root) where it is set, else with the shared state.
    """
    given = os.path.expanduser(environ.get(VARIABLE, ""))
    return os.path.normpath(os.path.join(root, given)) if given else os.path.join(shared_dir(root), NAME)


def shared_dir(root: str) -> str:
    """The absolute path of the state that the project at `root` has in common with the repository's
    other worktrees.

    `.wsbuild` in the main checkout of the repository, whichever of its worktrees asks (inside the
    repository itself where that has no checkout); without git, in the project.
    """
    common = _git_common_dir(root)
    if not common:
        return os.path.join(root, STATE)
    above, last = os.path.split(common)
    return os.path.join(above, STATE) if last == ".git" else os.path.join(common, "wsbuild")


def _git_common_dir(root: str) -> str:
    """The directory that all worktrees of the repository share (gitrepository-layout(5)); or ''."""
    directory = root
    while True:
        dotgit = os.path.join(directory, ".git")
        if os.path.isdir(dotgit):
            return os.path.realpath(dotgit)
        if os.path.isfile(dotgit):
            return _follow(dotgit)
        parent = os.path.dirname(directory)
        if parent == directory:
            return ""
        directory = parent


def _follow(dotgit: str) -> str:
    """What the `.git` file of a worktree or submodule leads to; '' where it leads nowhere."""
    line = _first_line(dotgit)
    if not line.startswith("gitdir: ") or "\0" in line:
        return ""
    git_dir = os.path.normpath(os.path.join(os.path.dirname(dotgit), line.removeprefix("gitdir: ")))
    common = _first_line(os.path.join(git_dir, "commondir"))
    found = os.path.realpath(os.path.join(git_dir, common))
    return found if os.path.isdir(found) else ""


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().strip()
    except OSError:
        return ""
