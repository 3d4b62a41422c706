"""What tools said of their versions, so that they are asked once and not at every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection


class Asked(NamedTuple):
    """Which tool was asked, by the state of its file, and with what arguments (JSON)."""

    state: str
    argv_json: str


def get(conn: Connection, asked: Asked) -> str | None:
    """The answer that is remembered."""
    row = conn.execute(
        "SELECT version FROM tool_versions WHERE state = ? AND argv_json = ?",
        (asked.state, text.plain(asked.argv_json)),
    ).fetchone()
    return None if row is None else str(row[0])


def put_many(conn: Connection, answers: Mapping[Asked, str]) -> None:
    """Remember answers."""
    conn.executemany(
        "INSERT OR REPLACE INTO tool_versions (state, argv_json, version) VALUES (?, ?, ?)",
        [(asked.state, text.plain(asked.argv_json), version) for asked, version in answers.items()],
    )
