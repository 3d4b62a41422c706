"""One git worktree for each isolated workstream: opened, adopted or repaired, and removed without loss.

For whoever holds the tree's lock: nobody else of wsbuild is at work on this checkout. What a worktree
holds is judged by its files alone: its own `.git` and index are in the hands of whoever works there.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.errors import StateError
from wsbuild.statedir import STATE, make_dir
from wsbuild.worktrees.git import GitError
from wsbuild.worktrees.snapshot import ADD, add_all, own_index

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.worktrees.git import Git
    from wsbuild.worktrees.snapshot import Snapshot

FOLDER = ".worktrees"
NOTES = f"{STATE}/worktrees"
RESCUE = "refs/wsbuild/rescue"
NO_OBJECT = "0" * 40


class Worktree(NamedTuple):
    """A worktree: `path` is its absolute path, `base` the commit it began from and `tree` that one's."""

    git: Git
    ws_id: str
    base: str
    tree: str

    @property
    def path(self) -> str:
        """The absolute path of the whole worktree."""
        return os.path.join(self.git.root, FOLDER, self.ws_id)

    @property
    def root(self) -> str:
        """The absolute path of the project in it."""
        return os.path.normpath(os.path.join(self.path, self.git.prefix))


def _note(git: Git, ws_id: str, kind: str = "json") -> str:
    return os.path.join(git.root, NOTES, f"{ws_id}.{kind}")


def _read_note(git: Git, ws_id: str) -> dict[str, Any]:
    """What was noted when the worktree was begun; empty where nothing was, or the note is damaged."""
    with contextlib.suppress(OSError, ValueError):
        with open(_note(git, ws_id), encoding="utf-8") as file:
            found = json.load(file)
        if isinstance(found, dict) and all(isinstance(found.get(key), str) for key in ("base", "tree")):
            return found
    return {}


MAKING, READY, GOING = "making", "ready", "going"
"""What a note says of its worktree; of one that is going, all work has landed or is rescued."""


def _write_note(worktree: Worktree, state: str) -> None:
    make_dir(worktree.git.root, NOTES)
    data = {"base": worktree.base, "tree": worktree.tree, "state": state}
    write_atomic(_note(worktree.git, worktree.ws_id), json.dumps(data).encode())


def is_kept(root: str, ws_id: str) -> bool:
    """Whether a worktree of an earlier run is there, or what is left of one."""
    return os.path.lexists(os.path.join(root, NOTES, f"{ws_id}.json"))


def kept(root: str) -> list[tuple[str, float]]:
    """The workstreams of which worktrees of earlier runs are there, and when those were begun (seconds
    since 1970).
    """
    found = []
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(os.path.join(root, NOTES)):
            ws_id, kind = os.path.splitext(entry.name)
            if kind == ".json":
                found.append((ws_id, entry.stat().st_mtime))
    return found


def rescued(git: Git) -> list[tuple[str, float]]:
    """The references to rescued work, and when it was rescued (seconds since 1970). Raises GitError."""
    said = git.line("for-each-ref", "--format=%(refname) %(committerdate:unix)", RESCUE)
    return [(line.split()[0], float(line.split()[1])) for line in said.splitlines()]


def unrescue(git: Git, reference: str) -> None:
    """Let go of rescued work: git removes it some day. Raises GitError."""
    git.run("update-ref", "-d", reference)


def open_worktree(git: Git, ws_id: str, snapshot: Snapshot) -> tuple[Worktree, str]:
    """The worktree of a workstream, made from `snapshot`; and what is to be told of an earlier one.

    One that began from the same files is adopted with the work that is in it. Of any other, and of what a
    dead process left, the work that is not in the snapshot is rescued, and it is made anew. Raises
    GitError, StateError for something else in its place, OSError.
    """
    worktree = Worktree(git, ws_id, snapshot.commit, snapshot.tree)
    note = _read_note(git, ws_id)
    told = ""
    if note:
        earlier = Worktree(git, ws_id, note["base"], note["tree"])
        if note["tree"] == snapshot.tree and note.get("state") == READY and _is_sound(earlier):
            return earlier, ""
        told = remove(earlier, landed=_is_all_in(earlier, snapshot.tree))
    elif os.path.lexists(worktree.path):
        message = f"{FOLDER}/{ws_id} is there, and wsbuild did not make it"
        raise StateError(message, "move it away: the worktree of the workstream belongs there")
    _make(worktree)
    return worktree, told


def _make(worktree: Worktree) -> None:
    git = worktree.git
    _write_note(worktree, MAKING)
    folder = os.path.join(git.root, FOLDER)
    os.makedirs(folder, exist_ok=True)
    ignore = os.path.join(folder, ".gitignore")
    if not os.path.lexists(ignore):
        write_atomic(ignore, b"# wsbuild's worktrees: never committed\n*\n")
    git.run("worktree", "add", "-q", "--detach", "--force", worktree.path, worktree.base)
    git.run("worktree", "lock", "--reason", f"wsbuild: {worktree.ws_id}", worktree.path)
    # Its stat cache makes looking at the work cheap; a copy, as that one may be written to there.
    shutil.copy2(os.path.join(admin_dir(worktree), "index"), _note(git, worktree.ws_id, "index"))
    _write_note(worktree, READY)


def admin_dir(worktree: Worktree) -> str:
    """Git's own directory for a worktree; '' where there is none."""
    folder = os.path.join(worktree.git.common_dir, "worktrees")
    wanted = os.path.join(worktree.path, ".git")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        with contextlib.suppress(OSError), open(os.path.join(folder, name, "gitdir"), "rb") as file:
            if os.fsdecode(file.read().rstrip(b"\n")) == wanted:
                return os.path.join(folder, name)
    return ""


def _is_sound(worktree: Worktree) -> bool:
    """Whether git knows the worktree and it knows git."""
    admin = admin_dir(worktree)
    if not admin or os.path.islink(worktree.path):
        return False
    try:
        with open(os.path.join(worktree.path, ".git"), "rb") as file:
            leads = os.fsdecode(file.read(65536).rstrip(b"\n"))
    except OSError:
        return False
    return leads == f"gitdir: {admin}"


# --- the work in it


def work_tree(worktree: Worktree, owned: Iterable[str] = ()) -> str:
    """The tree of what is in the worktree now: all that is not ignored, by git or by its name, and the
    files `owned` (paths in the project) even so. Raises GitError.
    """
    git = worktree.git
    inside = {"GIT_DIR": git.common_dir, "GIT_WORK_TREE": worktree.path}
    with own_index(git, _note(git, worktree.ws_id, "index")) as index:
        env = {**inside, **index}
        if not os.path.lexists(index["GIT_INDEX_FILE"]):
            git.run("read-tree", worktree.base, env=env, cwd=worktree.path)
        add_all(git, ".", env=env, cwd=worktree.path)
        there = [path for path in owned if os.path.lexists(os.path.join(worktree.root, path))]
        if there:
            given = b"".join(os.fsencode(f":(literal){path}") + b"\0" for path in there)
            words = (*ADD, "-f", "--pathspec-from-file=-", "--pathspec-file-nul")
            git.run(*words, env=env, cwd=worktree.root, given=given)
        return git.line("write-tree", env=env, cwd=worktree.path)


def differing(git: Git, one: str, other: str) -> list[str]:
    """The paths, in the repository, that differ between two trees or commits."""
    said = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", one, other)
    return [os.fsdecode(path) for path in said.split(b"\0") if path]


def tracked(git: Git, tree: str, paths: Iterable[str]) -> list[str]:
    """Those of the repository's `paths` that a tree has."""
    wanted = set(paths)
    names = git.run("ls-tree", "-r", "-z", "--full-tree", "--name-only", tree).split(b"\0")
    return [path for path in map(os.fsdecode, names) if path in wanted]


def rescue(worktree: Worktree, owned: Iterable[str] = ()) -> str:
    """Keep the work that is in a worktree as a commit; gives the reference that holds it, '' for no work.

    A commit that somebody made in the worktree becomes a parent of it. Raises GitError.
    """
    git = worktree.git
    if not os.path.isdir(worktree.path) or os.path.islink(worktree.path):
        return ""
    tree = work_tree(worktree, owned)
    head = _head(worktree)
    if tree == worktree.tree and head in {"", worktree.base}:
        return ""
    parents = [word for parent in dict.fromkeys([worktree.base, head]) if parent for word in ("-p", parent)]
    commit = git.line("commit-tree", tree, *parents, "-m", f"wsbuild: unlanded work of {worktree.ws_id}")
    taken = git.line("for-each-ref", "--format=%(refname)", f"{RESCUE}/{worktree.ws_id}").split("\n")
    number = 1 + max(
        (int(ref.rsplit("/", 1)[1]) for ref in taken if ref.rsplit("/", 1)[-1].isdigit()), default=0
    )
    reference = f"{RESCUE}/{worktree.ws_id}/{number}"
    git.run("update-ref", reference, commit, NO_OBJECT)
    return reference


def _head(worktree: Worktree) -> str:
    """The commit that the worktree is on; '' where that cannot be said."""
    admin = admin_dir(worktree)
    if not admin:
        return ""
    try:
        env = {"GIT_DIR": admin, "GIT_WORK_TREE": worktree.path}
        return worktree.git.line("rev-parse", "-q", "--verify", "HEAD^{commit}", env=env)
    except GitError:
        return ""


def remove(worktree: Worktree, *, landed: bool = False) -> str:
    """Remove a worktree; unless its work has landed, that is rescued before. Gives what is to be told.

    Raises GitError, OSError; then it is still there.
    """
    git = worktree.git
    is_safe = landed or _read_note(git, worktree.ws_id).get("state") == GOING
    kept = "" if is_safe else rescue(worktree)
    _write_note(worktree, GOING)
    if os.path.islink(worktree.path):
        os.unlink(worktree.path)
    elif os.path.lexists(worktree.path):
        shutil.rmtree(worktree.path)
    admin = admin_dir(worktree)
    if admin:
        shutil.rmtree(admin)
    for kind in ("index", "json"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_note(git, worktree.ws_id, kind))
    return f"unlanded work of {worktree.ws_id} is kept in {kept}" if kept else ""


def rebased(worktree: Worktree, onto: Snapshot) -> Worktree:
    """Note that a worktree's files now are the work on top of another snapshot."""
    moved = worktree._replace(base=onto.commit, tree=onto.tree)
    _write_note(moved, READY)
    return moved


def clean_up(git: Git, ws_id: str, tree: str = "") -> str:
    """Remove what an earlier run left, work in it that is not in `tree` rescued; gives what is to be told.
    Raises GitError, OSError.
    """
    note = _read_note(git, ws_id)
    if not note:
        return ""
    worktree = Worktree(git, ws_id, note["base"], note["tree"])
    return remove(worktree, landed=bool(tree) and _is_all_in(worktree, tree))


def _is_all_in(worktree: Worktree, tree: str) -> bool:
    """Whether a tree has all that was done in a worktree."""
    if not _is_sound(worktree) or _head(worktree) != worktree.base:
        return False
    work = work_tree(worktree)
    done = differing(worktree.git, worktree.tree, work)
    return not {*done}.intersection(differing(worktree.git, tree, work))
