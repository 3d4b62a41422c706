"""A real git repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from wsbuild.worktrees.git import Git

WHO = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")


class Repo:
    """A repository with two commits; `a.txt`, `b.txt`, `d/c.txt` and a script are tracked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.run("init", "-q")
        for path in ("a.txt", "b.txt", "d/c.txt"):
            self.write(path, f"{path}\n" * 5)
        self.write("run.sh", "#!/bin/sh\n")
        (root / "run.sh").chmod(0o755)
        self.write(".gitignore", "*.log\n")
        self.run("add", "-A")
        self.run("commit", "-qm", "first")

    @property
    def git(self) -> Git:
        """The repository as wsbuild sees it."""
        found = Git.find(str(self.root))
        assert found is not None
        return found

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """What git itself says."""
        done = subprocess.run(
            ["git", "--no-optional-locks", *WHO, *words],
            cwd=cwd or self.root,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def write(self, path: str, text: str) -> Path:
        """Write a file, making its directories."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def listed(self, tree: str) -> dict[str, tuple[str, str]]:
        """The files of a tree: mode and content."""
        lines = [line for line in self.run("ls-tree", "-r", "-z", "--full-tree", tree).split("\0") if line]
        found = {}
        for line in lines:
            what, path = line.split("\t", 1)
            mode, kind, name = what.split()
            found[path] = (mode, self.run("cat-file", "blob", name) if kind == "blob" else name)
        return found

    def untouched(self) -> tuple[object, ...]:
        """What wsbuild must leave as it is."""
        index = self.root / ".git/index"
        stat = index.stat()
        head = (self.root / ".git/HEAD").read_text()
        refs = [line for line in self.run("for-each-ref").splitlines() if "refs/wsbuild/" not in line]
        return index.read_bytes(), stat.st_mtime_ns, stat.st_ino, head, refs, self.run("reflog", "main")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository."""
    assert not any(name.startswith("GIT_") for name in os.environ)
    return Repo(tmp_path / "r")
