"""What is recorded of the steps that are up to date, for `doit dumpdb`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsbuild.statedir import database_path
from wsbuild.store import clean
from wsbuild.store.db import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping


def dump(root: str, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """One object a step."""
    store = open_store(database_path(root, environ), readonly=True)
    try:
        return [row._asdict() for row in clean.all_rows(store.connection())]
    finally:
        store.close()
