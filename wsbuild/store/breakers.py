"""What circuit breakers have seen, by the task of the check that they guard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import Connection


class BreakerRow(NamedTuple):
    """The breaker of one check; `state` is what `wsbuild.breaker.to_json` gives, None where it has seen
    nothing that counts.
    """

    task: str
    ws_id: str
    basis: str
    state: dict[str, Any] | None


def get(conn: Connection, task: str, basis: str) -> Any:
    """The state of the breaker of `task` as JSON data, if it was seen on this `basis`; else None."""
    found = conn.execute(
        "SELECT state_json FROM breakers WHERE task = ? AND basis = ?", (task, basis)
    ).fetchone()
    try:
        return None if found is None else json.loads(found[0])
    except (TypeError, ValueError):
        return None


def put(conn: Connection, row: BreakerRow) -> None:
    """Write a row; one that has seen nothing is none."""
    if row.state is None:
        remove(conn, [row.task])
        return
    conn.execute(
        "INSERT OR REPLACE INTO breakers (task, ws_id, basis, state_json) VALUES (?, ?, ?, ?)",
        (row.task, row.ws_id, row.basis, json.dumps(row.state)),
    )


def remove(conn: Connection, tasks: Iterable[str]) -> None:
    """Remove the rows of `tasks`."""
    conn.executemany("DELETE FROM breakers WHERE task = ?", [(task,) for task in tasks])


def remove_of(conn: Connection, ws_id: str) -> None:
    """Remove the rows of all checks of a workstream."""
    conn.execute("DELETE FROM breakers WHERE ws_id = ?", (ws_id,))


def remove_all(conn: Connection) -> None:
    """Remove all rows."""
    conn.execute("DELETE FROM breakers")
