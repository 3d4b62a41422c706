"""A database to write in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wsbuild.store.db import Store, open_store


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a database can be made."""
    return str(tmp_path / "state" / "history.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    """An empty database, open for writing."""
    found = open_store(path)
    yield found
    found.close()
