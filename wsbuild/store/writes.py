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


class Wrote(NamedTuple):
    """What a step left at a path: the state ('' where it removed it), and whether the file is of its
    making: there was none before.
    """

    state: str
    created: bool = False


def put_many(conn: Connection, task: str, attempt_id: int, wrote: Mapping[str, Wrote]) -> None:
    """Note what an attempt left where."""
    conn.executemany(
        "INSERT OR REPLACE INTO writes (path, task, attempt_id, digest, created)"
        " VALUES (CAST(? AS TEXT), ?, ?, ?, ?)",
        [
            (text.raw(path), task, attempt_id, left.state, int(left.created and left.state != ""))
            for path, left in wrote.items()
        ],
    )


def created_by(conn: Connection, tasks: Iterable[str]) -> dict[str, dict[str, str]]:
    """The files that are of the making of each of `tasks`: their paths and the states it left."""
    found = conn.execute(
        "SELECT task, path, digest FROM (SELECT value AS wanted FROM json_each(?))"
        " JOIN writes ON writes.task = wanted WHERE created = 1",
        (json.dumps(list(tasks)),),
    )
    created: dict[str, dict[str, str]] = {}
    for task, path, state in found:
        created.setdefault(task, {})[path] = state
    return created


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
