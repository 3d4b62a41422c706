"""Which steps wrote which paths, as far as they recorded it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from sqlite3 import Connection


class Writer(NamedTuple):
    """A step that wrote a path: `digest` is the state it left ('' where it removed it)."""

    task: str
    attempt_id: int
    digest: str


def put_many(conn: Connection, task: str, attempt_id: int, states: Mapping[str, str]) -> None:
    """Note what an attempt left where."""
    conn.executemany(
        "INSERT OR REPLACE INTO writes (path, task, attempt_id, digest)  VALUES (CAST(? AS TEXT), ?, ?, ?)",
        [(text.raw(path), task, attempt_id, state) for path, state in states.items()],
    )


def last_writers(conn: Connection, paths: Iterable[str]) -> dict[str, list[Writer]]:
    """Who wrote each of `paths`, the latest first."""
    found = conn.execute(
        "SELECT path, task, attempt_id, digest FROM (SELECT value AS wanted FROM json_each(?))"
        " JOIN writes ON writes.path = wanted ORDER BY attempt_id DESC",
        (json.dumps(list(paths)),),
    )
    writers: dict[str, list[Writer]] = {}
    for path, *writer in found:
        writers.setdefault(path, []).append(Writer(*writer))
    return writers
