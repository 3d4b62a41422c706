"""Which files a pattern names."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsbuild.cache.expand import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A small project with ignored files at two levels."""
    for name in (
        "a.txt",
        "src/a.py",
        "src/deep/b.py",
        "src/deep/.hidden.py",
        "src/__pycache__/a.pyc",
        "build/out.txt",
        "src/gen/made.py",
        "src/deep/kept.log",
        "x.log",
        ".git/config",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".gitignore").write_text("build/\n*.log\n/src/gen/\n")
    (tmp_path / "src/deep/.gitignore").write_text("!kept.log\n")
    return Tree(str(tmp_path), ["__pycache__", "*.pyc", ".git"])


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["a.txt"], ["a.txt"]),
        (["nothing.txt"], ["nothing.txt"]),
        (["nothing/"], []),
        (["build/out.txt"], ["build/out.txt"]),
        (["src/*.py"], ["src/a.py"]),
        (
            ["src"],
            ["src/a.py", "src/deep/.gitignore", "src/deep/.hidden.py", "src/deep/b.py", "src/deep/kept.log"],
        ),
        (["src/**/*.py"], ["src/a.py", "src/deep/.hidden.py", "src/deep/b.py"]),
        (["build/"], ["build/out.txt"]),
        (["**/*.log"], ["src/deep/kept.log"]),
        (["src/gen/*.py"], ["src/gen/made.py"]),
        (
            ["src/a.py", "src/"],
            ["src/a.py", "src/deep/.gitignore", "src/deep/.hidden.py", "src/deep/b.py", "src/deep/kept.log"],
        ),
    ],
)
def test_what_is_owned(tree: Tree, patterns: list[str], expected: list[str]) -> None:
    """Git's ignore rules count at every level, but not against what is named itself."""
    assert tree.expand(patterns, gitignore=True) == expected


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["**/*.log"], ["src/deep/kept.log", "x.log"]),
        (
            ["src/**"],
            [
                "src/a.py",
                "src/deep/.gitignore",
                "src/deep/.hidden.py",
                "src/deep/b.py",
                "src/deep/kept.log",
                "src/gen/made.py",
            ],
        ),
    ],
)
def test_what_is_declared_counts_even_if_git_ignores_it(
    tree: Tree, patterns: list[str], expected: list[str]
) -> None:
    """Inputs and outputs are often build products."""
    assert tree.expand(patterns) == expected


def test_all_files_of_the_project(tree: Tree) -> None:
    """What git would see, and nothing of its own."""
    assert tree.files() == [
        ".gitignore",
        "a.txt",
        "src/a.py",
        "src/deep/.gitignore",
        "src/deep/.hidden.py",
        "src/deep/b.py",
        "src/deep/kept.log",
    ]


def test_an_edited_ignore_file_counts_at_once(tree: Tree) -> None:
    """Ignore rules are read when they changed."""
    before = tree.expand(["src/"], gitignore=True)
    (Path(tree.root) / ".gitignore").write_text("*.py\n")
    assert tree.expand(["src/"], gitignore=True) == [p for p in before if not p.endswith(".py")]


def test_links_to_directories_are_not_followed(tree: Tree) -> None:
    """A link is one entry: following it could leave the project or never end."""
    (Path(tree.root) / "src" / "loop").symlink_to(tree.root)
    assert "src/loop" in tree.expand(["src/"])
    assert not [path for path in tree.expand(["src/"]) if path.startswith("src/loop/")]
