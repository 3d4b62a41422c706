"""Points in time as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wsbuild.errors import UserError

_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since_time(text: str) -> str:
    """A point in time as the store writes it. Raises UserError."""
    if not text:
        return ""
    if ago := _AGO.fullmatch(text):
        when = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(
            f"--since {text!r} is no time", "write 2026-01-31, 2026-01-31T12:00:00Z, 2h or 3d"
        ) from error
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
