"""Clean rows: what is known of each step that is up to date. Each row proves itself by a digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import Connection


class CleanRow(NamedTuple):
    """What was recorded when a step last succeeded: the key and its manifest, the states of its
    outputs (JSON), the digest of its result, and the attempt.
    """

    task: str
    ws_id: str
    step: str
    attempt_id: int
    key: str
    manifest: str
    outputs: str
    result: str

    def output_states(self) -> dict[str, str]:
        """The outputs and their states."""
        states: dict[str, str] = json.loads(self.outputs)
        return states

    def digest(self) -> str:
        """What proves the row: SQLite does not notice a flipped bit."""
        from hashlib import blake2b

        # A damaged text can come back as bytes, which JSON has no form for.
        columns = json.dumps(self, separators=(",", ":"), default=repr)
        return blake2b(columns.encode(), digest_size=8).hexdigest()


_COLUMNS = "task, ws_id, step, attempt_id, key, manifest, outputs, result"


def get_many(conn: Connection, tasks: Iterable[str]) -> dict[str, CleanRow]:
    """The rows of those of `tasks` that have a sound one; a damaged row is no row."""
    found = conn.execute(
        f"SELECT {_COLUMNS}, row_digest FROM (SELECT value AS wanted FROM json_each(?))"  # noqa: S608
        " JOIN clean ON clean.task = wanted",
        (json.dumps(list(tasks)),),
    )
    rows = [(CleanRow(*row[:-1]), row[-1]) for row in found]
    return {row.task: row for row, digest in rows if row.digest() == digest}


def all_rows(conn: Connection) -> list[CleanRow]:
    """All rows, damaged ones too, by task."""
    return [CleanRow(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM clean ORDER BY task")]  # noqa: S608


def put(conn: Connection, row: CleanRow) -> None:
    """Write a row."""
    conn.execute(
        f"INSERT OR REPLACE INTO clean ({_COLUMNS}, row_digest)"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)",
        (*row[:5], text.raw(row.manifest), text.raw(row.outputs), row.result, row.digest()),
    )


def remove(conn: Connection, tasks: Iterable[str]) -> None:
    """Remove the rows of `tasks`."""
    conn.executemany("DELETE FROM clean WHERE task = ?", [(task,) for task in tasks])


def remove_all(conn: Connection) -> None:
    """Remove all rows."""
    conn.execute("DELETE FROM clean")
