"""Fixtures for what starts processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from marked import Marked

from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[Marked]:
    """Marked commands; the supervisors end with the test."""
    yield Marked(tmp_path)
    process.shutdown()
