"""Tasks that the user wants left out of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import Connection


def all_tasks(conn: Connection) -> list[str]:
    """All of them."""
    return [task for (task,) in conn.execute("SELECT task FROM ignored")]


def add(conn: Connection, task: str) -> None:
    """Leave `task` out."""
    conn.execute("INSERT OR IGNORE INTO ignored (task) VALUES (?)", (task,))


def remove(conn: Connection, tasks: Iterable[str]) -> None:
    """Take `tasks` in again."""
    conn.executemany("DELETE FROM ignored WHERE task = ?", [(task,) for task in tasks])


def remove_all(conn: Connection) -> None:
    """Take all in again."""
    conn.execute("DELETE FROM ignored")
