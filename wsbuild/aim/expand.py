"""Environment variables in the texts of a registry, as Windows and as shells write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def unset(text: str, variables: Mapping[str, str]) -> list[str]:
    """The variables that a text names and that are not set."""
    names = [match[1] or match[2] for match in _VARIABLE.finditer(text)]
    return [name for name in dict.fromkeys(names) if not variables.get(name)]


def expand(text: str, variables: Mapping[str, str]) -> str:
    """A text with `%NAME%` and `${NAME}` replaced by what they stand for, in one pass; those that are not set
    stay as they are.
    """
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2]) or match[0], text)
