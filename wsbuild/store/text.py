"""Text on its way into the database and out of it.

The name of a file is bytes, which Python shows as text with lone surrogates where they are not
UTF-8; SQLite would refuse that. `raw` keeps such text as it is, for `CAST(? AS TEXT)`; `plain`
writes it so that a person can read it.
"""

from __future__ import annotations


def raw(text: str) -> bytes:
    """The bytes to bind for text that must come back exactly."""
    return text.encode("utf-8", "surrogatepass")


def plain(text: str) -> str:
    r"""Text for people: what is not Unicode becomes `\udcXX`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read(data: bytes) -> str:
    """What was stored; damaged bytes become U+FFFD, for a row's digest to notice."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")
