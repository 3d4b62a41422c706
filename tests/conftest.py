"""Fixtures for all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from space import Space

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # As a job in the background begins; what tests start and interrupt would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

FULL = bool(os.environ.get("WSBUILD_TEST_FULL"))


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """An empty project."""
    return Space(tmp_path / "project")


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing may touch the home directory or be steered by the caller's environment."""
    monkeypatch.setenv("HOME", str(tmp_path / "home-that-is-not-there"))
    for name in [n for n in os.environ if n.startswith(("PIPELINE_", "WSBUILD_", "GIT_"))]:
        if name not in {"WSBUILD_TEST_FULL", "WSBUILD_TEST_BUNDLES"}:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the long runs are wanted (`make test-all`)."""
    return FULL


@pytest.fixture(scope="session")
def real_bundles() -> Path:
    """Real bundles beside the checkout."""
    given = os.environ.get("WSBUILD_TEST_BUNDLES")
    path = Path(given) if given else Path(__file__).parents[2] / "shared" / "bundles"
    if not path.is_dir():
        pytest.skip(f"no real bundles at {path}")
    return path
