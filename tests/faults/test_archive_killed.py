"""Archiving, and bringing back, killed at each change of the disk: nothing is lost, and again finishes it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from space import Space

KILLED = 137
RUN = """\
import os, sys

left = int(sys.argv[1])
here = os.getcwd()


def dying(name):
    real = getattr(os, name)

    def call(*words, **options):
        global left
        place = str(words[0])
        # What the history database does is the business of other tests.
        if name == "fsync" or "archive" in place or "workstreams" in place:
            left -= 1
            if left == 0:
                os._exit(137)
        return real(*words, **options)

    setattr(os, name, call)


for name in ("link", "rename", "replace", "unlink", "fsync", "makedirs"):
    dying(name)
sys.argv = ["wsbuild", *sys.argv[2:]]
from wsbuild.cli.entry import main

sys.exit(main())
"""


def killed(space: Space, number: int, *words: str) -> bool:
    """Run a command that dies before its change of the given number; gives whether it did."""
    command = [sys.executable, "-c", RUN, str(number), *words]
    done = subprocess.run(command, cwd=space.root, env=space.env, capture_output=True, check=False)
    assert done.returncode in {0, KILLED}, done.stderr
    return done.returncode == KILLED


def archived(space: Space) -> set[str]:
    """The workstreams that are in whole archives."""
    found = set()
    for path in space.root.glob("archive/*.zip"):
        with zipfile.ZipFile(path) as file:
            assert file.testzip() is None
            found |= {row["id"] for row in json.loads(file.read("manifest.json"))["workstreams"]}
    return found


def declared(space: Space) -> dict[str, str]:
    """The bundle files."""
    return {path.name: path.read_text() for path in space.root.glob("workstreams/[!.]*")}


ENTRY = """\
- id: ws-{0}
  files_scope: [{0}.txt]
  steps: [{{name: go, run: "cp a.txt {0}.txt", outputs: [{0}.txt]}}]
"""


def project(root: Path) -> Space:
    """Two workstreams in a file, one of them not done; and one in a file of its own."""
    space = Space(root)
    space.env["SOURCE_DATE_EPOCH"] = "1790000000"
    space.write("a.txt", "a\n")
    space.write("workstreams/two.yaml", "# both\n" + ENTRY.format("one"))
    space.copying("alone", "a.txt", "alone.txt")
    space.wsbuild("run")
    space.write("workstreams/two.yaml", "# both\n" + ENTRY.format("one") + "# new\n" + ENTRY.format("new"))
    space.wsbuild("list")
    return space


def test_archiving_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """Each workstream is declared as it was, or archived, or both; then a second time finishes."""
    origin = project(tmp_path / "origin")
    before = declared(origin)
    number = 0
    states = set()
    while True:
        number += 1
        shutil.copytree(origin.root, tmp_path / str(number), symlinks=True)
        space = Space(tmp_path / str(number))
        space.env = origin.env
        if not killed(space, number, "archive"):
            break
        now = declared(space)
        assert "ws-one" in now["two.yaml"] or "ws-one" in archived(space)
        assert now.get("ws-alone.json") == before["ws-alone.json"] or "ws-alone" in archived(space)
        states.add((len(archived(space)), "ws-one" in now["two.yaml"], "ws-alone.json" in now))
        space.wsbuild("validate")
        space.wsbuild("archive")
        assert declared(space) == {"two.yaml": "# both\n# new\n" + ENTRY.format("new")}
        assert archived(space) == {"ws-one", "ws-alone"}
        assert len(list(space.root.glob("archive/*.zip"))) == 1
        assert not list(space.root.glob("archive/.wsbuild-archive*"))
        for ws_id in ("ws-one", "ws-alone"):
            space.wsbuild("archive", "--restore", ws_id)
        assert declared(space) == before
        shutil.rmtree(space.root)
    # It was killed before the archive was there, while all was in both places, and half way.
    assert number > 8
    assert {(0, True, True), (2, True, True)} < states
    assert states & {(2, False, True), (2, True, False)}


def test_bringing_back_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """The archive stays whole; a second time finishes."""
    origin = project(tmp_path / "origin")
    before = declared(origin)
    origin.wsbuild("archive")
    [file] = [path.name for path in origin.root.glob("archive/*.zip")]
    number = 0
    while True:
        number += 1
        shutil.copytree(origin.root, tmp_path / str(number), symlinks=True)
        space = Space(tmp_path / str(number))
        space.env = origin.env
        was_killed = killed(space, number, "archive", "--restore", f"archive/{file}")
        assert archived(space) == {"ws-one", "ws-alone"}
        space.wsbuild("archive", "--restore", f"archive/{file}")
        assert declared(space) == before
        shutil.rmtree(space.root)
        if not was_killed:
            break
    assert number > 4
