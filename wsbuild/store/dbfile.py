"""The database's file: connections to it, made whole, checked, put aside. The only user of sqlite3.

Damage is told by exceptions (TROUBLE) here; what a user is told of it, and when, is `db`'s.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from typing import TYPE_CHECKING

from wsbuild.atomic import sync_directory
from wsbuild.errors import StateError
from wsbuild.store import text, trouble
from wsbuild.store.migrations import VERSION, apply_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = sqlite3.Connection

APPLICATION_ID = 0x77736264  # "wsbd": tells our files from other SQLite databases
BUSY_MS = 30_000
PAGES_KIB = 32_000
"""How much of a database a connection keeps in memory: a run goes back to the same pages at each step."""

THOROUGH_BYTES = 32_000_000
"""A larger database is not read through at the start of a run (11 MB take 0.1 s): its clean rows prove
themselves, and damage that is met later is dealt with by the next run.
"""

MARK = ".damaged"
"""Ends the name of the empty file that says: put this database aside at the next opening."""

TROUBLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file raises; the latter for the names of columns, which no text factory sees."""


class DamagedError(sqlite3.DatabaseError):
    """The file is a database, but what must be in it is not."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


@contextlib.contextmanager
def guard(path: str) -> Iterator[None]:
    """Turn SQLite's errors into a StateError that says what to do."""
    try:
        yield
    except sqlite3.ProgrammingError:  # wrong use of the module, not a state of the file
        raise
    except TROUBLE as error:
        raise trouble.sqlite_error(path, error) from error


@contextlib.contextmanager
def guard_writing(path: str) -> Iterator[None]:
    """The same for a writer: damage that the check at the start did not see is marked for the next."""
    try:
        with guard(path):
            yield
    except StateError as error:
        if trouble.is_malformed(error.__cause__):
            with contextlib.suppress(OSError), open(path + MARK, "wb"):
                pass
        raise


def _open(target: str, *, uri: bool = False) -> Connection:
    conn = sqlite3.connect(
        target, uri=uri, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
    )
    conn.text_factory = text.read
    conn.execute(f"PRAGMA cache_size = -{PAGES_KIB}")
    return conn


def _open_readonly(path: str) -> Connection:
    """A connection that changes no byte of the state directory.

    With a write-ahead log present it must be read through shared memory; without one nobody is
    writing, and `immutable` spares SQLite from making those files.
    """
    flags = "mode=ro" if os.path.exists(path + "-wal") else "mode=ro&immutable=1"
    for sign in "%?#":  # what means something in a path of a URI, see sqlite.org/uri.html
        path = path.replace(sign, f"%{ord(sign):x}")
    return _open(f"file:{path}?{flags}", uri=True)


def connect(path: str, *, readonly: bool) -> Connection:
    """A connection with the settings of a reader or a writer; the latter is durable at every commit."""
    if readonly:
        return _open_readonly(path)
    conn = _open(path)
    try:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        conn.close()
        raise
    return conn


@contextlib.contextmanager
def unflushed(conn: Connection) -> Iterator[None]:
    """Let what is committed meanwhile reach the disk with what is committed later."""
    conn.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        conn.execute("PRAGMA synchronous = FULL")


def _open_empty(target: str, seed: str) -> Connection:
    """A new database with its tables."""
    conn = _open(target)
    try:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        apply_pending(conn, lambda: conn.execute("INSERT INTO meta VALUES ('seed', ?)", (seed,)))
    except BaseException:
        conn.close()
        raise
    return conn


def open_memory() -> Connection:
    """An empty database that is nowhere; its seed is 0."""
    return _open_empty(":memory:", "0" * 16)


def open_checked(path: str) -> tuple[Connection, bool]:
    """A connection for reading, and whether that is to a copy in memory: a database of an earlier version
    is read as one of the present, so that asking changes nothing, and still sees everything.

    Raises what `check` does.
    """
    _check_begins(path)
    conn = _open_readonly(path)
    try:
        version = _check_ours(path, conn)
        if version == VERSION:
            return conn, False
        copy = _open(":memory:")
        conn.backup(copy)
    except BaseException:
        conn.close()
        raise
    conn.close()
    try:
        apply_pending(copy, None)
    except sqlite3.DatabaseError as error:
        copy.close()
        raise DamagedError(f"it is not of the version {version} that it says") from error
    return copy, True


def create(path: str) -> None:
    """Make the database aside and put it in its place whole."""
    aside = f"{path}.new"
    for leftover in (aside, f"{aside}-journal", path + MARK):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(leftover)
    _open_empty(aside, os.urandom(8).hex()).close()
    os.replace(aside, path)
    sync_directory(os.path.dirname(path))


def read_seed(conn: Connection) -> int:
    """The database's seed. Raises DamagedError."""
    row = conn.execute("SELECT value FROM meta WHERE key = 'seed'").fetchone()
    if row is None or not re.fullmatch(r"[0-9a-f]{16}", str(row[0])):
        raise DamagedError("the seed is gone")
    return int(row[0], 16)


def _check_begins(path: str) -> None:
    """Raise sqlite3.DatabaseError for a file that SQLite would take for something else.

    It takes one of a single byte for a new database, and one of an unknown format for read-only:
    see "File format version numbers" in https://www.sqlite.org/fileformat2.html.
    """
    header = b""
    if os.path.getsize(path):  # reading an empty pipe would not end
        with open(path, "rb") as file:
            header = file.read(20)
    if header[18:] not in {b"\1\1", b"\2\2"}:
        raise DamagedError("it does not begin like a database")


def check(path: str) -> None:
    """Raise sqlite3.DatabaseError for a damaged file, StateError for one that is not ours to touch."""
    _check_begins(path)
    with contextlib.closing(_open_readonly(path)) as conn:
        _check_ours(path, conn)


def _check_ours(path: str, conn: Connection) -> int:
    """The version of an open database, if it is ours."""
    (application,) = conn.execute("PRAGMA application_id").fetchone()
    (version,) = conn.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        hint = "set PIPELINE_DB_PATH to another file"
        raise StateError(f"{path} is a database of something else", hint)
    if version > VERSION:
        hint = "update wsbuild, or set PIPELINE_DB_PATH"
        raise StateError(f"{path} was written by a newer wsbuild", hint)
    if version < 1:
        raise DamagedError("its version is gone")
    read_seed(conn)
    return int(version)


def _check_through(path: str) -> None:
    """Raise sqlite3.DatabaseError where anything that SQLite can see is damaged.

    That takes a connection that could write: in one that cannot, SQLite drops CHECK constraints.
    """
    with contextlib.closing(_open(path)) as conn, contextlib.closing(_open(":memory:")) as model:
        (found,) = conn.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise DamagedError(found)
        apply_pending(model, None, conn.execute("PRAGMA user_version").fetchone()[0])
        definitions = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
        if conn.execute(definitions).fetchall() != model.execute(definitions).fetchall():
            raise DamagedError("the definition of a table is not what it was")


def check_for_writing(path: str, *, is_as_left: bool = False) -> None:
    """Raise sqlite3.DatabaseError for a damaged file, StateError for one that is not ours to touch.

    One that looks as wsbuild left it is not read through.
    """
    try:
        check(path)
        if os.path.exists(path + MARK):
            raise DamagedError("an earlier run found it so")
        if not is_as_left and os.path.getsize(path) < THOROUGH_BYTES:
            _check_through(path)
    except FileNotFoundError:
        if not os.path.exists(path + "-wal"):
            raise
        # SQLite would write what it holds into whatever database is put beside it.
        raise DamagedError("only its log is there") from None


def put_aside(path: str) -> str:
    """Rename the database and its log; the log last, as it must not lose what it belongs to."""
    number = 1
    while any(os.path.lexists(f"{path}.corrupt-{number}{suffix}") for suffix in ("", "-wal")):
        number += 1
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(path + suffix, f"{path}.corrupt-{number}{suffix}")
    return f"{path}.corrupt-{number}"
