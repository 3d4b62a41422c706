"""Digests of files that were read, with the stat they were read under."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.filestat import FileRow
from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from sqlite3 import Connection


def get_many(conn: Connection, paths: Iterable[str]) -> dict[str, FileRow]:
    """What is remembered of `paths`. A row that is visibly damaged is not: then the file is read."""
    found = conn.execute(
        "SELECT path, mtime_ns, ctime_ns, size, ino, mode, digest, hashed_ns, sha256"
        " FROM (SELECT value AS wanted FROM json_each(?)) JOIN files ON files.path = wanted"
        " WHERE typeof(digest) = 'text' AND typeof(sha256) = 'text'",
        (json.dumps(list(paths)),),
    )
    return {path: FileRow(*row) for path, *row in found}


def put_many(conn: Connection, rows: Mapping[str, FileRow]) -> None:
    """Remember digests."""
    conn.executemany(
        "INSERT OR REPLACE INTO files (path, mtime_ns, ctime_ns, size, ino, mode, digest, hashed_ns, sha256)"
        " VALUES (CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, ?, ?)",
        [(text.raw(path), *row) for path, row in rows.items()],
    )
