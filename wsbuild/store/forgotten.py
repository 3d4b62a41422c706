"""Tasks that the user wants to run again, whatever the cache holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import Connection


def all_tasks(conn: Connection) -> list[str]:
    """All of them."""
    return [task for (task,) in conn.execute("SELECT task FROM forgotten")]


def add_many(conn: Connection, tasks: Iterable[str]) -> None:
    """Let `tasks` run again."""
    conn.execute(
        "INSERT OR IGNORE INTO forgotten (task) SELECT value FROM json_each(?)", (json.dumps(list(tasks)),)
    )


def add_all_known(conn: Connection) -> None:
    """Let every task run again that ever ran here."""
    conn.execute("INSERT OR IGNORE INTO forgotten (task) SELECT DISTINCT task FROM attempts")


def remove(conn: Connection, task: str) -> None:
    """`task` did run again."""
    conn.execute("DELETE FROM forgotten WHERE task = ?", (task,))
