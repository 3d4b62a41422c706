"""What a workstream did as one commit: on the branch that is checked out, or on one of its own."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from wsbuild.cache.files import MISSING
from wsbuild.errors import UserError, WsbuildError
from wsbuild.plan.records import COMMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.actions.session import Session
    from wsbuild.actions.workspace import Workspace
    from wsbuild.cache.entry import KeptFile
    from wsbuild.plan.records import WorkstreamPlan
    from wsbuild.worktrees.commit import Pending

SUBJECT_LENGTH = 100


def head_for(space: Workspace, changes: Iterable[str]) -> str:
    """The commit on which the paths of `changes`, as they are in the checkout, can be committed.

    Raises UserError where they cannot, GitError.
    """
    from wsbuild.worktrees.commit import ready_head

    head = ready_head(space.git)
    _check_clean(space, head, changes)
    return head


def _check_clean(space: Workspace, head: str, changes: Iterable[str]) -> None:
    from wsbuild.worktrees.trees import uncommitted

    git = space.git
    theirs = uncommitted(git, head, [git.prefix + path for path in changes])
    if theirs:
        raise UserError(
            f"{theirs[0]} has changes that are not committed, and {space.ws.id} changes it too",
            "commit or stash yours, and run again: it lands then",
        )


def prepare(
    space: Workspace, head: str, files: Sequence[KeptFile], changes: Mapping[str, str]
) -> Pending | None:
    """The commit of `changes`, of which `files` are those that stay, on `head`: to be finished when they
    are in their places. None where `head` has them already. Raises DamagedBlobError, GitError, OSError.
    """
    from wsbuild.worktrees.commit import prepare

    entries = _entries(space, files, changes)
    return prepare(space.git, space.ws.id, head, entries, _message(space.session, space.ws))


def onto_branch(space: Workspace, changes: Mapping[str, str]) -> str:
    """Commit `changes` to the branch of a workstream; gives the commit.

    Raises UserError where they cannot be, GitError, OSError; then nothing has changed.
    """
    from wsbuild.worktrees.branch import add_commit, check_free, moved_by_landing
    from wsbuild.worktrees.commit import no_commit_yet

    git, session, ws = space.git, space.session, space.ws
    session.stacks.look_again()
    at = session.stacks.tops
    if not at.head:
        raise no_commit_yet()
    check_free(git, ws.id)
    _check_clean(space, at.head, changes)
    files = space.kept_files({path: state for path, state in changes.items() if state != MISSING})
    entries = _entries(space, files, changes)
    session.doings.note(moved_by_landing(ws.id))
    below = session.stacks.tips(session.stacks.below(ws))
    return add_commit(git, ws.id, at, below, entries, _message(session, ws))


def _entries(space: Workspace, files: Sequence[KeptFile], changes: Mapping[str, str]) -> dict[str, str]:
    """`changes` as git has them, mode and object id by path; of them `files` are those that stay."""
    from wsbuild.worktrees.trees import blob

    git = space.git
    entries = {git.prefix + path: "" for path, state in changes.items() if state == MISSING}
    for kept in files:
        with tempfile.TemporaryFile() as file:
            space.copy_to(kept.sha256, file.fileno())
            file.seek(0)
            oid = blob(git, git.prefix + kept.path, file.read())
        mode = "100755" if kept.mode & 0o100 else "100644"
        entries[git.prefix + kept.path] = f"{mode} {oid}"
    return entries


def _message(session: Session, ws: WorkstreamPlan) -> str:
    asked = [*ws.context["tasks"], ws.context["openspec_change"], ws.doc]
    subject = f"{ws.id}: {' '.join(next(filter(None, map(str.strip, asked)), '').split())}"
    if len(subject) > SUBJECT_LENGTH:
        subject = subject[: SUBJECT_LENGTH - 1].rstrip() + "…"
    trailers = [f"Wsbuild-Workstream: {ws.id}", f"Wsbuild-Run: {session.run_id}"]
    trailers += [f"Wsbuild-Depends-On: {upstream}" for upstream in ws.depends_on]
    return "\n".join([subject, "", *trailers, ""])


def settled(space: Workspace) -> None:
    """Nothing is left to be done about its commit: it is made and recorded, or nothing has landed."""
    from wsbuild.worktrees.commit import drop_note

    drop_note(space.git, space.ws.id)


def uncommitted(session: Session, ws: WorkstreamPlan, space: Workspace | None) -> Exception | None:
    """Why a workstream whose files are all in the checkout has not landed: it is to be a commit, and what
    it wrote is in none.
    """
    if ws.land != COMMIT or (space is not None and space.changes()):
        return None
    from wsbuild.worktrees import commit, trees

    git = session.git
    states = session.freshness.owned_states(ws)
    own = [
        path
        for path, writers in session.reader.writers(list(states)).items()
        if writers and writers[0].task.startswith(ws.task + ":") and writers[0].digest == states[path]
    ]
    if git is None or not own:
        return None
    try:
        left = trees.uncommitted(git, commit.ready_head(git), [git.prefix + path for path in own])
    except (WsbuildError, OSError) as error:
        return error
    if not left:
        return None
    return UserError(f"{left[0]} is as {ws.id} left it, but is in no commit", "commit it, and run again")
