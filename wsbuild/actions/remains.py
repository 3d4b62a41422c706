"""What earlier attempts of a step left at the places of its outputs: gone before the next begins.

So a build leaves what a first build of the same sources would leave: no output of an input that is
no more, none that the command has ceased to make. Only what the step itself made is removed, and
only as it left it; what somebody has changed since, and what a dead process left, is moved aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.actions.outcome import Ground
from wsbuild.cache.files import MISSING
from wsbuild.cache.put_back import ASIDE
from wsbuild.cache.within import move_aside, remove
from wsbuild.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.freshness import Decision
    from wsbuild.actions.place import Place
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import StepPlan


def clear(
    session: Session,
    place: Place,
    task: str,
    step: StepPlan,
    decision: Decision,
    wanted: Mapping[str, str] | None = None,
) -> Ground:
    """Take away what earlier attempts at `task` left, but for what is `wanted` as it is.

    Raises StateError where something cannot be removed.
    """
    present = {path: state for path, state in decision.outputs.items() if state != MISSING}
    made = dict(session.reader.created_by(task)) if step.outputs else {}
    last = session.reader.last_attempt(task) if present else None
    if last is None:
        made.update(_known_to_cache(session, task, present))
    standing, removed, aside = set(), set(), []
    for path, state in present.items():
        is_left = path in made or (last is not None and last.died and path not in last.standing)
        if path in decision.seen or not is_left:
            standing.add(path)
        elif not step.incremental and (wanted is None or wanted.get(path) != state):
            removed.add(path)
            try:
                if made.get(path) == state:
                    remove(place.root, path)
                else:
                    aside.append(move_aside(place.root, path, f"{ASIDE}/{session.run_id}", session.root))
            except OSError as error:
                message = f"cannot remove {path}, which {task} made: {error.strerror}"
                raise StateError(message, "make its directory writable") from error
    return Ground(frozenset(standing), frozenset(made), frozenset(removed), tuple(aside))


def _known_to_cache(session: Session, task: str, present: Mapping[str, str]) -> dict[str, str]:
    """Those of the files that recorded results of the step have, and the states these left: the present
    one, if one left that. Where the history is lost, or was made elsewhere, this says who made them.
    """
    if not present or session.cache is None:
        return {}
    left = {made for entry in session.cache.recent(task) for made in entry.states().items()}
    return {**{path: state for path, state in left if path in present}, **dict(left & present.items())}
