"""`wsbuild detect --staged`, `--changed`, `--affected`: what git says, as it is to be committed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from detecting import detect, own
from space import BIN, Space

if TYPE_CHECKING:
    from pathlib import Path

BAD, GOOD = "import os\n", "X = 1\n"
ONLY = ("-d", "ruff")


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A repository whose last commit is clean."""
    space = Space(tmp_path / "project")
    space.write(".gitignore", "state/\nmade.*\n")
    for path in ("a.py", "b.py", "sub/c.py"):
        space.write(path, GOOD)
    # An empty directory is in no commit, and is one more that an import may mean.
    (space.root / "workstreams").rmdir()
    space.git("init", "-q", "-b", "main")
    space.git("add", "-A")
    space.git("commit", "-qm", "first")
    return space


def state(space: Space) -> tuple[object, ...]:
    """The index, the working tree with its times, and what differs between them."""
    files = {
        str(path.relative_to(space.root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in space.root.rglob("*")
        if path.is_file() and not {".git", ".wsbuild", "state"} & set(path.parts)
    }
    return files, space.git("ls-files", "-s"), space.git("diff"), space.git("status", "--porcelain")


def staged(space: Space, *arguments: str, code: int | None = None) -> list[str]:
    """The files in which something staged is found; nothing is changed by that."""
    before = state(space)
    told = detect(space, "--staged", *ONLY, *arguments, code=code)
    assert told["errors"] == []
    assert state(space) == before
    return [one["path"] for one in told["findings"]]


@pytest.fixture(autouse=True)
def _no_copies_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies are made in a place of their own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))


def test_what_is_staged_is_judged(space: Space) -> None:
    """Not what lies in the working tree, better or worse, nor what is not staged at all."""
    space.write("a.py", BAD)
    space.write("b.py", BAD)
    assert staged(space) == []
    space.git("add", "a.py")
    assert staged(space) == ["a.py"]
    space.write("a.py", GOOD)
    assert staged(space) == ["a.py"]
    space.git("add", "a.py")
    space.write("a.py", BAD)
    assert staged(space) == []
    assert not list((space.root.parent / "tmp").iterdir())


def test_a_part_of_a_file(space: Space) -> None:
    """That was staged in part, by lines."""
    space.write("a.py", "X = 1\nimport re\n")
    space.git("add", "a.py")
    space.write("a.py", "X = 1\nimport re\nimport sys\n")
    told = detect(space, "--staged", *ONLY)
    assert [one["message"] for one in told["findings"] if one["code"] == "F401"] == [
        "`re` imported but unused"
    ]
    assert space.read("a.py") == "X = 1\nimport re\nimport sys\n"


def test_a_new_a_removed_and_a_renamed_file(space: Space) -> None:
    """One that is only meant to be added is in no commit."""
    space.write("new.py", BAD)
    space.git("add", "new.py")
    space.write("later.py", BAD)
    space.git("add", "-N", "later.py")
    space.git("rm", "-q", "b.py")
    space.git("mv", "a.py", "moved.py")
    assert staged(space) == ["new.py"]
    (space.root / "sub/c.py").unlink()
    assert staged(space) == ["new.py"]


def test_configuration_counts_as_it_is_staged(space: Space) -> None:
    """One that git does not know does not."""
    space.write("a.py", BAD)
    space.git("add", "a.py")
    space.write("ruff.toml", "lint.ignore = ['F401']\n")
    assert staged(space) == ["a.py"]
    space.git("add", "ruff.toml")
    assert staged(space) == []
    space.write("ruff.toml", "nonsense = 1\n")
    assert staged(space) == []


def test_what_was_judged_before_is_known(space: Space) -> None:
    """In the working tree, and in a copy; and the other way round."""
    space.write("a.py", BAD)
    detect(space, *ONLY, "a.py")
    space.git("add", "a.py")
    assert detect(space, "--staged", *ONLY)["counts"]["tool_calls"] == 0
    space.write("b.py", BAD)
    assert detect(space, "--staged", *ONLY)["counts"]["tool_calls"] == 0
    space.git("add", "b.py")
    space.write("a.py", GOOD)
    assert detect(space, "--staged", *ONLY)["counts"]["tool_calls"] == 1
    assert detect(space, *ONLY, "b.py")["counts"]["tool_calls"] == 0


def test_what_git_ignores_is_there_as_well(space: Space) -> None:
    """A generated module is in no commit, and is imported nonetheless; what is only not added is not."""
    own(space, 'for f in "$@"; do test -e "${f%a.py}made.py" && test ! -e loose.py || echo "$f"; done')
    space.git("add", "-A")
    space.git("commit", "-qm", "own")
    for path in ("made.py", "sub/made.py", "loose.py"):
        space.write(path, GOOD)
    for path in ("a.py", "sub/a.py"):
        space.write(path, GOOD + "Y = 1\n")
        space.git("add", path)
    told = detect(space, "--staged", "-d", "own", code=0)
    assert (told["findings"], told["errors"], told["counts"]["files"]) == ([], [], 2)
    space.git("rm", "-q", "-rf", "--cached", "sub")
    assert detect(space, "--staged", "-d", "own", code=0)["errors"] == []
    assert space.read("sub/made.py") == GOOD


def test_a_conflict_is_no_reason_to_fail(space: Space) -> None:
    """What is settled is judged; git will not commit anyway."""
    space.git("checkout", "-qb", "other")
    space.write("a.py", "X = 2\n")
    space.git("commit", "-qam", "other")
    space.git("checkout", "-q", "main")
    space.write("a.py", "X = 3\n")
    space.git("commit", "-qam", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        space.git("merge", "other")
    space.write("b.py", BAD)
    space.git("add", "b.py")
    assert "b.py" in staged(space)


def test_a_project_below_the_top(space: Space) -> None:
    """Its files are named from its root; those outside are not its own."""
    (space.root / "sub/.wsbuild").mkdir()
    space.write("sub/c.py", BAD)
    space.write("a.py", BAD)
    space.git("add", "-A")
    space.write("sub/c.py", GOOD)
    told = space.wsbuild("detect", "--staged", "--json", *ONLY, cwd=space.root / "sub", code=1).json
    assert [one["path"] for one in told["findings"]] == ["c.py"]


def test_before_the_first_commit(tmp_path: Path) -> None:
    """All that is staged is new."""
    space = Space(tmp_path / "fresh")
    space.write("a.py", BAD)
    space.git("init", "-q")
    assert staged(space) == []
    space.git("add", "a.py")
    assert staged(space) == ["a.py"]
    assert [one["path"] for one in detect(space, "--changed", *ONLY)["findings"]] == ["a.py"]


def test_paths_narrow_what_is_staged(space: Space) -> None:
    """A directory stands for what is in it."""
    for path in ("a.py", "sub/c.py"):
        space.write(path, BAD)
    space.git("add", "-A")
    assert staged(space, "sub") == ["sub/c.py"]
    assert staged(space, "a.py", "b.py") == ["a.py"]
    assert (
        space.wsbuild("detect", "--staged", *ONLY, "b.py").out == "nothing is staged that is to be judged\n"
    )


def test_what_has_changed(space: Space) -> None:
    """Since the last commit, staged or not, known to git or not; or since a branch was left."""
    space.git("checkout", "-qb", "feature")
    space.write("a.py", BAD)
    space.git("commit", "-qam", "worse")
    space.write("b.py", BAD)
    space.write("new.py", BAD)
    space.write("state/ignored.py", BAD)

    def where(*words: str) -> list[str]:
        return [one["path"] for one in detect(space, *ONLY, *words)["findings"]]

    assert where("--changed") == ["b.py", "new.py"]
    assert where("--affected", "main") == ["a.py", "b.py", "new.py"]
    told = space.wsbuild("detect", "--affected", "nowhere", code=2).err
    assert "'nowhere' cannot be compared with" in told
    told = space.wsbuild("detect", "--affected=--output=x", code=2).err
    assert "cannot be compared with" in told
    assert not (space.root / "x").exists()


@pytest.mark.parametrize(
    "words", [("--staged", "--changed"), ("--staged", "--fix"), ("--changed", "--affected", "x")]
)
def test_what_does_not_go_together(space: Space, words: tuple[str, ...]) -> None:
    """Is told."""
    assert "exclude each other" in space.wsbuild("detect", *words, code=2).err


def test_without_git(tmp_path: Path) -> None:
    """It is told, too."""
    space = Space(tmp_path / "none")
    assert "is in no git repository" in space.wsbuild("detect", "--staged", code=2).err
    assert "is in no git repository" in space.wsbuild("hook", "install", code=2).err


def commit(space: Space, *words: str, code: int) -> str:
    """Commit as a person does, from a shell without our environment; gives what is said."""
    env = {**space.env, "HOME": str(space.root.parent), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        [shutil.which("git") or "git", *who, "commit", "-qm", "next", *words],
        cwd=space.root / "sub",
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done
    return done.stdout + done.stderr


def test_a_hook_judges_each_commit(space: Space) -> None:
    """As it will be: of all, of what is staged, of files that are named; and can be removed."""
    space.write("config/wsbuild.yaml", "detectors: [ruff]\n")
    space.git("add", "-A")
    space.git("commit", "-qm", "settings")
    said = space.wsbuild("hook", "install").out
    assert said.startswith(f"{space.root}/.git/hooks/pre-commit: {sys.executable}")
    assert space.wsbuild("hook", "install").out == said
    space.write("a.py", BAD)
    space.write("b.py", BAD)
    assert "[ruff F401]" in commit(space, "-a", code=1)
    space.git("add", "a.py")
    assert "a.py" in commit(space, code=1)
    space.write("a.py", GOOD + "Y = 1\n")
    assert "b.py" in commit(space, "../b.py", code=1)
    commit(space, "../a.py", code=0)
    assert space.git("status", "--porcelain").split() == ["M", "b.py"]
    assert space.wsbuild("hook", "remove").out == f"removed {space.root}/.git/hooks/pre-commit\n"
    commit(space, "-a", code=0)
    assert "there is no hook of wsbuild" in space.wsbuild("hook", "remove", code=2).err


def test_a_hook_of_somebody_else_stays(space: Space) -> None:
    """Where git looks for it: in a directory of the repository, too."""
    space.write("hooks/pre-commit", "#!/bin/sh\n")
    space.git("config", "core.hooksPath", "hooks")
    told = space.wsbuild("hook", "install", code=2).err
    assert "there is a hook already" in told
    assert "wsbuild -C" in told
    assert space.read("hooks/pre-commit") == "#!/bin/sh\n"
    (space.root / "hooks/pre-commit").unlink()
    space.wsbuild("hook", "install", "--new-only")
    assert "--new-only" in space.read("hooks/pre-commit")
    assert os.access(space.root / "hooks/pre-commit", os.X_OK)
    assert BIN.name in space.read("hooks/pre-commit")
