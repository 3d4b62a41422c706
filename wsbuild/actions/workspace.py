"""Where an isolated workstream works until it lands: beside the checkout, which it does not touch before.

As long as nothing runs, that is only a supposition: the checkout with recorded results put on top of
it. When a command has to run it becomes a git worktree, which is kept if the workstream fails.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from wsbuild.actions import watching
from wsbuild.atomic import write_atomic
from wsbuild.cache.blobs import copy_verified
from wsbuild.cache.entry import KeptFile
from wsbuild.cache.expand import Tree
from wsbuild.cache.files import MISSING, FileStates
from wsbuild.cache.manifest import Reason
from wsbuild.cache.put_back import Staged
from wsbuild.errors import UserError, WsbuildError
from wsbuild.patterns import matcher
from wsbuild.plan.records import BRANCH
from wsbuild.statedir import STATE, make_dir
from wsbuild.worktrees.branch import as_checked_out
from wsbuild.worktrees.merge import catch_up
from wsbuild.worktrees.scope import Scope, what_is_strange
from wsbuild.worktrees.snapshot import snapshot
from wsbuild.worktrees.worktree import differing, is_kept, open_worktree, remove, tracked, work_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.actions.freshness import Decision, Freshness
    from wsbuild.actions.session import Session
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.records import StepPlan, WorkstreamPlan
    from wsbuild.worktrees.git import Git
    from wsbuild.worktrees.snapshot import Snapshot
    from wsbuild.worktrees.worktree import Worktree

QUARANTINE = f"{STATE}/quarantine"
NOT_LANDED = Reason("not-landed")


def enter(session: Session, ws: WorkstreamPlan, step: StepPlan) -> Workspace | None:
    """The workspace of a workstream, opened if it is not; None where its steps work in the checkout.

    Raises UserError where the workstream demands a worktree and there is no git, GitError.
    """
    known = session.workspaces.get(ws.id)
    if isinstance(known, Workspace):
        return known
    if ws.isolation == "none" or step.phase == "land":
        return None
    git = session.git
    if git is None:
        if ws.isolation == "required":
            raise UserError(
                f"{ws.id}: `isolation: worktree` needs git and a repository with a work tree",
                "run `git init`, or set `isolation: none`",
            )
        return None
    space = session.workspaces[ws.id] = Workspace(session, ws, git)
    session.forget_decisions()
    return space


class Workspace:
    """The files of one workstream between its first step and its landing.

    `root` is the absolute path of the project in it, `freshness` answers for its files.
    """

    def __init__(self, session: Session, ws: WorkstreamPlan, git: Git) -> None:
        self.session = session
        self.ws = ws
        self.git = git
        self.root = session.root
        self.worktree: Worktree | None = None
        self.freshness = self._ground.fork()
        self._supposed: dict[str, str] = {}
        self._entries: list[Entry] = []
        self._contents: dict[str, str] = {}
        self._guarded: watching.Guarded | None = None
        self.strays: list[str] = []
        self._is_adopted = is_kept(session.root, ws.id)
        if self._is_adopted:
            self.materialize()

    @property
    def _ground(self) -> Freshness:
        """What is there without the work of the workstream."""
        return self.session.ground(self.ws).freshness

    def _snapshot(self) -> Snapshot:
        """The same as a commit. Raises ConflictError, GitError."""
        return self.session.stacks.base(self.ws, snapshot(self.git))

    def decide(self, step: StepPlan) -> Decision:
        """Whether a step is up to date here; landing is not before it has landed."""
        decision = self.freshness.decide(self.ws, step)
        if decision.fresh and step.phase == "land" and self._has_work():
            return decision._replace(fresh=False, reasons=(NOT_LANDED,))
        return decision

    def _has_work(self) -> bool:
        """Whether something may have to land; what cannot be told is found out by trying."""
        try:
            return bool(self.changes())
        except (WsbuildError, OSError):
            return True

    @property
    def where(self) -> str:
        """The path of its files from the checkout's root, for a person; '' where there are none yet."""
        return os.path.relpath(self.root, self.session.root) if self.worktree is not None else ""

    # --- recorded results

    @property
    def is_supposed(self) -> bool:
        """Whether there are no files yet."""
        return self.worktree is None

    def suppose(self, entry: Entry) -> None:
        """Let a recorded result be there."""
        states = entry.states()
        self._entries.append(entry)
        self._supposed.update(states)
        self.freshness.suppose(states)

    def _write(self, entry: Entry) -> None:
        """Put a result in the worktree that was supposed to be there."""
        assert self.session.cache is not None
        now = self._check_unmoved(self.freshness, entry)
        differing = [kept for kept in entry.files if now[kept.path] != kept.state]
        removed = [path for path in entry.removed if now[path] != MISSING]
        if differing or removed:
            Staged(self.root, self.session.cache.blobs, differing, removed).commit()

    def _check_unmoved(self, freshness: Freshness, entry: Entry) -> dict[str, str]:
        """The states of an entry's paths there; UserError where somebody changed one of an edit's files
        since the result was found to fit.
        """
        states = entry.states()
        now = freshness.states.states(states)
        theirs = [p for p, state in now.items() if state not in {states[p], entry.before.get(p, MISSING)}]
        if theirs and entry.before:
            raise UserError(f"{theirs[0]} was changed while {self.ws.id} was under way", "run it again")
        return now

    # --- files

    def materialize(self) -> None:
        """Have the files, in a git worktree made from the checkout as it is. Raises GitError, UserError,
        OSError.
        """
        with self.session.landing:
            self.worktree, told = open_worktree(self.git, self.ws.id, self._snapshot())
        self.session.warn(told)
        self.root = self.worktree.root
        states = FileStates(self.root, self.session.freshness.states.seed, lambda _: {})
        tree = Tree(self.root, self.session.plan.config.ignore)
        self.freshness = self.session.freshness.at(tree, states)
        self.session.forget_decisions()
        for entry in self._entries:
            self._write(entry)

    def changes(self) -> dict[str, str]:
        """What was done and has not landed: path in the project to its state here (MISSING: removed)."""
        if self.worktree is None:
            now = self._ground.states.states(self._supposed)
            return {path: state for path, state in self._supposed.items() if now[path] != state}
        return self.freshness.states.states(self._in_project(self._differing(self.worktree)))

    def _differing(self, worktree: Worktree) -> list[str]:
        work = work_tree(worktree, self._own_files())
        return differing(self.git, worktree.tree, work)

    def _own_files(self) -> list[str]:
        return self.freshness.tree.expand(self.ws.owned, gitignore=True)

    def _in_project(self, paths: Iterable[str]) -> list[str]:
        """Those of the repository's paths that lie in the project, as the project calls them."""
        prefix = self.git.prefix
        return [path[len(prefix) :] for path in paths if path.startswith(prefix)]

    def watch(self) -> None:
        """A tool is about to work here: remember what is around. Raises GitError."""
        if self.worktree is not None:
            self._guarded = watching.begin(self.session, self.worktree)

    def violations(self) -> list[str]:
        """What was done here, and since `watch` to what steers git, that the workstream may not do, a line
        each. `strays` is then what was done meanwhile, by whomever, to references, and in the checkout to
        what is not the workstream's own. Raises GitError.
        """
        if self.worktree is None:
            return []
        guarded, self._guarded = self._guarded, None
        around = watching.end(self.session, self.worktree, guarded)
        is_owned = matcher(self.ws.owned, below=True)
        at = self.git.prefix
        self.strays = [
            *(f"{done} {name} of the repository" for name, done in around.references.items()),
            *(
                f"{done} {path} in the checkout"
                for path, done in around.files.items()
                if not (path.startswith(at) and is_owned(path[len(at) :]))
            ),
        ]
        found = [f"{done} {name}: of the repository itself" for name, done in around.settings.items()]
        return self._violations(self.worktree) + found

    def _violations(self, worktree: Worktree) -> list[str]:
        touched = self._differing(worktree)
        inside = self._in_project(touched)
        there = set(tracked(self.git, worktree.tree, touched))
        context = self.ws.context
        scope = Scope(context["files_scope"], context["files_create"])
        found = scope.violations(
            (
                path,
                self.git.prefix + path in there and not self._is_ours(path),
                os.path.lexists(self._at(path)),
            )
            for path in inside
        )
        outside = sorted(path for path in touched if not path.startswith(self.git.prefix))
        strange = [f"made {path} {what}" for path in inside if (what := what_is_strange(self._at(path)))]
        return found + strange + [f"touched {path}: not in the project" for path in outside]

    def _at(self, path: str) -> str:
        return os.path.join(self.root, path)

    def _is_ours(self, path: str) -> bool:
        """Whether the workstream itself has written a file: what it made it may change."""
        writers = self.session.reader.writers([path])[path]
        return any(writer.task.startswith(self.ws.task + ":") for writer in writers)

    def settle(self) -> None:
        """Have files that were edited here as they will be where they land: what is checked is what somebody
        gets who merges a branch. Raises GitError, OSError.
        """
        if self.worktree is None or self.ws.land != BRANCH:
            return
        work = work_tree(self.worktree, self._own_files())
        as_checked_out(self.worktree, work, differing(self.git, self.worktree.tree, work))

    def quarantine(self, name: str) -> list[str]:
        """Take all that was done here out of the way, kept as a patch and a reference: gives lines that
        say where. Raises GitError, OSError.
        """
        assert self.worktree is not None
        work = work_tree(self.worktree, self._own_files())
        patch = self.git.run(
            "diff-tree", "-p", "--binary", "--no-renames", "--no-ext-diff", self.worktree.tree, work
        )
        rel = f"{QUARANTINE}/{name}.patch"
        make_dir(self.session.root, os.path.dirname(rel))
        write_atomic(os.path.join(self.session.root, rel), patch)
        told = remove(self.worktree)
        self._begin_anew()
        return [f"what it did is in {rel}", *filter(None, [told])]

    def begin(self, *, edits: bool) -> bool:
        """A step is to be done here. If it is the first of this run and `edits`, work is taken out of the
        way that an earlier run left and that is no recorded result, as when that was killed: an edit
        begins from the checkout. Gives whether there was any.

        Raises GitError, OSError.
        """
        adopted, self._is_adopted = self._is_adopted, False
        if not (adopted and edits) or self.worktree is None:
            return False
        self.session.warn(remove(self.worktree))
        self._begin_anew()
        return True

    def _begin_anew(self) -> None:
        self.worktree, self._entries, self._supposed = None, [], {}
        self.root, self.freshness = self.session.root, self._ground.fork()
        self.session.forget_decisions()

    # --- landing

    def catch_up(self) -> bool:
        """Merge what was changed in the checkout meanwhile, if that touches what was changed here; gives
        whether there was something to merge. Raises ConflictError, GitError, UserError.
        """
        if self.worktree is None:
            for entry in self._entries:
                self._check_unmoved(self._ground, entry)
            return False
        before = self.worktree
        self.worktree = catch_up(before, self._snapshot(), self._own_files())
        self.session.forget_decisions()
        return self.worktree is not before

    def copy_to(self, digest: str, fd: int) -> None:
        """Write a content that is here to the open, empty file `fd`. Raises DamagedBlobError, OSError."""
        if self.worktree is None:
            assert self.session.cache is not None
            self.session.cache.blobs.copy_to(digest, fd)
            return
        source = os.open(
            os.path.join(self.root, self._contents[digest]), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        )
        try:
            found = copy_verified(source, fd)
        finally:
            os.close(source)
        if found != digest:
            raise OSError(errno.EBUSY, "it was changed just now", self._contents[digest])

    def kept_files(self, states: Mapping[str, str]) -> list[KeptFile]:
        """The files in `states` as they can be put in another place. Raises OSError."""
        if self.worktree is None:
            by_path = {kept.path: kept for entry in self._entries for kept in entry.files}
            return [by_path[path] for path in states]
        self._contents = {state[2:]: path for path, state in states.items()}
        found = []
        for path, state in states.items():
            st = os.lstat(os.path.join(self.root, path))
            found.append(KeptFile(path, stat.S_IMODE(st.st_mode) & 0o777, st.st_size, state[2:]))
        return found

    def landed(self) -> None:
        """All is in the checkout: let go of the workspace."""
        if self.worktree is not None:
            try:
                remove(self.worktree, landed=True)
            except OSError as error:
                self.session.warn(f"cannot remove {self.where}: {error.strerror}: {error.filename}")
        self.session.workspaces.pop(self.ws.id, None)
        self.session.forget_decisions()
