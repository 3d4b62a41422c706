"""Paths as users write them, and where a project begins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from wsbuild.paths import BadPathError, canonical, is_inside, is_within
from wsbuild.root import find_root, path_from_root

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("./a//b/./c", "a/b/c"),
        ("src\\app\\x.py", "src/app/x.py"),
        ("docs/", "docs/"),
        ("docs\\", "docs/"),
        ("docs/.", "docs/"),
        ("src/**/*.py", "src/**/*.py"),
        ("a[0-9]?.c", "a[0-9]?.c"),
        (".gitignore", ".gitignore"),
        (".github/x", ".github/x"),
        ("a/.wsbuild", "a/.wsbuild"),
        ("..a/b..c", "..a/b..c"),
        ("cafe\u0301.md", "caf\u00e9.md"),
        ("a b/c d", "a b/c d"),
    ],
)
def test_canonical(text: str, expected: str) -> None:
    """A path has one canonical form, and that form is its own."""
    assert canonical(text) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names nothing"),
        (".", "names nothing"),
        ("././", "names nothing"),
        ("/etc/passwd", "absolute"),
        ("\\\\server\\share", "absolute"),
        ("~", "home"),
        ("~root/x", "home"),
        ("..", "`..`"),
        ("a/../b", "`..`"),
        ("a\\..\\..\\x", "`..`"),
        ("C:\\x", "drive"),
        ("c:x", "drive"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\x7fb", "control"),
        ("a\x9bb", "control"),
        ("a\u2028b", "control"),
        ("a\ud800b", "half a character"),
        (".git", "belongs"),
        (".git/hooks/x", "belongs"),
        ("sub/.GIT/config", "belongs"),
        (".git /x", "belongs"),
        (".git./x", "belongs"),
        (".git::$INDEX_ALLOCATION/x", "belongs"),
        ("GIT~1/x", "belongs"),
        (".g\u200cit/x", "belongs"),
        (".wsbuild/state.db", "belongs"),
        (".WSBUILD/x", "belongs"),
        (".worktrees/a", "belongs"),
        (".worktrees ./a", "belongs"),
        ("a./b", "ends in a dot"),
        ("a /b", "ends in a dot"),
        ("...", "ends in a dot"),
    ],
)
def test_bad_path(text: str, why: str) -> None:
    """What may not stand in a bundle is refused with the reason."""
    with pytest.raises(BadPathError, match=why):
        canonical(text)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (["workstreams/"], ""),
        (["workstreams/", "a/.wsbuild/"], "a"),
        (["workstreams/", "a/b/.git/"], ""),
        (["dodo.py", "a/.git/"], "a"),
        (["dodo.py"], ""),
        (["a/b/workstreams/", ".git/"], "a/b"),
        ([".git/", "a/workstreams"], ""),
    ],
)
def test_find_root(tmp_path: Path, marks: list[str], expected: str) -> None:
    """The nearest directory with workstreams or state wins over a nearer one with git or doit."""
    start = tmp_path / "a" / "b"
    start.mkdir(parents=True)
    for mark in marks:
        if mark.endswith("/"):
            (tmp_path / mark).mkdir(parents=True)
        else:
            (tmp_path / mark).touch()
    assert find_root(str(start)) == str((tmp_path / expected).resolve())


def test_find_root_without_any_mark(tmp_path: Path) -> None:
    """Without a mark anywhere the start is the root, with links resolved."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert find_root(str(tmp_path / "link")) == str((tmp_path / "real").resolve())


@pytest.mark.parametrize("cwd", ["", "sub"])
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("{root}", "."),
        ("{root}/", "."),
        ("{root}/a", "a"),
        ("{root}/sub/", "sub/"),
        ("{root}/sub/../a", "a"),
        ("{link}/sub/b", "sub/b"),
        ("{root}/../elsewhere", "{root}/../elsewhere"),
        ("/etc/hostname", "/etc/hostname"),
        ("ws:x", "ws:x"),
        ("ws:x:*", "ws:x:*"),
        ("https://example.org//issues/1", "https://example.org//issues/1"),
    ],
)
def test_a_word_from_the_root(tmp_path: Path, cwd: str, word: str, expected: str) -> None:
    """The same wherever one stands."""
    root = tmp_path.resolve() / "project"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(root)
    names = {"root": root, "link": tmp_path.resolve() / "link"}
    assert path_from_root(word.format(**names), str(root), str(root / cwd)) == expected.format(**names)


@pytest.mark.parametrize(
    ("cwd", "word", "expected"),
    [
        ("", ".", "."),
        ("", "./", "."),
        ("", "./a", "a"),
        ("", "./sub/", "sub/"),
        ("", "sub/", "sub/"),
        ("", "sub", "sub"),
        ("", "sub//./b", "sub/b"),
        ("", "sub/../a", "a"),
        ("", "sub/*.py", "sub/*.py"),
        ("", "gone/b", "gone/b"),
        ("", "..", ".."),
        ("", "../project/a", "a"),
        ("", "..a/b", "..a/b"),
        ("sub", ".", "sub"),
        ("sub", "..", "."),
        ("sub", "../", "."),
        ("sub", "b", "sub/b"),
        ("sub", "gone", "gone"),
        ("sub", "./gone", "sub/gone"),
        ("sub", "../a", "a"),
        ("sub", "../../x", "../../x"),
    ],
)
def test_a_word_from_where_one_stands(tmp_path: Path, cwd: str, word: str, expected: str) -> None:
    root = tmp_path.resolve() / "project"
    (root / "sub").mkdir(parents=True)
    (root / "sub/b").touch()
    assert path_from_root(word, str(root), str(root / cwd)) == expected


@pytest.mark.parametrize(
    ("rel", "inside"),
    [
        ("new/deep/file", True),
        ("real/file", True),
        ("in/file", True),
        ("in", True),
        ("out", False),
        ("out/file", False),
        ("real/up/file", False),
        ("self/file", True),
        ("self", False),
        ("hooks/x", False),
        ("state/x", False),
        ("dangling", True),
        ("loop/x", True),
        ("sibling", False),
    ],
)
def test_is_inside(tmp_path: Path, rel: str, inside: bool) -> None:
    """A path is inside when all its links lead to files of the project, not to git's or our own."""
    root = tmp_path / "root"
    for name in ("root/real", "root/.git/hooks", "root/.wsbuild", "elsewhere", "root-sibling"):
        (tmp_path / name).mkdir(parents=True)
    for link, target in {
        "in": "real",
        "out": "../elsewhere",
        "real/up": "../../elsewhere",
        "self": ".",
        "hooks": ".git/hooks",
        "state": ".wsbuild",
        "dangling": "nowhere",
        "loop": "loop",
        "sibling": "../root-sibling",
    }.items():
        (root / link).symlink_to(target)
    assert is_inside(str(root), rel) is inside


def test_root_behind_a_link(tmp_path: Path) -> None:
    """A root that is reached through a link holds the files below it."""
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert is_inside(str(tmp_path / "link"), "a")


def test_imports_nothing_heavy() -> None:
    """The hot path pays for paths and for the names of bundle files with the standard library."""
    code = "import sys, wsbuild.paths, wsbuild.bundle; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    heavy = {"yaml", "jsonschema", "networkx", "typer", "difflib", "json"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    "rel",
    [
        "a",
        "a b/c",
        " ",
        "a./b.",
        "...",
        "..a/b..",
        "~/x",
        "C:\\x",
        "a\\..\\b",
        "caf\u00e9",
        "cafe\u0301",
        "\udcff",
        "new\nline",
        ".gitignore",
        ".github/x",
        "git/x",
        "a/.wsbuild/x",
        "a/.worktrees",
        ".wsbuilder",
        "x" * 5000,
    ],
)
def test_any_name_that_a_disk_has_may_be_within(rel: str) -> None:
    """What a user may not write can be what a tool has written."""
    assert is_within(rel)


@pytest.mark.parametrize(
    "rel",
    [
        "",
        ".",
        "..",
        "/",
        "/a",
        "//a",
        "a/",
        "a//b",
        "./a",
        "a/.",
        "a/./b",
        "../a",
        "a/..",
        "a/../b",
        "a\0b",
        "\0",
        ".git",
        ".git/hooks/x",
        "a/.GIT/config",
        ".git. /x",
        ".git::$INDEX_ALLOCATION/x",
        "a/GIT~1",
        ".g\u200cit/x",
        ".wsbuild",
        ".wsbuild/lock",
        ".WSBUILD/x",
        ".wsbuild./x",
        ".wsbuild /x",
        ".worktrees/a",
    ],
)
def test_what_leads_out_or_belongs_to_others_is_not_within(rel: str) -> None:
    """Whatever the disk makes of capitals, dots and invisible characters."""
    assert not is_within(rel)
