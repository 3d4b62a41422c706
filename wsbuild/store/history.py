"""What the history commands show: rows newest first, with filters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sqlite3 import Connection


class Wanted(NamedTuple):
    """Which rows: at most `limit`, since a UTC time, of a run, of a workstream ('' for any)."""

    limit: int = 50
    since: str = ""
    run_id: str = ""
    ws_id: str = ""


def _decoded(value: Any) -> Any:
    """The value of a JSON column; damage is shown, and hides no other row."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return {"unreadable": str(value)}


def _rows(conn: Connection, sql: str, values: list[Any]) -> list[dict[str, Any]]:
    cursor = conn.execute(sql, values)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    for row in rows:
        for name in [name for name in row if name.endswith("_json")]:
            row[name.removesuffix("_json")] = _decoded(row.pop(name))
    return rows


def _where(conditions: list[tuple[str, str]]) -> tuple[str, list[Any]]:
    """A WHERE clause of those conditions whose value is given."""
    given = [(sql, value) for sql, value in conditions if value]
    return (" WHERE " + " AND ".join(sql for sql, _ in given) if given else ""), [v for _, v in given]


def runs(conn: Connection, wanted: Wanted) -> list[dict[str, Any]]:
    """Runs, the latest first."""
    in_run = "EXISTS (SELECT 1 FROM workstreams w WHERE w.run_id = runs.run_id AND w.ws_id = ?)"
    where, values = _where(
        [("started_at >= ?", wanted.since), ("run_id = ?", wanted.run_id), (in_run, wanted.ws_id)]
    )
    sql = f"SELECT * FROM runs{where} ORDER BY rowid DESC LIMIT ?"  # noqa: S608
    return _rows(conn, sql, [*values, wanted.limit])


def errors(conn: Connection, wanted: Wanted) -> list[dict[str, Any]]:
    """Distinct errors, the last seen first; of a run: those that one of its attempts ended with."""
    in_run = "EXISTS (SELECT 1 FROM attempts a WHERE a.error_id = errors.error_id AND a.run_id = ?)"
    where, values = _where(
        [("last_seen_at >= ?", wanted.since), (in_run, wanted.run_id), ("ws_id = ?", wanted.ws_id)]
    )
    sql = f"SELECT * FROM errors{where} ORDER BY last_seen_at DESC, error_id DESC LIMIT ?"  # noqa: S608
    return _rows(conn, sql, [*values, wanted.limit])


def events(conn: Connection, wanted: Wanted) -> list[dict[str, Any]]:
    """Events, the latest first."""
    where, values = _where(
        [("at >= ?", wanted.since), ("run_id = ?", wanted.run_id), ("ws_id = ?", wanted.ws_id)]
    )
    sql = f"SELECT * FROM events{where} ORDER BY seq DESC LIMIT ?"  # noqa: S608
    return _rows(conn, sql, [*values, wanted.limit])


def last_payload(conn: Connection, kind: str) -> dict[str, Any]:
    """What was said with the last event of a type; empty where there was none."""
    row = conn.execute(
        "SELECT payload_json FROM events WHERE type = ? ORDER BY seq DESC LIMIT 1", (kind,)
    ).fetchone()
    payload = _decoded(row[0]) if row else {}
    return payload if isinstance(payload, dict) else {}


def attempts(conn: Connection, tasks: list[str], limit: int) -> list[dict[str, Any]]:
    """Attempts of `tasks`, the latest first."""
    sql = (
        "SELECT attempts.* FROM (SELECT value AS wanted FROM json_each(?))"
        " JOIN attempts ON attempts.task = wanted ORDER BY attempt_id DESC LIMIT ?"
    )
    return _rows(conn, sql, [json.dumps(tasks), limit])
