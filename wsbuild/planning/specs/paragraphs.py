"""The paragraphs of a specification: what can be referred to, and what tells one from another."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.planning.markdown import Block

SHINGLE = 4
"""Characters that are looked at together."""

SKETCH = 32
"""Hashes kept of a paragraph: the estimate of a likeness is off by less than 0.09 mostly."""

_BYTES = 3
_MIX = 0x9E3779B1  # 2^32 over the golden ratio: the CRCs of like texts are alike, these are not


class Paragraph(NamedTuple):
    """A block of a page, on the lines `start` to `end`. `mfid` is the SHA-256 of its lines, whatever
    ends them; `sketch` what likeness is told by.
    """

    start: int
    end: int
    mfid: str
    sketch: tuple[int, ...]
    text: str


def of_blocks(blocks: Sequence[Block]) -> list[Paragraph]:
    """The paragraphs that blocks are."""
    return [
        Paragraph(one.start, one.end, sha256_text(one.text), sketch(one.text), one.text) for one in blocks
    ]


def sketch(text: str) -> tuple[int, ...]:
    """The SKETCH smallest hashes of the pieces of SHINGLE characters in a text, in order.

    Case and blanks do not count. This is a bottom-k sketch (Cohen and Kaplan 2007): what share of their
    pieces two texts have in common can be told from their sketches.
    """
    even = " ".join(text.casefold().split())
    pieces = {even[at : at + SHINGLE] for at in range(max(1, len(even) - SHINGLE + 1))}
    hashes = {(zlib.crc32(piece.encode()) * _MIX & 0xFFFFFFFF) >> 8 for piece in pieces}
    return tuple(sorted(hashes)[:SKETCH])


def likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """What share of the pieces of two texts both have (Jaccard index), from 0 to 1, by their sketches."""
    mine, theirs = set(one), set(other)
    smallest = sorted(mine | theirs)[:SKETCH]
    return sum(piece in mine and piece in theirs for piece in smallest) / max(1, len(smallest))


def packed(hashes: Sequence[int]) -> str:
    """A sketch as text."""
    return base64.b64encode(b"".join(one.to_bytes(_BYTES) for one in hashes)).decode()


def unpacked(text: str) -> tuple[int, ...]:
    """The sketch that a text is; none where it is no such text."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ()
    return tuple(int.from_bytes(data[at : at + _BYTES]) for at in range(0, len(data), _BYTES))
