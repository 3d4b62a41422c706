"""What detectors have found, each finding once, and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from sqlite3 import Connection

Place = tuple[str, str, str]
"""Detector, path and fingerprint: a finding's own."""


_AT_OR_BELOW = (
    "EXISTS (SELECT 1 FROM json_each(?) AS wanted WHERE findings.path = wanted.value"
    " OR substr(findings.path, 1, length(wanted.value) + 1) = wanted.value || '/')"
)


class Seen(NamedTuple):
    """A finding as it was seen last."""

    finding_id: int
    state: str
    line: int
    column: int
    message: str


class Change(NamedTuple):
    """A finding that goes to the state `after`, at the UTC time `at`, and why."""

    finding_id: int
    before: str
    after: str
    by: str
    note: str


class Row(NamedTuple):
    """A finding as it is written; its state is `new` to begin with."""

    detector: str
    path: str
    fingerprint: str
    line: int
    column: int
    code: str
    category: str
    severity: str
    message: str
    url: str


def seen(conn: Connection, detectors: Iterable[str], paths: Iterable[str] | None) -> dict[Place, Seen]:
    """The findings of some detectors, in all files or in some."""
    query = (
        'SELECT detector, path, fingerprint, finding_id, state, line, "column", message FROM findings'
        " WHERE detector IN (SELECT value FROM json_each(?))"
    )
    values = [json.dumps(list(detectors))]
    if paths is not None:
        query += " AND path IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(list(paths)))
    return {(row[0], row[1], row[2]): Seen(*row[3:]) for row in conn.execute(query, values)}


def add(conn: Connection, rows: Sequence[Row], at: str) -> None:
    """Write new findings, and that they are."""
    for row in rows:
        found = conn.execute(
            'INSERT INTO findings (detector, path, fingerprint, line, "column", code, category, severity,'
            " message, url, state, first_seen_at, last_seen_at, changed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', ?, ?, ?)",
            (*row, at, at, at),
        )
        note(conn, Change(found.lastrowid or 0, "", "new", "detect", ""), at)


def move(conn: Connection, rows: Iterable[tuple[int, Row]], at: str) -> None:
    """Write where findings are now, and what is said of them."""
    conn.executemany(
        'UPDATE findings SET line = ?, "column" = ?, severity = ?, message = ?, url = ?, last_seen_at = ?'
        " WHERE finding_id = ?",
        [(row.line, row.column, row.severity, row.message, row.url, at, number) for number, row in rows],
    )


def change(conn: Connection, changes: Iterable[Change], at: str) -> None:
    """Have findings go to another state. Raises sqlite3.IntegrityError where that is forbidden."""
    for one in changes:
        conn.execute(
            "UPDATE findings SET state = ?, changed_at = ? WHERE finding_id = ?",
            (one.after, at, one.finding_id),
        )
        note(conn, one, at)


def note(conn: Connection, one: Change, at: str) -> None:
    """Write down a change."""
    conn.execute(
        "INSERT INTO finding_changes (finding_id, at, state_before, state_after, changed_by, note)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (one.finding_id, at, one.before, one.after, one.by, one.note),
    )


class Wanted(NamedTuple):
    """Which findings: in these states, of these detectors and severities (none: any), in files whose path is
    one of `paths` or below, changed `since` a UTC time ('' for any), at most `limit`.
    """

    states: Sequence[str] = ()
    detectors: Sequence[str] = ()
    severities: Sequence[str] = ()
    paths: Sequence[str] = ()
    since: str = ""
    limit: int = 50


def find(conn: Connection, wanted: Wanted) -> list[dict[str, Any]]:
    """Findings, those that have changed last first."""
    conditions, values = ["changed_at >= ?"], [wanted.since]
    for condition, names in (
        ("state IN (SELECT value FROM json_each(?))", wanted.states),
        ("detector IN (SELECT value FROM json_each(?))", wanted.detectors),
        ("severity IN (SELECT value FROM json_each(?))", wanted.severities),
        (_AT_OR_BELOW, wanted.paths),
    ):
        if names:
            conditions.append(condition)
            values.append(json.dumps([name.rstrip("/") for name in names]))
    where = " AND ".join(conditions)
    sql = f"SELECT * FROM findings WHERE {where} ORDER BY changed_at DESC, path, line LIMIT ?"  # noqa: S608
    return _dicts(conn, sql, [*values, wanted.limit])


def by_fingerprint(conn: Connection, prefix: str) -> list[dict[str, Any]]:
    """The findings whose fingerprint begins with `prefix`."""
    sql = "SELECT * FROM findings WHERE fingerprint >= ? AND fingerprint < ? ORDER BY finding_id"
    return _dicts(conn, sql, [prefix, prefix + "\U0010ffff"])


def changes_of(conn: Connection, finding_id: int) -> list[dict[str, Any]]:
    """What became of a finding, from the beginning."""
    sql = (
        "SELECT at, state_before, state_after, changed_by, note FROM finding_changes"
        " WHERE finding_id = ? ORDER BY change_id"
    )
    return _dicts(conn, sql, [finding_id])


def _dicts(conn: Connection, sql: str, values: list[Any]) -> list[dict[str, Any]]:
    cursor = conn.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
