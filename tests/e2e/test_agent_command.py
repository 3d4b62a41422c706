"""The tool profile for any agent: the command that a variable holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from isolated import Repo

AGENT = """\
import pathlib, sys
prompt, *files = sys.argv[2:]
assert sys.argv[1] == "--yes" and sys.stdin.read() == pathlib.Path(prompt).read_text()
assert "Say it twice" in pathlib.Path(prompt).read_text()
for name in files:
    path = pathlib.Path(name)
    path.write_text(path.read_text() * 2)
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project with an agent of its own, and a workstream that any agent may do."""
    repo = Repo(tmp_path / "project")
    repo.write("tools/own.py", AGENT)
    repo.workstream("x", files_scope=["src/a.py"], tasks=["Say it twice"], tool="agent")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "any agent")
    return repo


def test_it_is_given_the_prompt_and_the_files(repo: Repo) -> None:
    """Another command is another reason to ask."""
    repo.env["WSBUILD_AGENT"] = "python3 tools/own.py --yes"
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "a = 1\n" * 2
    assert repo.wsbuild("run").out.startswith("nothing to do")
    repo.env["WSBUILD_AGENT"] = "python3  tools/own.py --yes"
    assert "env changed: WSBUILD_AGENT" in repo.wsbuild("explain", "ws:x:edit").out


def test_without_a_command_it_says_what_is_missing(repo: Repo) -> None:
    """Nothing is started, and the prompt least of all."""
    said = repo.wsbuild("run", code=1).out
    assert "WSBUILD_AGENT: is not set: it holds the command of your agent" in said
    assert repo.read("src/a.py") == "a = 1\n"
