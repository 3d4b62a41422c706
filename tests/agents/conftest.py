"""Fixtures for the tests with real agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from agent_space import AgentSpace
from aider_env import NoAiderError, aider
from model_server import ModelServer, Reply

Scripted = Callable[[Iterable[Reply]], AgentSpace]


@pytest.fixture(scope="session")
def aider_program() -> Path:
    """The real aider; without it, tests that need it are skipped."""
    try:
        return aider()
    except NoAiderError as error:
        pytest.skip(str(error))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model whose script the test writes; nobody else may have been reached in the end."""
    with ModelServer() as running:
        yield running
    assert running.strays == []


@pytest.fixture
def project(tmp_path: Path, aider_program: Path, server: ModelServer) -> AgentSpace:
    """A project whose workstream aider edits."""
    return AgentSpace(tmp_path / "project", tmp_path / "home", aider_program, server)
