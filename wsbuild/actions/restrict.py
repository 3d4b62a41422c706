"""What a run has to ask of all that it is about, where an earlier one knows the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.actions.trace import Reach, Trace
from wsbuild.store import events
from wsbuild.watch import UNSURE

if TYPE_CHECKING:
    from wsbuild.actions.again import Again
    from wsbuild.actions.session import Session
    from wsbuild.actions.tally import StepReport
    from wsbuild.actions.trace import Row
    from wsbuild.memory import Memory
    from wsbuild.plan.order import Chosen


class Restricted(NamedTuple):
    """The steps that are to be asked, and what is told of the others."""

    chosen: Chosen
    others: list[StepReport]


def restricted(session: Session) -> Restricted | None:
    """What is left of a run, where all else is as an earlier one found it; None where that cannot be told, or
    is most of it.
    """
    again = session.again
    if again is None or again.before is None:
        return None
    old = again.before.memory
    trace = Trace.of_memory(old)
    if not _same_history(session, again, old, trace):
        return None
    if any(row.ws_id not in session.plan for row in trace.rows):
        return None  # it was removed after all was looked at
    found = Reach(old, trace, session.plan).of_changes(again.before.moved)
    if found is None or trace.is_most(found):
        return None
    if any(not _has_steps(session, trace.rows[number]) for number in found):
        return None
    again.trace = trace
    chosen = {
        row.ws_id: [name for name, _ in row.steps] for number, row in enumerate(trace.rows) if number in found
    }
    others = [number for number in range(len(trace.rows)) if number not in found]
    return Restricted(chosen, list(trace.reports(others)))


def _has_steps(session: Session, row: Row) -> bool:
    known = {step.name for step in session.plan[row.ws_id].steps}
    return known.issuperset(name for name, _ in row.steps)


def _same_history(session: Session, again: Again, old: Memory, trace: Trace) -> bool:
    """Whether nothing was recorded since. Every change comes with an event; one by other means makes the file
    look otherwise.
    """
    looks = again.watch.around
    for path in again.database:
        rel = path.removeprefix(session.root + "/")
        if rel not in trace.database:
            return False
        seen, now = old.look(old.places[rel]), looks[path]
        unsure = (*now[:3], UNSURE, now[4])
        if seen not in {now, unsure}:
            return False
    return session.store.seed == trace.seed and session.store.read(events.last_seq) == trace.seq
