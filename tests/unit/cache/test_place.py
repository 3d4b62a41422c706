"""Where the cache of a project is: one for all worktrees of a repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wsbuild.cache.place import VARIABLE, cache_dir

HERE = ".wsbuild/cache"


def git(where: Path, *words: str) -> None:
    """A git command, for nobody in particular."""
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(where), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *name, *words], cwd=where, env=environ, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    main = tmp_path / "main"
    (main / "sub" / "project").mkdir(parents=True)
    (main / "sub" / "project" / "a").write_text("a")
    git(main, "init", "-q")
    git(main, "add", ".")
    git(main, "commit", "-q", "-m", "one")
    return main


def place(root: Path) -> str:
    """The cache of a project with nothing set."""
    return cache_dir(str(root), {})


# --- given


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("c", "{root}/c"),
        ("../c", "{above}/c"),
        ("./x/../c/", "{root}/c"),
        ("{above}/abs", "{above}/abs"),
        ("~/c", "{home}/c"),
        ("~", "{home}"),
        ("a b/\u00e9", "{root}/a b/\u00e9"),
        ("$HOME/c", "{root}/$HOME/c"),
        ("", "{root}/.wsbuild/cache"),
    ],
)
def test_the_directory_that_was_given(
    repository: Path, monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    """Relative to the root of the project; empty is not given. Nothing is made."""
    monkeypatch.setenv("HOME", str(repository.parent / "home"))
    names = {
        "root": str(repository),
        "above": str(repository.parent),
        "home": str(repository.parent / "home"),
    }
    environ = {VARIABLE: given.format(**names)}
    assert cache_dir(str(repository), environ) == expected.format(**names)
    assert not (repository / ".wsbuild").exists()


def test_a_given_directory_is_relative_to_the_project_not_to_where_it_is_run(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each directory of a project asks for the same one."""
    monkeypatch.chdir(repository / "sub")
    assert cache_dir(str(repository), {VARIABLE: "c"}) == str(repository / "c")


# --- found


def test_without_git_it_is_in_the_project(tmp_path: Path) -> None:
    """Nobody shares it."""
    assert place(tmp_path) == str(tmp_path / HERE)


def test_all_checkouts_of_a_repository_have_one(repository: Path) -> None:
    """The main checkout's, whoever asks, also from a directory within."""
    trees = [repository]
    for name in ("work tree", ".worktrees/inner", "../beside"):
        git(repository, "worktree", "add", "-q", "--detach", name)
        trees.append(repository / name)
    roots = [tree / part for tree in trees for part in ("", "sub", "sub/project")]
    assert {place(Path(os.path.normpath(root))) for root in roots} == {str(repository / HERE)}


def test_a_worktree_with_relative_paths_has_it_too(repository: Path) -> None:
    """As newer versions of git can write them, and who moves both."""
    git(repository, "worktree", "add", "-q", "--detach", "../beside")
    beside = repository.parent / "beside"
    (beside / ".git").write_text("gitdir: ../main/.git/worktrees/beside\n")
    assert place(beside / "sub") == str(repository / HERE)
    repository.parent.rename(repository.parent.parent / "moved")
    moved = repository.parent.parent / "moved"
    assert place(moved / "beside") == str(moved / "main" / HERE)
    moved.rename(repository.parent)


def test_a_bare_repository_holds_it_for_its_worktrees(repository: Path, tmp_path: Path) -> None:
    """There is no checkout that could."""
    git(tmp_path, "clone", "-q", "--bare", "main", "bare.git")
    for name in ("one", "two"):
        git(tmp_path / "bare.git", "worktree", "add", "-q", "--detach", f"../{name}")
    expected = str(tmp_path / "bare.git" / "wsbuild" / "cache")
    assert [place(tmp_path / name) for name in ("one", "two/sub")] == [expected] * 2


def test_a_git_directory_elsewhere_holds_it(repository: Path, tmp_path: Path) -> None:
    """For the checkout and for its worktrees."""
    git(tmp_path, "clone", "-q", "--separate-git-dir", "store", "main", "checkout")
    git(tmp_path / "checkout", "worktree", "add", "-q", "--detach", "../tree")
    expected = str(tmp_path / "store" / "wsbuild" / "cache")
    assert [place(tmp_path / name) for name in ("checkout", "tree")] == [expected] * 2


def test_a_submodule_is_a_repository_of_its_own(repository: Path, tmp_path: Path) -> None:
    """Its results are not those of the repository around it; its worktrees share them."""
    git(tmp_path, "clone", "-q", "main", "outer")
    git(tmp_path / "outer", "submodule", "add", "-q", str(repository), "lib")
    git(tmp_path / "outer" / "lib", "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    expected = str(tmp_path / "outer" / ".git" / "modules" / "lib" / "wsbuild" / "cache")
    assert [place(tmp_path / name) for name in ("outer/lib/sub", "tree")] == [expected] * 2
    assert place(tmp_path / "outer") == str(tmp_path / "outer" / HERE)


def test_a_linked_git_directory_has_one_cache_too(repository: Path, tmp_path: Path) -> None:
    """The checkout and its worktrees agree, wherever that is."""
    (repository / ".git").rename(tmp_path / "store")
    (repository / ".git").symlink_to(tmp_path / "store")
    git(repository, "worktree", "add", "-q", "--detach", "../tree")
    assert place(repository) == place(tmp_path / "tree")


# --- what could mislead


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"gitdir:",
        b"gitdir: \n",
        b"gitdir: nowhere\n",
        b"gitdir:../main/.git\n",
        b"worktree: ../main/.git\n",
        b"\xff\xfe\x80",
        b"gitdir: \xff\xfe\n",
        b"gitdir: ../main/.git/HEAD\n",
        b"x" * 100_000,
        b"gitdir: " + b"x/" * 100_000,
        b"gitdir: a\0b\n",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_git_file_that_leads_nowhere_is_no_repository(repository: Path, text: bytes) -> None:
    """The cache is in the project then."""
    project = repository.parent / "project"
    project.mkdir()
    (project / ".git").write_bytes(text)
    assert place(project) == str(project / HERE)


@pytest.mark.parametrize("common", ["", "nowhere\n", "../../nowhere\n", "\n", "../..", "../../\n"])
def test_a_worktree_whose_common_directory_is_odd(repository: Path, common: str) -> None:
    """Nothing is thrown; where it leads nowhere the cache is in the project."""
    git(repository, "worktree", "add", "-q", "--detach", "../beside")
    beside = repository.parent / "beside"
    inner = repository / ".git" / "worktrees" / "beside"
    (inner / "commondir").write_text(common)
    found = place(beside)
    if "nowhere" in common:
        assert found == str(beside / HERE)
    elif ".." in common:
        assert found == str(repository / HERE)
    else:
        assert found == str(inner / "wsbuild" / "cache")


def test_a_worktree_of_a_repository_that_is_gone(repository: Path) -> None:
    """It still has a place for its results."""
    git(repository, "worktree", "add", "-q", "--detach", "../beside")
    shutil.rmtree(repository / ".git")
    assert place(repository.parent / "beside") == str(repository.parent / "beside" / HERE)


def test_the_environment_of_a_hook_names_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git sets these for its hooks; they may mean the repository around."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    wrong = {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other), "GIT_COMMON_DIR": str(other)}
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    assert cache_dir(str(repository), wrong) == str(repository / HERE)


def test_a_repository_in_a_repository_has_its_own(repository: Path) -> None:
    """The nearest one counts."""
    git(repository / "sub", "init", "-q")
    assert place(repository / "sub" / "project") == str(repository / "sub" / HERE)
    assert place(repository) == str(repository / HERE)
