"""The tree as it is, as a commit: uncommitted and untracked files too, and nothing of the user's touched."""

from __future__ import annotations

import contextlib
import os
import shutil
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.statedir import STATE, make_dir
from wsbuild.worktrees.git import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wsbuild.worktrees.git import Git

_numbers = count(1)


class Snapshot(NamedTuple):
    """A commit of the whole repository's files; `tree` is the same for the same files. `head` is the
    commit that the user is on, '' before the first.
    """

    commit: str
    tree: str
    head: str


@contextlib.contextmanager
def own_index(git: Git, like: str = "") -> Iterator[dict[str, str]]:
    """The environment for a temporary index, at first a copy of the index file `like`, if there is one."""
    directory = make_dir(git.root, f"{STATE}/worktrees")
    path = os.path.join(directory, f"index-{os.getpid()}-{next(_numbers)}")
    try:
        with contextlib.suppress(FileNotFoundError):
            if like:
                shutil.copy2(like, path)  # git trusts what is older than its index
        yield {"GIT_INDEX_FILE": path}
    finally:
        for left in (path, path + ".lock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left)


def snapshot(git: Git) -> Snapshot:
    """A commit of the checkout as it is: what git tracks, as it is on disk, and what is not ignored.

    The same for the same files on the same HEAD. The user's index, HEAD, references and stash are not
    touched. Raises GitError.
    """
    head = git.head()
    with own_index(git, os.path.join(git.git_dir, "index")) as env:
        try:
            _bring_to_light(git, env)
        except GitError:
            # An index that needs files beside it (a split one), or of a form that this git cannot read.
            git.run("read-tree", *([head] if head else ["--empty"]), env=env)
        add_all(git, ":(top)", env=env)
        tree = git.line("write-tree", env=env)
    parent = ["-p", head] if head else []
    commit = git.line("commit-tree", tree, *parent, "-m", "wsbuild: the tree as it was")
    return Snapshot(commit, tree, head)


ADD = ("-c", "advice.addEmbeddedRepo=false", "add")


def add_all(git: Git, where: str, *, env: Mapping[str, str], cwd: str | None = None) -> None:
    """Have the index of `env` hold what is on disk in the pathspec `where`: all that it has already, and
    what is new and not ignored. Raises GitError.
    """
    # Apart, as what is left out below would not be looked at: what is tracked counts by any name.
    git.run(*ADD, "-u", "--", where, env=env, cwd=cwd)
    left_out = [f":(top,exclude,glob)**/{name}{below}" for name in git.ignore for below in ("", "/**")]
    git.run(*ADD, "-A", "--", where, *left_out, env=env, cwd=cwd)


def _bring_to_light(git: Git, env: dict[str, str]) -> None:
    """Have git look at files that the user told it not to look at, where they are there."""
    listed = git.run("ls-files", "-v", "-z", "--full-name", ":(top)", env=env).split(b"\0")
    hidden = [entry[2:] for entry in listed if entry[:1].islower() or entry[:1] == b"S"]
    there = [path for path in hidden if os.path.lexists(os.path.join(os.fsencode(git.top), path))]
    if there:
        given = b"".join(path + b"\0" for path in there)
        for option in ("--no-assume-unchanged", "--no-skip-worktree"):
            words = ["update-index", option, "-z", "--stdin"]
            git.run(*words, env=env, given=given, cwd=git.top)
