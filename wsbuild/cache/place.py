"""Where the cache of a project is: one for each repository, shared by its worktrees.

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
    """The absolute path of the cache of the project at `root`.

    `WSBUILD_CACHE_DIR` (relative to the root) where it is set; else `.wsbuild/cache` in the main
    checkout of the repository, whichever of its worktrees asks (inside the repository itself where
    that has no checkout); without git, in the project.
    """
    given = os.path.expanduser(environ.get(VARIABLE, ""))
    if given:
        return os.path.normpath(os.path.join(root, given))
    common = _git_common_dir(root)
    if not common:
        return os.path.join(root, STATE, NAME)
    above, last = os.path.split(common)
    if last == ".git":
        return os.path.join(above, STATE, NAME)
    return os.path.join(common, "wsbuild", NAME)


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
