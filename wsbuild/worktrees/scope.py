"""What a workstream may do to which files."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from wsbuild import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Scope:
    """The rule of one workstream: it may change, and remove, what `scope` names; it may make what
    `create` names, and what a directory or pattern of `scope` or a path of it names. All else is not
    its own.
    """

    def __init__(self, scope: Sequence[str], create: Sequence[str]) -> None:
        self._may_change = patterns.matcher(scope, below=True)
        self._may_create = patterns.matcher((*scope, *create), below=True)

    def violations(self, changes: Iterable[tuple[str, bool, bool]]) -> list[str]:
        """A line for each change that is not allowed: (path, was it there before, is it there now)."""
        found = []
        for path, before, after in sorted(changes):
            if not before and not self._may_create(path):
                found.append(f"created {path}: neither in files_create nor in files_scope")
            elif before and not self._may_change(path):
                done = "changed" if after else "removed"
                found.append(f"{done} {path}: not in files_scope")
        return found


def what_is_strange(path: str) -> str:
    """What makes the file at an absolute path more than a file of its own, in words; '' for nothing."""
    try:
        st = os.lstat(path)
    except OSError:
        return ""
    if stat.S_ISDIR(st.st_mode):
        return "a repository of its own"
    if stat.S_ISREG(st.st_mode) and st.st_nlink > 1:
        return "a second name of another file (a hard link)"
    if stat.S_ISREG(st.st_mode) and st.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return "run with the rights of its owner (set-user-ID or set-group-ID)"
    return ""
