"""Findings that are known and left for later: a file of the repository, a line each."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.detectors.finding import Finding

FILE = "config/detect-baseline.json"


def load(root: str) -> frozenset[str]:
    """The fingerprints in the baseline of the project at `root`. Raises UserError where there is none, or
    it is not to be read.
    """
    hint = "write it with `wsbuild detect --baseline`"
    try:
        with open(os.path.join(root, FILE), encoding="utf-8") as file:
            rows = json.load(file)
        if not isinstance(rows, list):
            raise TypeError("it is no list")
        return frozenset(row["fingerprint"] for row in rows)
    except FileNotFoundError as error:
        raise UserError(f"there is no {FILE}", hint) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{FILE} cannot be read: {type(error).__name__}: {error}", hint) from error


def save(root: str, findings: Iterable[Finding]) -> None:
    """Write the baseline anew. Raises UserError."""
    names = ("path", "detector", "code", "fingerprint")
    rows = sorted([getattr(one, name) for name in names] for one in findings)
    lines = ",\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows)
    path = os.path.join(root, FILE)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, f"[\n{lines}\n]\n".encode())
    except OSError as error:
        raise UserError(f"{FILE} cannot be written: {error.strerror}") from error
