"""The schema: its versions, and the dump of what they make."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from wsbuild.shipped import data_path
from wsbuild.store.migrations import VERSION, apply_pending

HEADER = "-- What the migrations make, for reading. Written by tests/unit/store/test_migrations.py.\n"


def dump() -> str:
    """The schema that all migrations together make."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        apply_pending(conn, None)
        rows = conn.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        )
        return HEADER + "".join(f"\n{sql};\n" for (sql,) in rows)


def tables(conn: sqlite3.Connection) -> list[str]:
    """What there is."""
    return [name for (name,) in conn.execute("SELECT name FROM sqlite_schema")]


def test_the_dump_is_what_the_migrations_make() -> None:
    """`schema/schema.sql` is generated; `python tests/unit/store/test_migrations.py` writes it anew."""
    with open(data_path("schema", "schema.sql"), encoding="utf-8") as file:
        assert file.read() == dump()


def test_the_version_is_that_of_the_last_migration() -> None:
    """Numbered from 1 without a gap."""
    names = sorted(os.listdir(data_path("schema", "migrations")))
    assert [int(name[:4]) for name in names] == list(range(1, VERSION + 1))


def test_applying_again_changes_nothing() -> None:
    """A database of the present version is left as it is."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        apply_pending(conn, None)
        changes = conn.total_changes
        apply_pending(conn, lambda: pytest.fail("there was nothing to apply"))
        assert conn.total_changes == changes


def test_a_migration_that_fails_leaves_nothing() -> None:
    """Its statements and its record are one transaction."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        with pytest.raises(ZeroDivisionError):
            apply_pending(conn, lambda: 1 // 0)
        assert tables(conn) == []
        assert conn.execute("PRAGMA user_version").fetchone() == (0,)
        assert not conn.in_transaction
        apply_pending(conn, None)
        assert "runs" in tables(conn)


if __name__ == "__main__":
    Path(data_path("schema", "schema.sql")).write_text(dump(), encoding="utf-8")
