"""`wsbuild gc`: what earlier runs left behind is counted and goes, but no work that is nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cachebox import files_of
from space import Space

AGENT = "import pathlib; pathlib.Path('src.txt').write_text('edited\\n'); exec(open({script!r}).read())"
RESCUE = "refs/wsbuild/rescue/ws-x/2"


class Repo(Space):
    """A repository whose workstream edits `src.txt`; then the agent does what `script` says."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.script = root.parent / "script.py"
        self.script.write_text("")
        edit = {"type": "ai", "command": "{python}", "args": ["agent.py", "{prompt_file}"]}
        check = {"type": "test", "command": "{python}", "args": ["check.py"]}
        self.write("agent.py", AGENT.format(script=str(self.script)))
        self.write("check.py", "import sys\nsys.exit('edited' in open('src.txt').read())\n")
        self.write("config/tool_profiles.json", json.dumps({"edit": edit, "check": check}))
        self.write("config/wsbuild.yaml", "pipeline:\n  runtime: [check]\n")
        self.write("config/circuit_breakers.yaml", "defaults:\n  enable_fix_for_steps: []\n")
        self.write("src.txt", "begin\n")
        self.workstream("x", files_scope=["src.txt"])
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")

    def gc(self, *options: str) -> dict[str, Any]:
        """What `wsbuild gc` says."""
        return self.wsbuild("gc", *options, "--json").json

    def kinds(self, found: dict[str, Any], *, gone: bool) -> set[str]:
        """The kinds of what goes, or of what stays."""
        return {item["kind"] for item in found["items"] if item["goes"] is gone}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """After a run whose check failed, and one that went beyond its scope."""
    repo = Repo(tmp_path / "repo")
    repo.script.write_text("open('other.txt', 'w').write('stray')")
    repo.wsbuild("run", code=1)
    repo.script.write_text("")
    repo.wsbuild("run", code=1)
    return repo


def test_showing_removes_nothing(repo: Repo) -> None:
    before = files_of(repo.root)
    found = repo.gc("--dry-run", "--max-age", "0s")
    assert files_of(repo.root) == before
    assert repo.kinds(found, gone=True) == {"worktree", "logs", "prompts"}
    assert repo.kinds(found, gone=False) == {"quarantine", "rescue"}
    sizes = {item["name"]: item["bytes"] for item in found["items"] if item["kind"] != "rescue"}
    assert sizes == {
        name: sum(path.lstat().st_size for path in (repo.root / name).rglob("*") if not path.is_dir())
        for name in sizes
    }
    assert found["bytes"] + found["left_bytes"] == sum(sizes.values())


def test_what_is_young_stays(repo: Repo) -> None:
    assert repo.kinds(repo.gc(), gone=True) == set()
    assert (repo.root / ".worktrees/ws-x/src.txt").exists()


def test_unlanded_work_is_rescued_before_it_goes(repo: Repo) -> None:
    """And is counted from then on; the next run goes on from the record."""
    result = repo.wsbuild("gc", "--max-age", "0s")
    assert f"unlanded work of ws-x is kept in {RESCUE}" in result.err
    assert repo.git("show", f"{RESCUE}:src.txt") == "edited\n"
    assert not (repo.root / ".worktrees/ws-x").exists()
    assert not any((repo.root / ".wsbuild/logs").iterdir())
    assert any((repo.root / ".wsbuild/quarantine").iterdir())
    assert repo.kinds(repo.gc("--max-age", "0s"), gone=False) == {"quarantine", "rescue"}
    repo.write("check.py", "")
    repo.wsbuild("run")
    assert repo.read("src.txt") == "edited\n"


def test_work_goes_if_that_is_wanted(repo: Repo) -> None:
    repo.gc("--max-age", "0s")
    assert repo.kinds(repo.gc("--max-age", "0s", "--work"), gone=True) == {"quarantine", "rescue"}
    assert repo.git("for-each-ref", "refs/wsbuild") == ""
    assert repo.gc("--max-age", "0s", "--work")["items"] == []


def test_the_worktree_of_a_workstream_that_is_gone_goes_at_once(repo: Repo) -> None:
    (repo.root / "workstreams/ws-x.json").unlink()
    assert repo.kinds(repo.gc(), gone=True) == {"worktree"}
    assert repo.git("show", f"{RESCUE}:src.txt") == "edited\n"


@pytest.mark.parametrize("age", ["", "5", "d", "-1d", "1y"])
def test_what_is_no_age_is_refused(repo: Repo, age: str) -> None:
    before = files_of(repo.root)
    result = repo.wsbuild("gc", f"--max-age={age}", code=2)
    assert "is no age" in result.err
    assert files_of(repo.root) == before
