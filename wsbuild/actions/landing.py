"""LAND: what an isolated workstream did arrives in the checkout, all of it or nothing.

Where the checkout has moved since the workstream began, the two are merged in the workspace first and
checked there again: nothing lands that was not checked as it is.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from wsbuild.actions import committing, unfinished
from wsbuild.actions.outcome import Ground, Outcome, left_by, success_of
from wsbuild.actions.tally import EXECUTED, FAILED, StepReport
from wsbuild.cache.blobs import DamagedBlobError
from wsbuild.cache.files import MISSING, FileStates
from wsbuild.cache.put_back import Staged
from wsbuild.errors import UserError, WsbuildError
from wsbuild.plan.records import BRANCH, COMMIT
from wsbuild.tools.signature import signature
from wsbuild.worktrees.branch import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.actions.job import Job
    from wsbuild.actions.outcome import Success
    from wsbuild.actions.workspace import Workspace
    from wsbuild.plan.records import StepPlan

ROUNDS = 3
"""How often the checkout may move again while what was merged is being checked."""


def land(job: Job, space: Workspace, check: Callable[[StepPlan], str]) -> str:
    """Bring the workspace's changes into the checkout; gives why not, empty when they are there.

    `check` has a step done that is not up to date, and gives why it failed.
    """
    for _ in range(ROUNDS):
        try:
            if not space.catch_up():
                return _attempt(job, space)
        except (WsbuildError, OSError, DamagedBlobError) as error:
            return _attempt(job, space, error)
        for step in job.ws.steps:
            failure = check(step) if step.phase in {"static", "runtime"} else ""
            if failure:
                return failure
        # The checks have new results, and landing depends on them.
        job = job.looked_again()
    return _attempt(job, space, UserError("the checkout changes faster than it is checked", "run it again"))


def _attempt(job: Job, space: Workspace, failure: Exception | None = None) -> str:
    """The recorded attempt: the landing itself, or the `failure` that came before it."""
    landed: dict[str, str] = {}
    started, commit = time.monotonic(), ""
    reason = "; ".join(map(str, job.decision.reasons))
    attempt = job.recorder.begin(job.ws, job.step, job.decision, job.decision.action.key(), Ground())
    success: Success | None = None
    if failure is None:
        try:
            landed, commit = arrive(space)
            # Before it is recorded: whoever finds it recorded need not look for a worktree.
            space.landed()
        except (WsbuildError, OSError, DamagedBlobError) as error:
            failure = error
    outcome = Outcome("ok", 0, time.monotonic() - started)
    details = tuple(f"{'removed' if state == MISSING else 'wrote'} {path}" for path, state in landed.items())
    if commit:
        where = f" on the branch {name_of(job.ws.id)}" if job.ws.land == BRANCH else ""
        details = (*details, f"committed as {commit[:12]}{where}")
    if failure is not None:
        message = job.session.redacted(str(failure))
        mark = signature(job.step.name, "not-landed", message)
        outcome = Outcome("failed", 1, outcome.duration_s, message, mark, message)
        details = (*message.split("\n")[1:], *([f"its work is kept in {space.where}"] if space.where else []))
    else:
        after = job.session.ground(job.ws).freshness.decide(job.ws, job.step)
        success = success_of(job.step, job.decision, after)._replace(writes=landed)
    wrote = left_by(job.step, success, Ground()) if success else {}
    job.recorder.end(attempt, outcome, success, "", "", wrote)
    if commit and job.ws.land == COMMIT:
        committing.settled(space)
    unfinished.drop_files(job.session, job.ws.id)
    status = FAILED if failure is not None else EXECUTED
    told = outcome.message.split("\n")[0] or reason
    job.session.tally.add(StepReport(attempt.task, status, told, outcome.duration_s, attempt.number, details))
    return outcome.message


def arrive(space: Workspace) -> tuple[dict[str, str], str]:
    """Put the changes in the checkout, or on the workstream's branch; gives what was put where, and the
    commit that was made of it: one in the checkout is noted as under way until `committing.settled` is told.

    Raises UserError, GitError, OSError; then nothing of it is there, or all and the next run commits it.
    """
    from wsbuild.worktrees.commit import finish
    from wsbuild.worktrees.watch import moved_by_commit

    session = space.session
    states = session.freshness.states
    with session.landing:
        changes = space.changes()
        # Looked at before it is asked whether the checkout has moved: what changes later is seen below.
        here = states.states(changes)
        if space.catch_up():
            raise UserError("the checkout was changed just now", "run it again: the two are merged by then")
        if strange_acts := space.violations():
            raise UserError(f"outside its scope: {strange_acts[0]}", f"see {space.where}")
        strange = [path for path, state in changes.items() if state[:1] not in {"", "f", "x"}]
        if strange:
            raise UserError(f"{strange[0]} is no plain file", "symbolic links and special files do not land")
        if space.ws.land == BRANCH:
            return changes, committing.onto_branch(space, changes)
        wanted = {path: state for path, state in changes.items() if here[path] != state}
        removed = [path for path, state in wanted.items() if state == MISSING]
        head = committing.head_for(space, changes) if space.ws.land == COMMIT else ""
        files = space.kept_files({path: state for path, state in changes.items() if state != MISSING})
        pending = committing.prepare(space, head, files, changes) if head else None
        files = [kept for kept in files if kept.path in wanted]
        # With a memory of its own: where files are for a moment is nothing to remember.
        passing = FileStates(session.root, states.seed, lambda _: {})
        try:
            if wanted:
                session.doings.note(space.git.prefix + path for path in wanted)
                if pending is None:
                    unfinished.note_files(session, space.ws.id, changes)
                is_expected = partial(_is_as_seen, passing, here)
                Staged(session.root, space, files, removed, is_expected).commit()
        except BaseException:
            if pending is not None:
                committing.settled(space)
            raise
        if pending is None:
            return changes, ""
        session.doings.note(moved_by_commit(space.git))
        return changes, finish(pending)


def _is_as_seen(states: FileStates, seen: Mapping[str, str], path: str, at: str) -> bool:
    return states.state(at) == seen[path]
