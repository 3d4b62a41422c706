"""Zip files: made so that the same members give the same bytes, and read without trust in them."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from typing import TYPE_CHECKING

from wsbuild.paths import is_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES = 256 * 2**20
"""Of all members together, unpacked; a file that is larger than that itself is not read either."""

MOST_MEMBERS = 100_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(OverflowError, LookupError, OSError),
)


class BadZipError(ValueError):
    """A file that is no zip to be trusted; the message says why, starting with a verb."""


def pack(members: Mapping[str, bytes]) -> bytes:
    """The zip file of `members`: sorted, without the time, owner or system that it was made at.

    Raises BadZipError for more than can be read again.
    """
    _check_amount(len(members), sum(map(len, members.values())))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix, wherever it is made
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            file.writestr(info, members[name], zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def unpack(path: str, only: Iterable[str] = ()) -> dict[str, bytes]:
    """The members of the zip file `path`, or those of `only` that it has; each is read whole and its
    checksum compared.

    Raises BadZipError for what is damaged, too large, or has a member that does not belong below a
    directory (links, `..`, one name twice); OSError where it cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise BadZipError("is not a regular file")
        _check_amount(0, info.st_size)
        try:
            with zipfile.ZipFile(file) as opened:
                members = opened.infolist()
                _check_members(members)
                wanted = set(only)
                chosen = [each for each in members if not wanted or each.filename in wanted]
                return {each.filename: opened.read(each) for each in chosen}
        except BadZipError:
            raise
        except _DAMAGE as error:
            raise BadZipError(f"is no whole zip file: {error}") from error


def _check_amount(members: int, size: int) -> None:
    if members > MOST_MEMBERS:
        raise BadZipError(f"has {members} members; at most {MOST_MEMBERS} are read")
    if size > MOST_BYTES:
        raise BadZipError(f"has {size} bytes; at most {MOST_BYTES} are read")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    # The sizes are those that the file claims: no more is unpacked of a member than it claims.
    _check_amount(len(members), sum(each.file_size for each in members))
    seen: set[str] = set()
    for each in members:
        name = each.filename
        kind = stat.S_IFMT(each.external_attr >> 16)
        if each.orig_filename != name or "\\" in name or not is_within(name):
            raise BadZipError(f"has a member with the name {each.orig_filename!r:.80}, which leads elsewhere")
        if name.casefold() in seen:
            raise BadZipError(f"has the member {name!r:.80} twice")
        if kind not in {0, stat.S_IFREG}:
            raise BadZipError(f"has the member {name!r:.80}, which is no regular file")
        if each.flag_bits & _ENCRYPTED or each.compress_type not in _KINDS:
            raise BadZipError(f"has the member {name!r:.80}, which is encrypted or packed in an unusual way")
        seen.add(name.casefold())
