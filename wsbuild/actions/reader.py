"""What the store says of steps, fetched for many at once and remembered until it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.store import attempts, clean, events, forgotten, history, ignored, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.store.attempts import AttemptRow
    from wsbuild.store.clean import CleanRow
    from wsbuild.store.db import Store
    from wsbuild.store.writes import Writer


class Reader:
    """Recorded facts by task name. Never writes; threads may ask it at once, so what it has been told is
    copied in one go (`list` of a dictionary) before it is looked through.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._as_of: int | None = None
        self._wanted: dict[str, None] = {}
        self._rows: dict[str, CleanRow | None] = {}
        self._created: dict[str, dict[str, str]] = {}
        self._wanted_paths: dict[str, None] = {}
        self._writers: dict[str, Sequence[Writer]] = {}
        self._ignored: frozenset[str] | None = None
        self._forgotten: frozenset[str] | None = None

    def prime(self, tasks: Iterable[str]) -> None:
        """Say which steps will be asked about: what is recorded of them is fetched in one go."""
        self._wanted.update(dict.fromkeys(tasks))

    def row(self, task: str) -> CleanRow | None:
        """What was recorded with the last success of a step, if that still stands."""
        if task not in self._rows:
            self._wanted[task] = None
            if self._as_of is None:
                self._as_of = self._store.read(events.last_seq)
            new = [wanted for wanted in list(self._wanted) if wanted not in self._rows]
            found = self._store.read(lambda conn: clean.get_many(conn, new))
            self._rows.update((task, found.get(task)) for task in new)
        return self._rows[task]

    def created_by(self, task: str) -> Mapping[str, str]:
        """The files of a step's making, with the states it left."""
        if task not in self._created:
            self._wanted[task] = None
            new = [wanted for wanted in list(self._wanted) if wanted not in self._created]
            found = self._store.read(lambda conn: writes.created_by(conn, new))
            self._created.update((task, found.get(task, {})) for task in new)
        return self._created[task]

    def take_over(self, other: Reader) -> None:
        """Go on from what another reader of the same database was told and knows, if nothing has been
        recorded since: every change comes with an event.
        """
        self._wanted.update(other._wanted)
        if other._as_of is not None and other._as_of == self._store.read(events.last_seq):
            self._as_of = other._as_of
            self._rows.update(other._rows)

    def suppose(self, row: CleanRow) -> None:
        """Answer from now on as if this had been recorded."""
        self._rows[row.task] = row

    def changed(self, task: str, row: CleanRow | None = None, wrote: Iterable[str] = ()) -> None:
        """What is recorded of `task` and of what it `wrote` has changed: `row` is its row now, else that is
        fetched when it is asked for.
        """
        self._created.pop(task, None)
        for path in wrote:
            self._writers.pop(path, None)
        self._rows.pop(task, None)
        if row is not None:
            self._rows[task] = row
        if self._forgotten and task in self._forgotten:
            self._forgotten = None

    def all_changed(self) -> None:
        """Anything may have been written, by another process too."""
        self._rows.clear()
        self._created.clear()
        self._writers.clear()
        self._ignored = self._forgotten = None

    def prime_paths(self, paths: Iterable[str]) -> None:
        """Say which files will be asked about."""
        self._wanted_paths.update(dict.fromkeys(paths))

    def writers(self, paths: Sequence[str]) -> Mapping[str, Sequence[Writer]]:
        """Which steps wrote `paths` last, newest first."""
        if any(path not in self._writers for path in paths):
            self._wanted_paths.update(dict.fromkeys(paths))
            new = [path for path in list(self._wanted_paths) if path not in self._writers]
            found = self._store.read(lambda conn: writes.last_writers(conn, new))
            self._writers.update((path, found.get(path, [])) for path in new)
        return {path: self._writers[path] for path in paths}

    def last_attempt(self, task: str) -> AttemptRow | None:
        """The latest attempt of a step."""
        return self._store.read(lambda conn: attempts.last_for_tasks(conn, (task,))).get(task)

    def last_counts(self) -> Mapping[str, int]:
        """The counts of the last run that came to its end; empty where there is none."""
        return self._store.read(lambda conn: history.last_payload(conn, "run_end"))

    def is_forgotten(self, task: str) -> bool:
        """Whether the user wants a step to run again, whatever the cache holds."""
        if self._forgotten is None:
            self._forgotten = frozenset(self._store.read(forgotten.all_tasks))
        return task in self._forgotten

    def ignored(self) -> frozenset[str]:
        """The tasks that the user wants left out."""
        if self._ignored is None:
            self._ignored = frozenset(self._store.read(ignored.all_tasks))
        return self._ignored
