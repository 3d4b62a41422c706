"""The usual forms of `wsbuild detect` and `wsbuild run` mean what the command line says they mean."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from space import Space

from wsbuild.cli import detecting, lean, running
from wsbuild.cli.answers import Answer, Request
from wsbuild.cli.app import run_command
from wsbuild.cli.running import RunRequest

if TYPE_CHECKING:
    from pathlib import Path

USUAL = (
    [],
    ["--staged"],
    ["--changed"],
    ["--staged", "--new-only"],
    ["-d", "ruff", "--detector", "jq"],
    ["a.py", "sub", "../b.py"],
    ["--json"],
    ["-d", "ruff", "a.py", "--json"],
)
UNUSUAL = (
    ["--fix"],
    ["-druff"],
    ["-d"],
    ["-d", "--json"],
    ["--staged", "--changed"],
    ["--staged", "--staged"],
    ["--help"],
    ["--"],
    [""],
    ["-"],
    ["--format", "sarif"],
    ["--json=1"],
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory below the root of a project."""
    space = Space(tmp_path / "project")
    for path in ("deep/a.py", "deep/sub/c.py", "b.py"):
        space.write(path, "")
    monkeypatch.chdir(space.root / "deep")
    return space.root


@pytest.mark.parametrize("words", USUAL, ids=" ".join)
def test_the_usual(place: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """What is made of them is the same."""
    asked: list[Request] = []

    def run(request: Request, *_: object) -> Answer:
        asked.append(request)
        return Answer(0, "")

    monkeypatch.setattr(detecting, "run", run)
    monkeypatch.setattr(sys, "argv", ["wsbuild", "detect", *words])
    assert run_command() == 0
    assert lean.request_of(words, str(place)) == asked[0]


@pytest.mark.parametrize("words", UNUSUAL, ids=" ".join)
def test_all_else_is_for_the_command_line(place: Path, words: list[str]) -> None:
    """It knows it, or tells what is wrong."""
    assert lean.request_of(words, str(place)) is None


USUAL_RUNS = (
    [],
    ["ws:a", "deep/a.py", "../b.py", "ws-*"],
    ["-j", "4"],
    ["--jobs", "2", "-c", "--json"],
    ["--continue", "--no-wait", "ws:a"],
)
UNUSUAL_RUNS = (
    *(["--dry-run"], ["--force"], ["--affected", "HEAD"], ["--help"], ["-j4"], ["--jobs=4"], ["-j"]),
    *(["-j", "0"], ["-j", "-1"], ["-j", "x"], ["-j", "²"], ["--"], [""], ["--unknown"]),
)


@pytest.mark.parametrize("words", USUAL_RUNS, ids=" ".join)
def test_the_usual_runs(place: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """What is made of them is the same."""
    asked: list[RunRequest] = []

    def run(request: RunRequest, *_: object) -> int:
        asked.append(request)
        return 0

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(sys, "argv", ["wsbuild", "run", *words])
    assert run_command() == 0
    assert lean.run_of(words, str(place)) == asked[0]


@pytest.mark.parametrize("words", UNUSUAL_RUNS, ids=" ".join)
def test_all_other_runs_are_for_the_command_line(place: Path, words: list[str]) -> None:
    """It knows it, or tells what is wrong."""
    assert lean.run_of(words, str(place)) is None
