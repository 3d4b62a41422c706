"""What an earlier run knows of its steps: which workstreams a change reaches, and which it leaves as they
were found.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import patterns
from wsbuild.actions.tally import IDLE, SKIPPED, UP_TO_DATE, StepReport
from wsbuild.folders import below, chain
from wsbuild.looks import look_at, names_in
from wsbuild.watch import settled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from wsbuild.actions.claims import Members
    from wsbuild.memory import Memory
    from wsbuild.plan.cached import Plan

EVERYBODY = -1


class Row(NamedTuple):
    """A workstream of a run, with its steps (the name, and whether there is nothing configured to do), and
    the numbers of those rows that it comes after.
    """

    ws_id: str
    steps: list[tuple[str, bool]]
    after: list[int]


class Trace:
    """The rows of a run, and for each path of its memory the `codes` of who depends on it: the number of one
    row, EVERYBODY, or below that a place among `sets` of several. `left` are rows that are not decided. `seq`
    is the last event that was recorded, in the history `seed` with its files at `database`.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.rows = [Row(*row) for row in data["rows"]]
        self.names: dict[str, str] = data["names"]
        self.codes: list[int] = data["codes"]
        self.sets: list[list[int]] = data["sets"]
        self.words: dict[str, list[int]] = data["words"]
        self.left: list[int] = data["left"]
        self.database: list[str] = data["database"]
        self.seed: int = data["seed"]
        self.seq: int = data["seq"]
        self._set_codes = {frozenset(members): -2 - at for at, members in enumerate(self.sets)}

    @classmethod
    def of_memory(cls, memory: Memory) -> Trace:
        """That of a run which is remembered."""
        return cls(memory.known)

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[Any]]) -> Trace:
        """That of a run of which nothing else is known yet."""
        empty: dict[str, Any] = {"names": {}, "words": {}, "seed": 0, "seq": 0}
        lists: dict[str, Any] = {name: [] for name in ("codes", "sets", "left", "database")}
        return cls({"rows": rows, **empty, **lists})

    def reports(self, numbers: Iterable[int]) -> Iterator[StepReport]:
        """What is told of the steps of some rows that are done."""
        for number in numbers:
            row = self.rows[number]
            for name, is_idle in row.steps:
                task = f"ws:{row.ws_id.removeprefix('ws-')}:{name}"
                yield StepReport(task, SKIPPED, IDLE) if is_idle else StepReport(task, UP_TO_DATE)

    def is_most(self, rows: Collection[int]) -> bool:
        """Whether to decide on so many rows costs about as much as to decide on all."""
        return 2 * len(rows) > len(self.rows)

    def add_words(self, words: dict[str, list[int]], asked: Collection[int]) -> None:
        """Those of the rows that were `asked` are these now."""
        for numbers in self.words.values():
            numbers[:] = [number for number in numbers if number not in asked]
        for word, numbers in words.items():
            self.words[word] = sorted({*self.words.get(word, ()), *numbers})

    def to_json(self) -> str:
        """What the next run is told."""
        return json.dumps({name: value for name, value in vars(self).items() if name[0] != "_"})

    def members(self, code: int) -> Collection[int] | None:
        """The numbers of those that a code stands for; None: everybody."""
        if code >= 0:
            return (code,)
        return None if code == EVERYBODY else self.sets[-2 - code]

    def code_of(self, members: Members | None) -> int:
        """The code of some rows."""
        if members is None:
            return EVERYBODY
        if len(members) == 1:
            return next(iter(members))
        code = self._set_codes.setdefault(members, -2 - len(self.sets))
        if code == -2 - len(self.sets):
            self.sets.append(sorted(members))
        return code


class Reach:
    """How far changes reach from what a run has seen, by `memory` and `trace`; `plan` is the same as then."""

    def __init__(self, memory: Memory, trace: Trace, plan: Plan) -> None:
        self._memory = memory
        self._trace = trace
        self._plan = plan
        self._codes = dict(zip(memory.paths, trace.codes, strict=True))
        self._paths = sorted(memory.paths)
        self._words = sorted(trace.words)
        self._dependents: list[list[int]] = [[] for _ in trace.rows]
        for number, row in enumerate(trace.rows):
            for other in row.after:
                self._dependents[other].append(number)

    def of_changes(self, places: Iterable[int]) -> set[int] | None:
        """The rows that must be decided where these places of the memory changed; None: all. Memory and trace
        have them then as they are now.
        """
        found, began_ns = set(self._trace.left), time.time_ns()
        for place in places:
            path = self._memory.paths[place]
            if path in self._trace.database:
                continue  # who asks knows what was recorded since
            members = self._trace.members(self._trace.codes[place])
            if members is None:
                return None
            found.update(members)
            self._memory.saw(place, settled(look_at(os.path.join(self._memory.root, path)), began_ns))
            found.update(self._named_in(path))
        return self.closure(found)

    def closure(self, rows: Iterable[int]) -> set[int] | None:
        """`rows`, and all that what they do may concern; None: everybody."""
        found: set[int] = set()
        todo = list(rows)
        while todo:
            number = todo.pop()
            if number in found:
                continue
            found.add(number)
            todo += self._dependents[number]
            for pattern in self._plan[self._trace.rows[number].ws_id].owned:
                readers = self._readers(pattern)
                if readers is None:
                    return None
                todo += readers
        return found

    def _readers(self, pattern: str) -> list[int] | None:
        """Those who look at what a pattern may come to match."""
        is_glob = patterns.kind(pattern) == "glob"
        base = patterns.base(pattern) if is_glob else pattern.rstrip("/")
        places = {*below(self._paths, base), *(above or self._memory.root for above in chain(base))}
        found: list[int] = []
        for code in {self._codes[path] for path in places if path in self._codes}:
            members = self._trace.members(code)
            if members is None:
                return None
            found += members
        for word in (base, *below(self._words, base)):
            found += self._trace.words.get(word, ())
        return found

    def _named_in(self, path: str) -> Iterator[int]:
        """Those whose command lines would mean files that came to a directory, or went."""
        full = os.path.join(self._memory.root, path)
        if full not in self._trace.names:
            return
        folder = "" if path == full else path
        names = self._trace.names[full].split("\0")
        self._trace.names[full] = names_in(full)
        moved = {row[:-3] for row in {*names}.symmetric_difference(self._trace.names[full].split("\0"))}
        for word in below(self._words, folder):
            if word[len(folder) :].lstrip("/").split("/")[0] in moved:
                yield from self._trace.words[word]
