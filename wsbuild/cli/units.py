"""Sizes and ages as people write them."""

from __future__ import annotations

import re

from wsbuild.errors import UserError

DAY_S = 86_400
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kmgt]?)b?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_AGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY_S, "w": 604_800}


def read_size(text: str) -> float:
    """The bytes that a size stands for: `500M`. Raises UserError."""
    if match := _SIZE.fullmatch(text.strip()):
        return float(match[1]) * _FACTORS[match[2].lower()]
    raise UserError(f"{text!r} is no size", "write 500M, 2G or a number of bytes")


def read_age(text: str) -> float:
    """The seconds that an age stands for: `30d`. Raises UserError."""
    if match := _AGE.fullmatch(text.strip()):
        return float(match[1]) * _SECONDS[match[2]]
    raise UserError(f"{text!r} is no age", "write 30d, 12h or 2w")


def shown_size(size: float) -> str:
    """A size for people."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"
