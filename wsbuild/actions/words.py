"""The paths that a step names on its command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsbuild.plan.records import StepPlan

LONGEST = 255
"""A longer word is no path."""

_ROOTS = ("{cwd}/", "{repo_root}/", "{worktree_path}/")


def without_root(word: str) -> str:
    """A path that a profile writes with the project's root before it, without it."""
    root = next((root for root in _ROOTS if word.startswith(root)), "")
    return word.removeprefix(root)


def paths_in(step: StepPlan) -> list[str]:
    """The words of its commands that may be files of the project, as paths from the root."""
    words = {without_root(word) for command in step.commands for word in command.argv}
    paths = {os.path.normpath(word) for word in words if _may_be_path(word)}
    return sorted(path for path in paths if not path.startswith(".."))


def _may_be_path(word: str) -> bool:
    return 0 < len(word) <= LONGEST and word[0] not in "-/" and "\0" not in word and "\n" not in word
