"""The history database as commands use it: opened, read, written, and what the user is told of damage."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from wsbuild.atomic import FileLock
from wsbuild.errors import StateError
from wsbuild.statedir import make_dir
from wsbuild.store import dbfile, trouble
from wsbuild.store.dbfile import Connection
from wsbuild.store.migrations import apply_pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Connection", "Store", "open_store"]

T = TypeVar("T")


class Store:
    """One database file, with a connection for each process and thread that uses it.

    `warnings` are for the user: what was found damaged and where it was put.
    """

    def __init__(self, path: str, *, readonly: bool) -> None:
        self.path = path
        self.readonly = readonly
        self.warnings: list[str] = []
        self._connections: dict[tuple[int, int], Connection] = {}
        self._lock = threading.RLock()
        self._memory: Connection | None = None
        self._seed: int | None = None

    @property
    def seed(self) -> int:
        """The random 64-bit number that this database's change detection digests are made with."""
        if self._seed is None:
            self._seed = self.read(dbfile.read_seed)
        return self._seed

    def connection(self) -> Connection:
        """This thread's connection. Raises StateError.

        What is read through it is read as it stands: `read` knows what to do about damage.
        """
        if self._memory is not None:
            return self._memory
        at = (os.getpid(), threading.get_ident())
        found = self._connections.get(at)
        if found is None:
            with self._lock, dbfile.guard(self.path):
                found = self._connections[at] = dbfile.connect(self.path, readonly=self.readonly)
        return found

    def read(self, query: Callable[[Connection], T]) -> T:
        """What `query` finds.

        A database open for reading that turns out to be damaged reads as empty from then on, with a
        warning; in one open for writing, damage is a StateError.
        """
        for _ in range(2):
            try:
                with dbfile.guard(self.path) if self.readonly else dbfile.guard_writing(self.path):
                    return query(self.connection())
            except StateError as error:
                if not self.readonly or not trouble.is_damage(error.__cause__):
                    raise
                if not self._reopen_beside_a_writer():
                    break
        self.use_memory(f"{self.path} is corrupt: read as empty")
        return query(self.connection())

    def _reopen_beside_a_writer(self) -> bool:
        """Whether somebody began to write since the file was opened as one that nobody changes: then
        what looks like damage may be none, and this thread's next connection takes care.
        """
        conn = self._connections.get((os.getpid(), threading.get_ident()))
        if conn is None or not os.path.exists(self.path + "-wal"):
            return False
        with self._lock:
            del self._connections[os.getpid(), threading.get_ident()]
            conn.close()
        return True

    @contextlib.contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Connection]:
        """A write transaction: all of it, flushed to the disk, or nothing. Raises StateError.

        One that need not be `lasting` survives this process, and a power failure only with the next one
        that is flushed.
        """
        conn = self.connection()
        with dbfile.guard_writing(self.path), contextlib.nullcontext() if lasting else dbfile.unflushed(conn):
            try:
                conn.execute("BEGIN IMMEDIATE")
                yield conn
                conn.execute("COMMIT")
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close every thread's connection. Those of a process that forked this one are its own."""
        with self._lock:
            for at in [at for at in self._connections if at[0] == os.getpid()]:
                self._connections.pop(at).close()
            if self._memory is not None:
                self._memory.close()
                self._memory = None

    def use_memory(self, warning: str = "") -> None:
        """Stand in for a database that is not there: an empty one, shared by all threads."""
        with self._lock:
            if self._memory is None:
                self._memory = dbfile.open_memory()
                self.warnings.extend(filter(None, [warning]))

    def use(self, conn: Connection, *, is_copy: bool) -> None:
        """Read through `conn`: this thread, or all where it is a copy in memory."""
        if is_copy:
            self._memory = conn
        else:
            self._connections[os.getpid(), threading.get_ident()] = conn


def _prepare(store: Store, *, is_as_left: bool) -> None:
    """Make the database ready for writing: created, undamaged, of the present version."""
    path = store.path
    try:
        dbfile.check_for_writing(path, is_as_left=is_as_left)
    except FileNotFoundError:
        dbfile.create(path)
    except dbfile.TROUBLE as error:
        if not trouble.is_damage(error):
            raise
        aside = dbfile.put_aside(path)
        store.warnings.append(
            f"{path} is corrupt ({error}): kept as {aside}, what is not in the cache will run again"
        )
        dbfile.create(path)
    apply_pending(store.connection(), None)


def _prepare_reading(store: Store) -> None:
    for last in (False, True):
        try:
            conn, is_copy = dbfile.open_checked(store.path)
            store.use(conn, is_copy=is_copy)
        except FileNotFoundError:
            store.use_memory()
        except dbfile.TROUBLE as error:
            if not trouble.is_damage(error):
                raise
            if not last and os.path.exists(store.path + "-wal"):
                continue  # somebody began to write while we took it for a file that nobody changes
            store.use_memory(f"{store.path} is corrupt ({error}): read as empty")
        return


def _prepare_writing(store: Store, *, is_as_left: bool) -> None:
    directory = os.path.dirname(store.path)
    if not os.path.isdir(directory):
        make_dir(*os.path.split(directory))
    try:
        with FileLock(f"{store.path}.lock", "opening the database"):
            _prepare(store, is_as_left=is_as_left)
    except BaseException:
        store.close()
        raise


def open_store(path: str, *, readonly: bool = False, is_as_left: bool = False) -> Store:
    """Open the database at the absolute `path`.

    For writing it is created where it is missing and put aside where it is damaged. For reading
    nothing is changed: a missing or damaged one reads as empty, the latter with a warning. What is known to
    look as wsbuild left it is not read through before it is written to. Raises
    StateError for a file that belongs to something else, and where it cannot be used.
    """
    if os.path.islink(path):  # SQLite has its log beside the file itself
        path = os.path.realpath(path)
    store = Store(path, readonly=readonly)
    try:
        with dbfile.guard(path):
            if readonly:
                _prepare_reading(store)
            else:
                _prepare_writing(store, is_as_left=is_as_left)
    except OSError as error:
        raise trouble.system_error(path, error) from error
    return store
