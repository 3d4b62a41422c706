"""Which workstreams a git revision's changes concern."""

from __future__ import annotations

import os

from wsbuild.errors import UserError
from wsbuild.plan.read import load
from wsbuild.problems import ProblemsError
from wsbuild.tools.capture import capture


def _git(root: str, *arguments: str) -> bytes:
    code, output = capture(
        ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments],
        cwd=root,
        timeout=60.0,
    )
    if code:
        said = output.decode(errors="replace").strip().splitlines()
        raise UserError(
            f"git {arguments[0]} failed: {said[-1] if said else code}",
            "--affected needs a git repository and a revision that it knows",
        )
    return output


def changed_files(root: str, revision: str) -> list[str]:
    """The files that differ from `revision` (committed since or not, untracked ones too), relative
    to the root. Raises UserError where git cannot say.
    """
    if revision.startswith("-"):
        raise UserError(f"{revision!r} is no revision")
    diff = _git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", revision, "--")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({os.fsdecode(name) for name in (diff + new).split(b"\0") if name})


def affected_ids(root: str, revision: str) -> list[str]:
    """The workstreams that the changes since `revision` concern, and those that depend on them."""
    loaded = load(root, os.environ)
    if loaded.problems:
        raise ProblemsError(loaded.problems)
    return loaded.graph.affected(changed_files(root, revision))
