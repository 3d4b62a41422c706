"""What the store says of steps, fetched for many at once and remembered until it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.store import attempts, clean, ignored, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.store.attempts import AttemptRow
    from wsbuild.store.clean import CleanRow
    from wsbuild.store.db import Store
    from wsbuild.store.writes import Writer


class Reader:
    """Recorded facts by task name. Never writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[str, CleanRow | None] = {}
        self._ignored: frozenset[str] | None = None

    def prime(self, tasks: Iterable[str]) -> None:
        """Fetch the rows of `tasks` in one go."""
        new = [task for task in tasks if task not in self._rows]
        if new:
            found = self._store.read(lambda conn: clean.get_many(conn, new))
            self._rows.update((task, found.get(task)) for task in new)

    def row(self, task: str) -> CleanRow | None:
        """What was recorded with the last success of a step, if that still stands."""
        if task not in self._rows:
            self.prime((task,))
        return self._rows[task]

    def changed(self, task: str) -> None:
        """The row of `task` was written: fetch it anew when it is asked for."""
        self._rows.pop(task, None)

    def all_changed(self) -> None:
        """Anything may have been written, by another process too."""
        self._rows.clear()
        self._ignored = None

    def writers(self, paths: Sequence[str]) -> Mapping[str, Sequence[Writer]]:
        """Which steps wrote `paths` last, newest first."""
        return self._store.read(lambda conn: writes.last_writers(conn, paths))

    def last_attempt(self, task: str) -> AttemptRow | None:
        """The latest attempt of a step."""
        return self._store.read(lambda conn: attempts.last_for_tasks(conn, (task,))).get(task)

    def ignored(self) -> frozenset[str]:
        """The tasks that the user wants left out."""
        if self._ignored is None:
            self._ignored = frozenset(self._store.read(ignored.all_tasks))
        return self._ignored
