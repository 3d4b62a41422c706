"""Plans for what really changed: from commit to commit of this project, from release to release of others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from space import Space

from wsbuild.planning.decompose import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASES = {
    "flask": "1.0.4 1.1.4 2.0.0 2.0.3 2.1.3 2.2.0 2.2.5 2.3.0 2.3.3 3.0.0 3.0.3 3.1.0 3.1.3",
    "networkx": "2.5 2.6.3 2.7.1 2.8 2.8.4 2.8.8 3.0 3.1 3.2.1 3.3 3.4.2 3.5 3.6.1",
    "sphinx": "4.0.0 4.1.0 4.2.0 4.3.0 4.4.0 4.5.0 5.0.0 5.1.0 5.2.0 5.3.0 6.0.0 6.1.0 6.2.0 7.0.0 "
    "7.1.0 7.2.0 8.0.0",
}
CHECKOUT = Path(__file__).parents[2]
COMMITS = 10
IN_SHORT = 2
BUNDLE = "workstreams/generated-changes.yaml"


def _changed(space: Space) -> set[str]:
    """What git says has changed since the commit before: independently of how wsbuild asks it."""
    said = space.git("diff", "--no-renames", "--name-only", "-z", "HEAD~1", "HEAD")
    return {name for name in said.split("\0") if name}


def check(space: Space) -> Counter[str]:
    """That the plan of the last commit keeps what it promises; gives figures."""
    limits = rules.load(str(space.root)).limits
    words = ("generate", "--affected", "HEAD~1", "--json")
    began = time.monotonic()
    told = space.wsbuild(*words, "--write", env={"PYTHONHASHSEED": "1"}, timeout=600).json
    took = time.monotonic() - began
    text = space.read(BUNDLE)
    bundles = told["bundles"]
    assert yaml.safe_load(text) == (bundles if len(bundles) > 1 else bundles[0])
    scopes = [path for ws in bundles for path in (*ws["files_scope"], *ws.get("files_create", ()))]
    left = {each["path"] for each in told["left_out"]}
    assert Counter(scopes) == Counter(_changed(space) - left)
    assert all(path.startswith("workstreams/") for path in left)
    for ws in told["workstreams"]:
        size = (len(ws["files"]), len(ws["tasks"]), ws["lines"])
        kept = all(have <= most for have, most in zip(size, limits, strict=True))
        whole = len(ws["files"]) == 1 or (
            len(ws["files"]) == 2 and all(one["partner"] for one in ws["files"])
        )
        assert kept or (ws["over"] and whole), ws
    drawn = space.wsbuild("validate", "--json").json
    assert (drawn["problems"], drawn["overlaps"], drawn["cycles"]) == ([], [], [])
    assert space.wsbuild(*words, "--write", env={"PYTHONHASHSEED": "9"}).json == {**told, "state": "same"}
    assert space.read(BUNDLE) == text
    (space.root / BUNDLE).unlink()
    return Counter(
        lists=1,
        files=len(scopes),
        workstreams=len(bundles),
        edges=sum(len(ws["depends_on"]) for ws in bundles),
        aside=len(told["not_ordered"]),
        over=sum(bool(ws["over"]) for ws in told["workstreams"]),
        ms=round(took * 1000),
    )


def _tell(name: str, figures: list[Counter[str]]) -> None:
    """Figures for who asks for them (`-rP`)."""
    total = sum(figures, Counter())
    most = {key: max(each[key] for each in figures) for key in ("files", "workstreams", "ms")}
    print(json.dumps({"of": name, "total": total, "most": most}))


def test_commits_of_this_project(tmp_path: Path, full: bool) -> None:
    """The newest that change more than one file, in a clone of the checkout that the test is in."""
    if not (CHECKOUT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("the checkout is no git clone")
    space = Space(tmp_path / "project")
    shutil.rmtree(space.root)
    clone = ["git", "clone", "-q", "--shared", str(CHECKOUT), str(space.root)]
    if subprocess.run(clone, capture_output=True, check=False).returncode:
        pytest.skip("the checkout cannot be cloned")
    wanted = COMMITS if full else IN_SHORT
    figures: list[Counter[str]] = []
    for commit in space.git("rev-list", "--no-merges", "--min-parents=1", "HEAD").split():
        space.git("checkout", "-q", "--force", commit)
        if len(_changed(space)) > 1:
            figures.append(check(space))
        if len(figures) == wanted:
            break
    if len(figures) < wanted:
        pytest.skip("the checkout has no such history")
    assert sum(figures, Counter())["files"] > 0
    _tell("wsbuild", figures)


def _releases(name: str, folder: Path) -> Iterator[Path]:
    for version in RELEASES[name].split():
        target = folder / version
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        wanted = [*pip, "--dest", str(target), f"{name}=={version}"]
        if subprocess.run(wanted, capture_output=True, check=False).returncode:
            pytest.skip(f"{name} {version} cannot be fetched")
        [wheel] = target.iterdir()
        yield wheel


def _unpack(space: Space, wheel: Path) -> None:
    for path in space.root.iterdir():
        if path.name not in {".git", "workstreams"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        archive.extractall(space.root, names)


@pytest.mark.full
@pytest.mark.parametrize("name", RELEASES)
def test_releases_of_public_packages(tmp_path: Path, name: str, full: bool) -> None:
    """Each with what it changed since the one before."""
    if not full:
        pytest.skip("in the full run")
    space = Space(tmp_path / "project")
    space.git("init", "-q")
    wheels = list(_releases(name, tmp_path / "wheels"))
    figures = []
    for at, wheel in enumerate(wheels):
        _unpack(space, wheel)
        space.git("add", "-A", "-f", ":!workstreams")
        space.git("commit", "-q", "-m", wheel.name)
        if at:
            figures.append(check(space))
    assert len(figures) == len(wheels) - 1
    _tell(name, figures)
