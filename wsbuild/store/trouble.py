"""What SQLite and the system report, as errors that say what to do next.

Knows result codes by number (https://www.sqlite.org/rescode.html); opens nothing.
"""

from __future__ import annotations

import errno
import os

from wsbuild.errors import StateError

_ERROR, _PERM, _BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = (
    1, 3, 5, 6, 8, 10, 11, 13, 14, 26,
)  # fmt: skip
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_WRITABLE = "make it and its directory writable, or set PIPELINE_DB_PATH"


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_malformed(error: BaseException | None) -> bool:
    """Whether SQLite calls the file damaged, or gives the name of a column that is no text."""
    return _code(error) in {_CORRUPT, _NOTADB} or isinstance(error, UnicodeDecodeError)


def is_damage(error: BaseException | None) -> bool:
    """Whether a damaged file explains the error: a missing table or column does not come otherwise."""
    return is_malformed(error) or _code(error) == _ERROR


def _no_space(path: str, why: object) -> StateError:
    return StateError(
        f"no space left on {os.path.dirname(path)}, or the disk failed ({why})",
        "free some space and run again",
    )


def system_error(path: str, error: OSError) -> StateError:
    """For an error of the system while the database `path` was made or moved."""
    if error.errno in _NO_SPACE:
        return _no_space(path, error.strerror)
    return StateError(f"cannot use {path}: {error.strerror}", _WRITABLE)


def sqlite_error(path: str, error: Exception) -> StateError:
    """For an error of SQLite with the database `path`."""
    code = _code(error)
    if code in {_FULL, _IOERR}:
        return _no_space(path, error)
    if code in {_READONLY, _CANTOPEN, _PERM}:
        return StateError(f"cannot open or write {path}: {error}", _WRITABLE)
    if code in {_BUSY, _LOCKED}:
        return StateError(f"{path} is locked by another process", "run again when that has ended")
    return StateError(
        f"{path} cannot be used: {error}",
        "run again: a damaged database is put aside at the start of a run",
    )
