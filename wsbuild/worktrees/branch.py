"""The branches of workstreams, one each: what is on them that HEAD does not have, and one more commit there.

None of them is ever checked out here. What stacks on others has their branches below its own.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.cache.files import MISSING, FileStates
from wsbuild.errors import UserError
from wsbuild.worktrees.merge import ConflictError, merged
from wsbuild.worktrees.snapshot import Snapshot
from wsbuild.worktrees.trees import commit_of, entries_of, has, identity, set_entries, tree_with
from wsbuild.worktrees.worktree import NO_OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.worktrees.git import Git
    from wsbuild.worktrees.worktree import Worktree

FOLDER = "wsbuild"
"""What the names of the branches begin with."""

HEADS = "refs/heads/"
_FILES = frozenset({"100644", "100755"})
_NOTHING = "000000"


def name_of(ws_id: str) -> str:
    """The name of a workstream's branch."""
    return f"{FOLDER}/{ws_id}"


class Tops(NamedTuple):
    """HEAD's commit ('' before the first), and the last commits of workstreams' branches by their ids."""

    head: str
    tips: dict[str, str]


def tops(git: Git) -> Tops:
    """The commits as they are now. Raises GitError."""
    said = git.line("for-each-ref", "--format=%(refname) %(objectname)", f"{HEADS}{FOLDER}/")
    known = (line.split(" ") for line in said.splitlines())
    return Tops(git.head(), {name.removeprefix(f"{HEADS}{FOLDER}/"): oid for name, oid in known})


# --- what is on them


def stacked(git: Git, commit: str, tips: Mapping[str, str]) -> str:
    """A commit that has all of `commit` and of the branches `tips`: itself where it has them, else a merge.
    Raises ConflictError, GitError.
    """
    for ws_id, tip in tips.items():
        if has(git, commit, tip):
            continue
        tree, conflicts = merged(git, commit, tip)
        if conflicts:
            raise ConflictError(
                f"conflict: {', '.join(conflicts)} changed in {name_of(ws_id)} and here",
                f"merge or rebase the branch {name_of(ws_id)}, or remove it (its work is then done anew)",
            )
        commit = git.line("commit-tree", tree, "-p", commit, "-p", tip, "-m", f"wsbuild: with {ws_id}")
    return commit


def on_top(git: Git, now: Snapshot, tips: Mapping[str, str]) -> Snapshot:
    """The checkout as it is `now`, with what the branches have. Raises ConflictError, GitError."""
    commit = stacked(git, now.commit, tips)
    return Snapshot(commit, git.line("rev-parse", f"{commit}^{{tree}}"), now.head)


def laid_over(git: Git, head: str, tips: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What the branches change in `head`: path in the project to its states without and with them, as
    files that are checked out, but for symbolic links and submodules. Nothing is written to the repository.

    Raises ConflictError, GitError, OSError.
    """
    with tempfile.TemporaryDirectory(prefix="wsbuild-") as directory:
        apart = git._replace(objects=os.path.join(directory, "objects"))
        os.mkdir(apart.objects)
        commit = stacked(apart, head, tips)
        said = apart.run("diff-tree", "-r", "-z", "--no-renames", head, commit).split(b"\0")
        before, after = {}, {}
        for what, raw in zip(said[::2], said[1::2], strict=False):
            modes = what.decode().lstrip(":").split(" ")
            path = os.fsdecode(raw)
            if path.startswith(git.prefix) and {*modes[:2]} <= {*_FILES, _NOTHING}:
                before[path], after[path] = zip(modes[:2], modes[2:4], strict=True)
        was = _states(apart, before, os.path.join(directory, "was"))
        is_now = _states(apart, after, os.path.join(directory, "now"))
    return {path[len(git.prefix) :]: (was[path], is_now[path]) for path in before}


def _states(git: Git, entries: Mapping[str, tuple[str, str]], folder: str) -> dict[str, str]:
    """The states that files have where these `entries` (mode and object id) are checked out."""
    there = {path: " ".join(entry) for path, entry in entries.items() if entry[0] in _FILES}
    env = {"GIT_INDEX_FILE": f"{folder}.index"}
    set_entries(git, there, env)
    git.run("checkout-index", "-a", "-f", f"--prefix={folder}/", cwd=git.top, env=env)
    found = FileStates(folder, 0, lambda _: {}).states(there)
    return {path: found.get(path, MISSING) for path in entries}


def as_checked_out(worktree: Worktree, work: str, paths: Iterable[str]) -> None:
    """Give files of a worktree, at the repository's `paths`, the bytes that they will have for whoever
    checks them out: git may change line ends, and more. `work` is the tree of what is there.

    Raises GitError, OSError.
    """
    git = worktree.git
    with tempfile.TemporaryDirectory(prefix="wsbuild-") as directory:
        entries = entries_of(git, work, paths)
        given = {path: (entry[:6], entry[7:]) for path, entry in entries.items()}
        files = _states(git, given, os.path.join(directory, "now"))
        there = FileStates(worktree.path, 0, lambda _: {}).states(files)
        for path in (path for path, state in files.items() if state not in {there[path], MISSING}):
            at = os.path.join(worktree.path, path)
            with open(os.path.join(directory, "now", path), "rb") as file:
                write_atomic(at, file.read(), os.lstat(at).st_mode & 0o777)


# --- one more commit


def check_free(git: Git, ws_id: str) -> None:
    """Raises UserError where a workstream's branch is checked out: its files would seem to be changed
    back. GitError.
    """
    where = ""
    for line in git.run("worktree", "list", "--porcelain", "-z").split(b"\0"):
        word, _, value = os.fsdecode(line).partition(" ")
        if word == "worktree":
            where = value
        if word == "branch" and value == HEADS + name_of(ws_id):
            raise UserError(
                f"the branch {name_of(ws_id)} is checked out",
                f"check out another one in {where}, and run again",
            )


def add_commit(
    git: Git, ws_id: str, at: Tops, below: Mapping[str, str], entries: Mapping[str, str], message: str
) -> str:
    """Put a commit on a workstream's branch, which begins here if there is none; gives the commit.
    `below` are the branches that it stacks on; `entries` has mode and object id for each of the
    repository's paths, '' for one that is removed.

    Raises ConflictError, GitError; then the branch is as it was.
    """
    own = {ws_id: at.tips[ws_id]} if ws_id in at.tips else {}
    base = stacked(git, at.head, {**own, **below})
    tree = tree_with(git, base, entries)
    parents = _independent(git, [*own.values(), *below.values(), at.head])
    if len(parents) > 1:
        parents = [commit_of(git, f"{base}^{{tree}}", parents, f"Merge what {ws_id} begins from\n")]
    commit = commit_of(git, tree, parents, message)
    old = at.tips.get(ws_id, NO_OBJECT)
    words = ("update-ref", "--create-reflog", "-m", f"wsbuild: land {ws_id}")
    git.run(*words, HEADS + name_of(ws_id), commit, old, env=identity(git))
    return commit


def _independent(git: Git, commits: Sequence[str]) -> list[str]:
    """Those of `commits` that none of the others has, in their order."""
    distinct = list(dict.fromkeys(commits))
    left = set(git.line("merge-base", "--independent", *distinct).split())
    return [commit for commit in distinct if commit in left]


def moved_by_landing(ws_id: str) -> list[str]:
    """The names in `watch.Look.git` of what a commit on a workstream's branch changes."""
    return [HEADS + name_of(ws_id), f".git/logs/{HEADS}{name_of(ws_id)}"]
