"""The schema's versions: each migration is applied together with its record, or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

VERSION = 6
"""The version that this wsbuild writes: the number of the last migration."""


def _statements(version: int) -> str:
    from wsbuild.shipped import data_path

    directory = data_path("schema", "migrations")
    name = next(n for n in sorted(os.listdir(directory)) if n.startswith(f"{version:04}_"))
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return file.read()


def apply_pending(conn: Connection, then: Callable[[], object] | None, to: int = VERSION) -> None:
    """Bring the database to the version `to`, and do `then` in the same transaction as the first."""
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    for number in range(version + 1, to + 1):
        conn.execute("BEGIN IMMEDIATE")
        try:
            for statement in _split(_statements(number)):
                conn.execute(statement)
            if then is not None and number == 1:
                then()
            conn.execute(f"PRAGMA user_version = {number}")
            conn.execute("COMMIT")
        except BaseException:
            if conn.in_transaction:  # a full disk has rolled it back already
                conn.execute("ROLLBACK")
            raise


def _split(script: str) -> list[str]:
    """The statements of a script (`executescript` would commit the open transaction)."""
    from sqlite3 import complete_statement

    found, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if complete_statement(current):
            found.append(current)
            current = ""
    return found
