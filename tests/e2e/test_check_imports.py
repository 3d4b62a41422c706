"""`wsbuild check-imports`, and the detector that finds the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from space import Space

STANDARDS = """\
imports:
  src.pipeline: core.engine
  src.legacy: null
paths:
  src/pipeline: core/engine
"""
MAIN = "import os\nfrom src.pipeline import run  # why\nimport src.legacy\n"


@pytest.fixture
def project(space: Space) -> Space:
    """Some files with something given up, in a git repository."""
    space.write("config/path_standards.yaml", STANDARDS)
    space.write("app/main.py", MAIN)
    space.write("ci.yaml", "run: python -m src.pipeline.run src/pipeline\n")
    space.write("README.md", "See src/pipeline.\n")
    space.write("ignored/a.py", "import src.legacy\n")
    space.write(".gitignore", "ignored/\n.wsbuild/\n")
    space.git("init", "-q")
    return space


def test_what_is_given_up_is_found(project: Space) -> None:
    """In each file with its place and what to write; other files are left."""
    told = project.wsbuild("check-imports", code=1).out
    assert "app/main.py:2:1: PATH101 src.pipeline is given up: write core.engine\n" in told
    assert "app/main.py:3:8: PATH101 src.legacy is given up: nothing takes its place\n" in told
    assert "ci.yaml:1:16: PATH101 src.pipeline is given up: write core.engine\n" in told
    assert "ci.yaml:1:33: PATH102 src/pipeline is given up: write core/engine\n" in told
    assert "4 found; --fix mends 3" in told
    assert "README" not in told
    assert "ignored" not in told
    assert "README.md:1:5: PATH102" in project.wsbuild("check-imports", "--prose", "README.md", code=1).out
    project.wsbuild("check-imports", "README.md")
    inside = project.wsbuild("check-imports", ".", code=1, cwd=project.root / "app")
    assert inside.out.count("PATH101") == 2


def test_fixing_leaves_what_cannot_be(project: Space) -> None:
    """With the reason; modes stay; again there is nothing more to do."""
    os.chmod(project.root / "app/main.py", 0o755)
    told = project.wsbuild("check-imports", "--fix", code=1).out
    assert "fixed app/main.py\n" in told
    assert "src.legacy is given up: nothing takes its place (not fixed: nothing takes its place)" in told
    assert project.read("app/main.py") == MAIN.replace("src.pipeline", "core.engine")
    assert project.read("ci.yaml") == "run: python -m core.engine.run core/engine\n"
    assert (project.root / "app/main.py").stat().st_mode & 0o777 == 0o755
    again = project.wsbuild("check-imports", "--fix", "--json", code=1).json
    assert again["fixed"] == []
    assert [(one["path"], one["line"]) for one in again["found"]] == [("app/main.py", 3)]
    project.write("app/main.py", "import core.engine\nimport src.legacy  # wsbuild: ignore\n")
    project.wsbuild("check-imports")


def test_a_link_is_not_followed(project: Space, tmp_path: Path) -> None:
    """What it leads to is somebody else's."""
    (tmp_path / "far.py").write_text("import src.pipeline\n")
    (project.root / "link.py").symlink_to(tmp_path / "far.py")
    project.wsbuild("check-imports", "--fix", code=1)
    assert (tmp_path / "far.py").read_text() == "import src.pipeline\n"
    assert (project.root / "link.py").is_symlink()


def test_settings_that_are_wrong_are_told(project: Space) -> None:
    """With their line; and nothing without any."""
    project.write("config/path_standards.yaml", "imports:\n  a.b: a.b.c\n")
    assert "a.b is given up itself" in project.wsbuild("check-imports", code=2).err
    project.write("config/path_standards.yaml", "imprts: {}\n")
    assert "config/path_standards.yaml:1" in project.wsbuild("check-imports", code=2).err
    found = project.wsbuild("detect", "-d", "path_standardizer", "app/main.py", "--json", code=1).json
    assert [one["code"] for one in found["findings"]] == ["PATH100"]
    (project.root / "config/path_standards.yaml").unlink()
    assert "nothing is given up" in project.wsbuild("check-imports").out
    project.write("config/path_standards.yaml", STANDARDS)
    assert "nothing.py is not there" in project.wsbuild("check-imports", "nothing.py", code=2).err


def test_the_detector_finds_and_mends_the_same(project: Space) -> None:
    """Beside what it has found before; what it finds changes with the settings."""
    project.write("home.txt", "see /home/ann/x\n")
    told = project.wsbuild("detect", "-d", "path_standardizer", "--json", code=1).json["findings"]
    theirs = {(one["path"], one["line"], one["column"], one["code"]) for one in told}
    found = project.wsbuild("check-imports", "--json", code=1).json["found"]
    ours = {(one["path"], one["line"], one["column"], one["code"]) for one in found}
    assert theirs == ours | {("home.txt", 1, 5, "PATH001")}
    assert {one["severity"] for one in told} == {"error", "warning"}
    project.wsbuild("detect", "-d", "path_standardizer", "--fix", code=1)
    assert project.read("app/main.py") == MAIN.replace("src.pipeline", "core.engine")
    assert project.read("ci.yaml") == "run: python -m core.engine.run core/engine\n"
    project.write("config/path_standards.yaml", "imports: {os: posix}\n")
    again = project.wsbuild("detect", "-d", "path_standardizer", "--json", code=1).json["findings"]
    assert {(one["path"], one["line"]) for one in again} == {("app/main.py", 1), ("home.txt", 1)}


def test_a_file_that_is_no_python_is_no_pass(project: Space) -> None:
    """It cannot be told what it imports."""
    project.write("app/broken.py", "from src.pipeline import (\n")
    told = project.wsbuild("check-imports", "app/broken.py", "--fix", code=1)
    assert "PATH100" in told.out
    assert "Traceback" not in told.err
