"""What a tool says it has used, and that it may not use more for now: read from its output by patterns."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE_GROUPS = ("cost_usd", "tokens_sent", "tokens_received")
LIMIT_GROUPS = ("at", "days", "hours", "minutes", "seconds")
_SCALE = {"k": 1e3, "M": 1e6}
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
LONGEST_WAIT_S = 31 * 86_400
"""What a tool says of a time farther away is not believed."""


class Usage(NamedTuple):
    """What was used: US dollars, and tokens of a model."""

    cost_usd: float = 0.0
    tokens_sent: int = 0
    tokens_received: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in both directions."""
        return self.tokens_sent + self.tokens_received

    def plus(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            self.cost_usd + other.cost_usd,
            self.tokens_sent + other.tokens_sent,
            self.tokens_received + other.tokens_received,
        )

    def __str__(self) -> str:
        """For a person."""
        return f"${self.cost_usd:.4f}, {self.tokens_sent:,} tokens sent, {self.tokens_received:,} received"


def used(patterns: Sequence[str], text: str) -> Usage:
    """The sum of all that a text reports: what the groups USAGE_GROUPS of matches say. Numbers may be
    written `1,234`, `1.2k` or `3M`; what is none does not count.
    """
    found = dict.fromkeys(USAGE_GROUPS, 0.0)
    for pattern in patterns:
        for match in re.finditer(pattern, text, re.MULTILINE):
            for name, number in match.groupdict().items():
                found[name] += _number(number)
    return Usage(found["cost_usd"], round(found["tokens_sent"]), round(found["tokens_received"]))


def limited_until(patterns: Sequence[str], text: str, now: float, wait_s: float) -> tuple[float, str] | None:
    """When the tool may be asked again, as seconds since 1970, and the words that say so; None where it
    said nothing of a limit.

    The last match counts, of several in one place that of the first pattern: its group `at` is that
    time, the others how long it is from `now`. One that does not say when means `wait_s` seconds.
    """
    last: re.Match[str] | None = None
    for pattern in patterns:
        for match in re.finditer(pattern, text, re.MULTILINE):
            if last is None or match.start() > last.start():
                last = match
    if last is None:
        return None
    given = {name: _number(value) for name, value in last.groupdict().items() if value}
    after = sum(given.get(name, 0.0) * seconds for name, seconds in _SECONDS.items())
    until = given["at"] if given.get("at") else now + after
    words = " ".join(last.group().split())
    return (until if now < until <= now + LONGEST_WAIT_S else now + wait_s), words


def complaint(patterns: Sequence[str], text: str) -> str:
    """The last line of a text that one of the patterns finds; '' for none."""
    if not patterns:
        return ""
    says = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    return next((line for line in reversed(text.splitlines()) if says.search(line)), "")


def _number(text: str | None) -> float:
    """What a number means that was written for people; 0 for what is none."""
    text = (text or "").replace(",", "").strip()
    scale = _SCALE.get(text[-1:], 1.0)
    try:
        value = float(text if scale == 1.0 else text[:-1]) * scale
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0
