"""What a workstream may do to which files. Patterns and paths only."""

from __future__ import annotations

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
