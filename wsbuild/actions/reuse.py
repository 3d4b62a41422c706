"""Results of earlier runs: found by what a step would start from now, and put back in place of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions import remains
from wsbuild.actions.outcome import Ground
from wsbuild.cache.cache import NotKeptError
from wsbuild.cache.entry import manifest_lines
from wsbuild.cache.files import MISSING
from wsbuild.cache.manifest import Reason, differences
from wsbuild.cache.put_back import Staged
from wsbuild.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.outcome import Success
    from wsbuild.actions.place import Place
    from wsbuild.actions.session import Session
    from wsbuild.cache.cache import Cache, Ran
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.records import StepPlan, WorkstreamPlan

LONG_S = 1.0
"""What took longer to make is flushed to the disk at once, what took less within so many seconds."""

NEAR = 8
"""How many of a step's results, the last used first, an explanation looks at."""


class Prospect(NamedTuple):
    """Whether a recorded result fits: the entry, or why none does ('' where there is none at all);
    `damage` is what was found wrong in the cache on the way.
    """

    entry: Entry | None
    why_not: str = ""
    damage: str = ""


def look_up(session: Session, ws: WorkstreamPlan, step: StepPlan, decision: Decision) -> Prospect:
    """The recorded result that could be put back in place of running `step` now. Changes nothing."""
    task, cache = ws.step_task(step.name), session.cache
    if cache is None or not step.cached or session.reader.is_forgotten(task):
        return Prospect(None)
    found = cache.find(task, decision.action.key())
    if found.entry is None:
        return Prospect(None, found.why_not, found.damage)
    states = found.entry.states()
    may_write = matcher(step.outputs or (ws.owned if step.edits else ()), below=True)
    stray = [path for path in states if not may_write(path)]
    if stray:
        cache.reject(found.entry)
        return Prospect(None, "", f"the cached result of {task} names {stray[0]}, which is not its output")
    if step.edits and (path := _not_as_found(session.place(ws), found.entry, states)):
        return Prospect(None, f"{path} is not what it was when the result was recorded", found.damage)
    return Prospect(found.entry, "", found.damage)


def _not_as_found(place: Place, entry: Entry, states: Mapping[str, str]) -> str:
    """A path that is neither as the editing step found it nor as it left it: somebody's work is there."""
    now = place.freshness.states.states(states)
    return next((p for p, state in now.items() if state not in {states[p], entry.before.get(p, MISSING)}), "")


def put_back(
    session: Session, ws: WorkstreamPlan, step: StepPlan, decision: Decision, entry: Entry
) -> Ground:
    """Make the tree what the step would have made it: all of it or nothing.

    Raises DamagedBlobError, OSError; then nothing of it is there, at most earlier outputs are gone.
    """
    assert session.cache is not None
    task, place, states = ws.step_task(step.name), session.place(ws), entry.states()
    space = session.workspaces.get(ws.id)
    if space is not None and space.is_supposed:
        space.suppose(entry)
        return Ground()
    now = place.freshness.states.states(states)
    differing = [kept for kept in entry.files if now[kept.path] != kept.state]
    removed = [path for path in entry.removed if now[path] != MISSING]
    if not differing and not removed:
        return remains.clear(session, place, task, step, decision, states)
    staged = Staged(place.root, session.cache.blobs, differing, removed)
    try:
        ground = remains.clear(session, place, task, step, decision, states)
    except BaseException:
        staged.discard()
        raise
    staged.commit()
    return ground


def keep(session: Session, ran: Ran, success: Success) -> str:
    """Keep a success for other runs; gives what is to be said of it ('' for nothing).

    A cache that cannot be written costs later runs time, and this one nothing.
    """
    cache = session.cache
    if cache is None or not cache.shelf.writable:
        return ""
    try:
        entry = cache.keep(ran)
        if success.key != ran.key:
            cache.keep_under(entry, success.key, success.manifest)
        cache.shelf.settle(after_s=0.0 if ran.duration_s > LONG_S else LONG_S)
    except NotKeptError as error:
        return f"not cached: {error}"
    except OSError as error:
        _give_up(session, cache, error)
        return ""
    return "not shareable: its outputs hold the path of this checkout" if entry.bound_to else ""


def settle(session: Session) -> None:
    """Put in its place what was kept and still waits for it: the run is over."""
    cache = session.__dict__.get("cache")
    if cache is not None:
        try:
            cache.shelf.settle()
        except OSError as error:
            _give_up(session, cache, error)


def _give_up(session: Session, cache: Cache, error: OSError) -> None:
    cache.shelf.writable = False
    why = error.strerror or error
    session.warn(f"the cache {cache.directory} cannot be written: {why}; nothing is kept")


def nearest(session: Session, ws: WorkstreamPlan, step: StepPlan, decision: Decision) -> tuple[Reason, ...]:
    """How what the step would start from now differs from the recorded result that is nearest to it."""
    if session.cache is None or not step.cached:
        return ()
    lines = decision.action.lines
    found: list[list[Reason]] = []
    for entry in session.cache.recent(ws.step_task(step.name), NEAR):
        try:
            found.append(differences(manifest_lines(entry), lines))
        except (ValueError, TypeError, LookupError):
            continue
    found.sort(key=len)
    return tuple(found[0]) if found else ()


def explained(
    session: Session, ws: WorkstreamPlan, step: StepPlan, decision: Decision, why_not: str
) -> Decision:
    """A decision to run with the reasons that tell most: against the last success, or, where there is
    none or an earlier result is nearer to what is now, against that. `why_not` says why a result that
    is there cannot be restored.
    """
    near = nearest(session, ws, step, decision)
    told = decision.reasons
    if why_not:
        return decision._replace(reasons=(*told, Reason("not-restored", why_not)))
    if session.reader.row(ws.step_task(step.name)) is None:
        return decision._replace(reasons=(*told, *near))
    inputs = [reason for reason in told if not reason.kind.startswith("output-")]
    if near and len(near) < len(inputs):
        return decision._replace(reasons=near)
    return decision
