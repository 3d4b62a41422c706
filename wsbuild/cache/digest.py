"""Content digests: sha256 names contents; seeded xxh3_128 tells quickly that one did not change here.

XXH3 is not collision resistant: the random seed, one per state database, keeps prepared collisions
out, and no digest of its kind ever stands in a key or leaves the machine.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 16
"""How much is read at a time: a larger buffer, made anew for each file, costs more than the small files."""


class Digests(NamedTuple):
    """What is known of one content, in hexadecimal: `quick` is its xxh3_128, `strong` its sha256."""

    quick: str
    strong: str


class _Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...


def sha256_text(text: str) -> str:
    """The sha256 of a text as UTF-8, in hexadecimal; any string has one."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """The sha256 of bytes, in hexadecimal."""
    return sha256(data).hexdigest()


def sha256_fd(fd: int) -> str:
    """The sha256 of what is left to read from the open file `fd`, in hexadecimal. Raises OSError."""
    hasher = sha256()
    _feed(fd, hasher)
    return hasher.hexdigest()


def digest_fd(fd: int, seed: int, known: Digests | None = None) -> Digests:
    """The digests of the open file `fd` from where it stands. Raises OSError.

    A content with the quick digest of `known` is taken to be that one, and its sha256 not computed.
    """
    from xxhash import xxh3_128

    quick = xxh3_128(seed=seed)
    if known is None:
        strong = sha256()
        _feed(fd, quick, strong)
        return Digests(quick.hexdigest(), strong.hexdigest())
    start = os.lseek(fd, 0, os.SEEK_CUR)
    _feed(fd, quick)
    if quick.hexdigest() == known.quick:
        return known
    os.lseek(fd, start, os.SEEK_SET)
    return Digests(quick.hexdigest(), sha256_fd(fd))


def quick_fd(fd: int, seed: int) -> bytes:
    """The quick digest alone, of what is left to read from the open file `fd`. Raises OSError."""
    from xxhash import xxh3_128

    quick = xxh3_128(seed=seed)
    _feed(fd, quick)
    return quick.digest()


def _feed(fd: int, *hashers: _Hasher) -> None:
    for chunk in chunks(fd):
        for hasher in hashers:
            hasher.update(chunk)


def chunks(fd: int) -> Iterator[bytes]:
    """What is left to read from an open file: of a regular one, less than was asked for is the end."""
    while chunk := os.read(fd, CHUNK):
        yield chunk
        if len(chunk) < CHUNK:
            return
