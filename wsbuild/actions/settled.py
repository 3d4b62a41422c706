"""Remembering what a run has found: what is done, by what it looks like, and what is to be asked again."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from wsbuild import memory
from wsbuild.actions.again import keep
from wsbuild.actions.claims import Claims
from wsbuild.actions.tally import IDLE, SKIPPED, UP_TO_DATE, StepReport, Tally
from wsbuild.actions.trace import Reach, Trace
from wsbuild.memory import NO_MARK, UNDECIDED
from wsbuild.plan.records import BRANCH
from wsbuild.store import events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wsbuild.actions.again import Again
    from wsbuild.actions.session import Session
    from wsbuild.memory import Memory
    from wsbuild.plan.records import StepPlan

ENVIRON = (
    *("PATH", "HOME", "AIDER_MODEL", "AIM_REGISTRY_PATH", "WSBUILD_CACHE_DIR"),
    *("PIPELINE_WORKSTREAM_DIR", "PIPELINE_DB_PATH", "PIPELINE_DRY_RUN"),
)
"""Variables that every answer depends on."""


def can_be_remembered(session: Session) -> bool:
    """Whether the next run can see by looks what a run has found."""
    if session.ended_by or session.fatal or session.has_warned or session.workspaces:
        return False
    lands = {session.plan[ws_id].land for ws_id in session.chosen}
    asks = session.freshness.tools.asks_each_time or any(map(_asks_others, _steps(session)))
    return BRANCH not in lands and not asks


class Remembering:
    """What a run leaves for the next: made while the history is open. Unless it `is_alone`, others may record
    something at any time.
    """

    def __init__(self, session: Session, again: Again, *, is_alone: bool) -> None:
        self._session = session
        self._again = again
        self._is_alone = is_alone
        self._root = session.root
        before = again.before if again.trace is not None else None
        self._old = (
            before.memory if before is not None else memory.of_run(session.root, (0, "", ""), {}, {}, "")
        )
        self._trace = again.trace or self._new_trace()
        self._numbers = {row.ws_id: number for number, row in enumerate(self._trace.rows)}
        self._seq = session.store.read(events.last_seq)
        self._states = session.freshness.states

    def keep(self) -> None:
        """Write it down. The run has let go of the history, and still holds the tree if it has written."""
        again, trace, session = self._again, self._trace, self._session
        if not again.look_at_database_again() and not self._is_alone:
            return
        trace.database = [self._rel(path) for path in again.database]
        trace.seed, trace.seq = self._states.seed, self._seq
        undecided = self._undecided()
        if trace.is_most(undecided):
            return
        new = self._merged()
        if undecided:
            left = Reach(new, trace, session.plan).closure(undecided)
            if left is None or trace.is_most(left):
                return
            trace.left = sorted(left)
        else:
            trace.left = []
        new.answer = (UNDECIDED, "", "") if undecided else (0, again.render(self._as_done()), "")
        new.first = str(trace.seed).encode()
        new.details = trace.to_json().encode("utf-8", "surrogateescape")
        keep(self._root, again.words, new)

    def _new_trace(self) -> Trace:
        session = self._session
        numbers = {ws_id: number for number, ws_id in enumerate(session.chosen)}
        rows = []
        for ws_id, chosen in _chosen(session):
            ws = session.plan[ws_id]
            steps = [[step.name, step.idle] for step in chosen]
            after = [numbers[one] for one in (*ws.depends_on, *ws.after) if one in numbers]
            rows.append([ws_id, steps, after])
        return Trace.of_rows(rows)

    def _undecided(self) -> list[int]:
        """The rows of which not every step was found done."""
        session = self._session
        found = []
        for ws_id, names in session.chosen.items():
            ws = session.plan[ws_id]
            reports = [session.tally.get(ws.step_task(name)) for name in names]
            if not all(report is not None and _is_done(report) for report in reports):
                found.append(self._numbers[ws_id])
        return found

    def _merged(self) -> Memory:
        """What was seen before, with what was seen now; the trace gets the codes."""
        old, trace, watch = self._old, self._trace, self._again.watch
        claims = Claims(self._root)
        asked = set()
        for ws_id, steps in _chosen(self._session):
            asked.add(self._numbers[ws_id])
            claims.add(self._numbers[ws_id], steps)
        readers = claims.readers(watch, self._again.common)
        paths, marks = list(old.paths), bytearray(old.marks)
        old.seen = seen = array("q", old.seen.tobytes())  # what was loaded cannot grow
        looks = watch.stats()
        if self._again.trace is None:  # else it is in the memory
            looks = {**watch.known, **looks}
        for path, look in looks.items():
            rel = self._rel(path)
            first = watch.files.get(path)
            mark = bytes.fromhex(self._states.mark(rel, first)) if first else b""
            members = readers[path]
            place = old.places.get(rel)
            if place is None:
                paths.append(rel)
                seen.extend(look)
                marks += mark or NO_MARK
                trace.codes.append(trace.code_of(members))
            else:
                known = trace.members(trace.codes[place])
                others = None if known is None else frozenset(known).difference(asked)
                trace.codes[place] = trace.code_of(
                    None if members is None or others is None else members | others
                )
                if others != frozenset() and look != old.look(place) and rel not in trace.database:
                    continue  # it has changed since the run began: the others have yet to be asked
                marks[place * len(NO_MARK) : (place + 1) * len(NO_MARK)] = mark or NO_MARK
                old.saw(place, look)
            if path in watch.names:
                trace.names[path] = watch.names[path]
        trace.add_words(claims.words(), asked)
        environ = {**old.environ, **self._environ()}
        return memory.Memory(self._root, old.answer, paths, seen, environ, b"", bytes(marks))

    def _environ(self) -> Mapping[str, str | None]:
        given = self._session.environ
        passed = {
            name
            for step in _steps(self._session)
            for command in step.commands
            for name, value in command.env.items()
            if value is None
        }
        return {name: given.get(name) for name in ENVIRON} | memory.hidden(given, passed)

    def _as_done(self) -> Tally:
        """What a run would tell that finds all of it done."""
        tally = Tally()
        for report in self._trace.reports(range(len(self._trace.rows))):
            tally.add(report)
        return tally

    def _rel(self, path: str) -> str:
        return path.removeprefix(self._root + "/")


def _chosen(session: Session) -> Iterator[tuple[str, list[StepPlan]]]:
    """The workstreams of the run, with those steps of each that it is about."""
    for ws_id, names in session.chosen.items():
        wanted = set(names)
        yield ws_id, [step for step in session.plan[ws_id].steps if step.name in wanted]


def _steps(session: Session) -> Iterator[StepPlan]:
    return (step for _, steps in _chosen(session) for step in steps)


def _is_done(report: StepReport) -> bool:
    return report.status == UP_TO_DATE or (report.status == SKIPPED and report.reason == IDLE)


def _asks_others(step: StepPlan) -> bool:
    """Whether a step depends on what detectors or routes look at, which nobody takes note of."""
    return any(command.detectors or command.capability for command in step.commands)
