"""Results of detectors by their keys, with the digests of the files that they are of.

A database of its own, beside the history: it holds nothing that cannot be made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from typing import TYPE_CHECKING

from wsbuild.statedir import STATE
from wsbuild.store import files, tool_versions
from wsbuild.store.dbfile import TROUBLE, connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wsbuild.filestat import FileRow
    from wsbuild.store.tool_versions import Asked

DATABASE = f"{STATE}/detect.db"
KEPT_DAYS = 90


def last_read(root: str, paths: Iterable[str]) -> dict[str, str]:
    """The digests (SHA-256) that files of the project at `root` had when they were read last, as far as that
    can be told. Changes nothing.
    """
    try:
        with contextlib.closing(connect(os.path.join(root, DATABASE), readonly=True)) as conn:
            return {path: row.sha256 for path, row in files.get_many(conn, paths).items()}
    except TROUBLE:
        return {}


class Verdicts:
    """The results in the file `path`. One that is damaged is begun anew; one that cannot be opened keeps
    nothing. `warning` says so ('' where all is well).
    """

    def __init__(self, path: str) -> None:
        self.warning = ""
        try:
            self._conn = self._open(path)
        except (*TROUBLE, OSError) as error:
            self.warning = f"results of detectors are not kept: {path}: {error}"
            self._conn = self._connect(":memory:")
        self.seed = self._read_seed()

    def _read_seed(self) -> int:
        """The seed of the quick digests in `files`; a new one where there is none."""
        with contextlib.suppress(*TROUBLE):
            new = os.urandom(8).hex()
            self._conn.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('seed', ?)", (new,))
        row = self._conn.execute("SELECT value FROM meta WHERE key = 'seed'").fetchone()
        return int(row[0], 16) if row else 0

    def files(self, paths: Iterable[str]) -> dict[str, FileRow]:
        """What is remembered of files."""
        try:
            return files.get_many(self._conn, paths)
        except TROUBLE:
            return {}

    def version(self, asked: Asked) -> str | None:
        """What is remembered of a tool's version."""
        try:
            return tool_versions.get(self._conn, asked)
        except TROUBLE:
            return None

    def remember(self, rows: Mapping[str, FileRow], versions: Mapping[Asked, str]) -> None:
        """Remember what was read and asked."""
        if rows or versions:
            with self._writing():
                files.put_many(self._conn, rows)
                tool_versions.put_many(self._conn, versions)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction; what cannot be written is lost, which costs time only."""
        try:
            self._conn.execute("BEGIN IMMEDIATE")
            yield
            self._conn.execute("COMMIT")
        except TROUBLE as error:
            with contextlib.suppress(*TROUBLE):
                self._conn.execute("ROLLBACK")
            self.warning = f"results of detectors are not kept: {error}"

    def _open(self, path: str) -> sqlite3.Connection:
        try:
            return self._connect(path)
        except TROUBLE as error:
            if getattr(error, "sqlite_errorcode", 0) not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise
            self.warning = f"{path} was damaged, and is begun anew"
            for ending in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path + ending)
            return self._connect(path)

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        from wsbuild.shipped import data_path

        conn = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
        try:
            with open(data_path("schema", "detect.sql"), encoding="utf-8") as file:
                conn.executescript(file.read())
        except BaseException:
            conn.close()
            raise
        return conn

    def get_many(self, keys: Iterable[str], day: int) -> dict[str, tuple[str, str]]:
        """What is kept of `keys`: the findings as text, and their digest. It is of use on a `day` since
        1970.
        """
        wanted, found = json.dumps(list(keys)), {}
        query = (
            "SELECT verdicts.key, findings, digest, used_day"
            " FROM json_each(?) AS wanted JOIN verdicts ON verdicts.key = wanted.value"
        )
        idle = []
        with contextlib.suppress(*TROUBLE):
            for key, text, digest, used in self._conn.execute(query, (wanted,)):
                found[key] = text, digest
                if used < day:
                    idle.append((day, key))
        if idle:
            with self._writing():
                self._conn.executemany("UPDATE verdicts SET used_day = ? WHERE key = ?", idle)
        return found

    def put_many(self, rows: Mapping[str, tuple[str, str]], day: int) -> None:
        """Keep results: key to findings and their digest, of use on a `day` since 1970; and no more what was
        of none for long.
        """
        with self._writing():
            self._conn.executemany(
                "INSERT OR REPLACE INTO verdicts (key, findings, digest, used_day) VALUES (?, ?, ?, ?)",
                [(key, text, digest, day) for key, (text, digest) in rows.items()],
            )
            self._conn.execute("DELETE FROM verdicts WHERE used_day < ?", (day - KEPT_DAYS,))

    def close(self) -> None:
        """Let go of the file."""
        self._conn.close()
