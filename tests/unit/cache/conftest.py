"""A project to put files back into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cachebox import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project; nothing stays open."""
    project = Project(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    yield project
    assert len(os.listdir("/proc/self/fd")) == before, "a file is still open"
