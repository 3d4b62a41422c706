"""Which files of a working tree a tool has changed, as far as git does not ignore them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.cache.expand import Tree
from wsbuild.errors import StateError
from wsbuild.looks import GONE, Look, look_of
from wsbuild.worktrees.git import Git

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Files:
    """The files in `cwd` as they were: those that are named, and all that differ from the last commit, but
    for what is called as `ignore` says.
    """

    def __init__(self, cwd: str, named: Iterable[str], ignore: Sequence[str]) -> None:
        self._cwd = cwd
        self._named = list(named)
        self._is_ignored = Tree(cwd, ignore).is_ignored
        try:
            self._git = Git.find(cwd)
        except StateError:
            self._git = None
        self._before = self._look(())

    def changed(self) -> list[str]:
        """Those that are different now."""
        now = self._look(self._before)
        before = {path: self._before.get(path) for path in now}
        return sorted(
            path for path, look in now.items() if look != before[path] and not _same(before[path], look)
        )

    def _look(self, more: Iterable[str]) -> dict[str, Look]:
        return {
            path: _look(os.path.join(self._cwd, path)) for path in {*self._named, *self._different(), *more}
        }

    def _different(self) -> list[str]:
        if self._git is None:
            return []
        said = self._git.run("ls-files", "--modified", "--others", "--exclude-standard", "-z")
        paths = (os.fsdecode(path) for path in said.split(b"\0") if path)
        return [path for path in paths if not any(map(self._is_ignored, path.split("/")))]


def _same(before: Look | None, now: Look) -> bool:
    return before is None and now == GONE


def _look(path: str) -> Look:
    try:
        return look_of(os.lstat(path))
    except OSError:
        return GONE
