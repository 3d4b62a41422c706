"""What the store says of steps, fetched for many at once and remembered until it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from wsbuild.actions.facts import Facts
from wsbuild.store import attempts, clean, events, forgotten, history, ignored, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wsbuild.store.attempts import AttemptRow
    from wsbuild.store.clean import CleanRow
    from wsbuild.store.db import Connection, Store
    from wsbuild.store.writes import Writer

T = TypeVar("T")


class Reader:
    """Recorded facts by task name. Never writes; threads may ask it at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._as_of: int | None = None
        self._rows: Facts[CleanRow | None] = Facts(
            lambda tasks: self._fetch(lambda conn: clean.get_many(conn, tasks)), None
        )
        self._created: Facts[Mapping[str, str]] = Facts(
            lambda tasks: self._fetch(lambda conn: writes.created_by(conn, tasks)), {}
        )
        self._writers: Facts[Sequence[Writer]] = Facts(
            lambda paths: self._fetch(lambda conn: writes.last_writers(conn, paths)), ()
        )
        self._last: Facts[AttemptRow | None] = Facts(
            lambda tasks: self._fetch(lambda conn: attempts.last_for_tasks(conn, tasks)), None
        )
        self._ignored: frozenset[str] | None = None
        self._forgotten: frozenset[str] | None = None

    @property
    def as_of(self) -> int | None:
        """The last event that what is known here may depend on; None where nothing is known, or more was
        recorded since.
        """
        return self._as_of

    def _fetch(self, query: Callable[[Connection], Mapping[str, T]]) -> Mapping[str, T]:
        if self._as_of is None:
            self._as_of = self._store.read(events.last_seq)
        return self._store.read(query)

    def prime(self, tasks: Iterable[str]) -> None:
        """Say which steps will be asked about: what is recorded of them is fetched in one go."""
        tasks = list(tasks)
        self._rows.want(tasks)
        self._created.want(tasks)
        self._last.want(tasks)

    def row(self, task: str) -> CleanRow | None:
        """What was recorded with the last success of a step, if that still stands."""
        return self._rows.get(task)

    def created_by(self, task: str) -> Mapping[str, str]:
        """The files of a step's making, with the states it left."""
        return self._created.get(task)

    def take_over(self, other: Reader) -> None:
        """Go on from what another reader of the same database was told and knows, if nothing has been
        recorded since: every change comes with an event.
        """
        as_of = other._as_of
        still = as_of is not None and as_of == self._store.read(events.last_seq)
        self._as_of = as_of if still else None
        self._rows.take_over(other._rows, known=still)
        self._created.take_over(other._created, known=still)
        self._writers.take_over(other._writers, known=still)
        self._last.take_over(other._last, known=still)

    def suppose(self, row: CleanRow) -> None:
        """Answer from now on as if this had been recorded."""
        self._rows.put(row.task, row)

    def changed(self, task: str, row: CleanRow | None = None, wrote: Iterable[str] = ()) -> None:
        """What is recorded of `task` and of what it `wrote` has changed: `row` is its row now, else that is
        fetched when it is asked for.
        """
        self._created.drop(task)
        self._last.drop(task)
        for path in wrote:
            self._writers.drop(path)
        if row is not None:
            self._rows.put(task, row)
        else:
            self._rows.drop(task)
        if self._forgotten and task in self._forgotten:
            self._forgotten = None

    def all_changed(self) -> None:
        """Anything may have been written, by another process too."""
        self._rows.drop_all()
        self._created.drop_all()
        self._writers.drop_all()
        self._last.drop_all()
        self._ignored = self._forgotten = None

    def prime_paths(self, paths: Iterable[str]) -> None:
        """Say which files will be asked about."""
        self._writers.want(paths)

    def writers(self, paths: Sequence[str]) -> Mapping[str, Sequence[Writer]]:
        """Which steps wrote `paths` last, newest first."""
        return self._writers.get_many(paths)

    def last_attempt(self, task: str) -> AttemptRow | None:
        """The latest attempt of a step."""
        return self._last.get(task)

    def last_counts(self) -> Mapping[str, int]:
        """The counts of the last run that came to its end; empty where there is none."""
        return self._store.read(lambda conn: history.last_payload(conn, "run_end"))

    def is_forgotten(self, task: str) -> bool:
        """Whether the user wants a step to run again, whatever the cache holds."""
        known = self._forgotten
        if known is None:
            known = self._forgotten = frozenset(self._store.read(forgotten.all_tasks))
        return task in known

    def ignored(self) -> frozenset[str]:
        """The tasks that the user wants left out."""
        known = self._ignored
        if known is None:
            known = self._ignored = frozenset(self._store.read(ignored.all_tasks))
        return known
