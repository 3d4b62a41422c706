"""Two contents that XXH3 takes for one, where its seed is known."""

from __future__ import annotations

import struct

# The first 16 bytes of XXH3's own secret, which is what keyless digests are made with:
# https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
SECRET = bytes.fromhex("b8fe6c3923a44bbe7c01812cf721ad1c")


def twins() -> tuple[bytes, bytes]:
    """Two contents with the same XXH3 of seed 0.

    A lane is multiplied half by half after it was combined with the secret: where the low half is
    the secret's, the product is 0 whatever the high half is, and high halves just add up.
    """
    low, first, second = 0xFFFFFFFF, *struct.unpack("<QQ", SECRET)

    def twin(shift: int) -> bytes:
        one = (first & low) | (0x41414141 + shift) << 32
        two = (second & low) | (0x42424242 - shift) << 32
        return struct.pack("<Q", one) + b"." * 56 + struct.pack("<Q", two) + b"." * 440

    return twin(0), twin(1)
