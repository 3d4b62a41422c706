"""Short commands of wsbuild's own: what they give, and that nobody waits for them for long."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from wsbuild.tools.capture import capture

if TYPE_CHECKING:
    from pathlib import Path

    from marked import Marked


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["sh", "-c", "echo out; echo err >&2"], (0, b"out\n")),
        (["sh", "-c", "echo out; echo err >&2; exit 3"], (3, b"out\nerr\n")),
        (["sh", "-c", "kill -KILL $$"], (137, b"")),
        (["cat"], (0, b"input")),
    ],
)
def test_capture(argv: list[str], expected: tuple[int, bytes]) -> None:
    """A short command gives its code and output, and its complaints only where it failed."""
    assert capture(argv, input=b"input") == expected


@pytest.mark.parametrize(("name", "code"), [("nowhere-to-be-found", 127), ("/etc/passwd", 126)])
def test_capture_of_what_is_missing(name: str, code: int) -> None:
    """What cannot be started has the codes of a shell, and says why."""
    found, said = capture([name])
    assert found == code
    assert name.encode() in said


def test_capture_is_not_held_up(marked: Marked, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its deadline a command is killed with its group; nobody waits for who holds its output."""
    monkeypatch.setenv(marked.name, marked.mark)
    assert capture(["sh", "-c", "sleep 1000 & sleep 1000"], timeout=0.5) == (124, b"")
    assert marked.gone()
    holder = "setsid sleep 1000 & echo started; sleep 1000"
    assert capture(["sh", "-c", holder], timeout=0.5) == (124, b"started\n")
    for pid in marked.pids():
        os.kill(pid, signal.SIGKILL)


def test_capture_asks_git_about_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a hook, git's own variables do not send wsbuild's questions to another repository."""
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    capture(["git", "init", "-q", "."], cwd=str(tmp_path))
    code, output = capture(["git", "rev-parse", "--git-dir"], cwd=str(tmp_path))
    assert (code, output) == (0, b".git\n")
