"""Content digests for change detection here: seeded xxh3_128. Not for anything shared or trusted.

XXH3 is not collision resistant: the random seed, one per state database, keeps prepared collisions
out. Whatever leaves the machine is named by sha256 instead.
"""

from __future__ import annotations

import os

CHUNK = 1 << 20


def digest_bytes(data: bytes, seed: int) -> str:
    """Digest of `data` as 32 hexadecimal digits."""
    from xxhash import xxh3_128_hexdigest

    return xxh3_128_hexdigest(data, seed)


def digest_fd(fd: int, seed: int) -> str:
    """Digest of what is left to read from the open file `fd`. Raises OSError."""
    from xxhash import xxh3_128

    hasher = xxh3_128(seed=seed)
    while chunk := os.read(fd, CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()
