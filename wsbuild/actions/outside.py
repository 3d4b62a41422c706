"""The record of what is said to services outside: each request, and what came of it; and what such a service
is told of, how workstreams fared.

Nothing here takes the lock of the tree: requests take their time, and no run is to wait for them. What it
writes are events, which are never changed.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from wsbuild.actions.record_run import utc_now
from wsbuild.store import events
from wsbuild.store.db import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.session import Session
    from wsbuild.store.db import Store
    from wsbuild.store.events import Move


class Outside:
    """The record of a session's project, opened for writing when something is written."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def _reading(self) -> Store:
        return open_store(self._session.database, readonly=True)

    @cached_property
    def _writing(self) -> Store:
        return open_store(self._session.database)

    def moves(self) -> list[Move]:
        """The changes of status of all workstreams, in their order."""
        return self._reading.read(events.moves)

    def said(self) -> list[dict[str, Any]]:
        """What was said to GitHub, in its order."""
        return self._reading.read(lambda conn: events.payloads(conn, "github_said"))

    def changed_in(self, run_id: str) -> frozenset[str]:
        """The workstreams whose status has changed in a run."""
        return frozenset(move.ws_id for move in self.moves() if move.run_id == run_id)

    def note_call(self, payload: Mapping[str, Any]) -> None:
        """Record a request to GitHub."""
        shown = self._session.redactor.all(dict(payload))
        with self._writing.transaction(lasting=False) as conn:
            events.append(conn, utc_now(), "github_call", run_id=self._session.run_id, payload=shown)

    def note_said(self, ws_id: str, payload: Mapping[str, Any]) -> None:
        """Record what was said, of a workstream if of one."""
        now, run_id, shown = utc_now(), self._session.run_id, self._session.redactor.all(dict(payload))
        with self._writing.transaction() as conn:
            events.append(conn, now, "github_said", run_id=run_id, ws_id=ws_id or None, payload=shown)

    def note_end(self, payload: Mapping[str, Any]) -> None:
        """Record how saying it all has ended."""
        shown = self._session.redactor.all(dict(payload))
        with self._writing.transaction() as conn:
            events.append(conn, utc_now(), "github_sync", run_id=self._session.run_id, payload=shown)

    def close(self) -> None:
        """Let go of the database."""
        for name in ("_reading", "_writing"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
