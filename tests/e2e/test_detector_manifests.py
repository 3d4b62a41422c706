"""What a manifest can say of a detector, each by one that a repository brings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from detecting import LINES, detect, own, places
from space import Space

if TYPE_CHECKING:
    from pathlib import Path

REPORT = "for line in output.report.splitlines(): yield Finding(line, 1, 1, 'X', 'style', 'warning', 'bad')"


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project with three texts."""
    space = Space(tmp_path / "project")
    for path in ("a.md", "sub/b.md", "requirements.txt"):
        space.write(path, f"this is {path}\n")
    return space


def found(space: Space, code: int = 1) -> list[str]:
    """The files in which the own detector finds something."""
    return [path for path, *_ in places(detect(space, "-d", "own", code=code), "own")]


def test_a_report_of_its_own(space: Space) -> None:
    """A file that the tool is told to write; nothing of it stays."""
    own(space, 'echo "$2" > "$1"; exit 1', REPORT, types=["markdown"], max_files=1)
    plugin = space.read("config/detectors/own/plugin.py")
    plugin = plugin.replace('"own", *files', '"own", REPORT, *files')
    space.write("config/detectors/own/plugin.py", f"from wsbuild.detectors.contract import REPORT\n{plugin}")
    assert found(space) == ["a.md", "sub/b.md"]
    assert not list(space.root.rglob("report"))


def test_a_scratch_copy_has_its_files_and_their_configuration(space: Space) -> None:
    """Nothing else; what the tool does there is gone with it."""
    settings = ["own.cfg"]
    own(space, "find . -type f | cut -c3-; rm -r ./*; exit 1", types=["markdown"], scratch=True, max_files=1)
    assert found(space) == ["a.md", "sub/b.md"]
    assert space.read("sub/b.md") == "this is sub/b.md\n"
    space.write("sub/own.cfg", "")
    space.write("own.cfg", "")
    script = 'test -f own.cfg && find "$@" | sed s/^/x/ && find . -name own.cfg | grep -c . > "$1"; cat "$1"'
    parse = "return [Finding(f, 1, 1, output.stdout[-2], 'style', 'info', 'x') for f in output.files]"
    own(space, script, parse, types=["markdown"], scratch=True, config_files=settings, max_files=1)
    told = detect(space, "-d", "own")
    assert [(path, code) for path, _, _, code in places(told, "own")] == [("a.md", "1"), ("sub/b.md", "2")]
    assert space.read("a.md") == "this is a.md\n"


def test_names_choose_among_types(space: Space) -> None:
    """A pattern is one of names, not of paths."""
    own(space, 'printf "%s\\n" "$@"; exit 1', types=["text"], files=["require*.txt", "b.md"])
    assert found(space) == ["requirements.txt", "sub/b.md"]


def test_a_detector_may_need_a_configuration(space: Space) -> None:
    """Without it, it is skipped and says so."""
    own(space, 'printf "%s\\n" "$@"; exit 1', types=["markdown"], needs=["own.cfg", ".own.cfg"])
    told = detect(space, "-d", "own", code=0)
    assert told["detectors"][0]["status"] == "skipped"
    assert told["detectors"][0]["reason"] == "it needs one of own.cfg, .own.cfg in the project's root"
    space.write(".own.cfg", "")
    assert found(space) == ["a.md", "sub/b.md"]


def test_what_works_on_demand_is_named(space: Space) -> None:
    """On the command line or in the settings; and a name in the settings that is none is told."""
    own(space, "exit 0", types=["markdown"], on_demand=True)
    assert "own" not in {one["id"] for one in detect(space, "a.md", code=0)["detectors"]}
    assert [one["status"] for one in detect(space, "-d", "own", "a.md", code=0)["detectors"]] == ["ran"]
    space.write("config/wsbuild.yaml", "detectors: [own]\n")
    assert [one["id"] for one in detect(space, "a.md", code=0)["detectors"]] == ["own"]
    space.write("config/wsbuild.yaml", "detectors: [nope]\n")
    told = space.wsbuild("detect", code=2).err
    assert "config/wsbuild.yaml, detectors: there is no detector 'nope'" in told


def test_a_result_may_hold_for_some_days(space: Space) -> None:
    """The day is part of what it depends on, and of nothing else."""
    own(space, "exit 0", types=["markdown"], fresh_days=100_000)
    own(space, "exit 0", name="forever", types=["markdown"])
    assert detect(space, "-d", "own", "-d", "forever", code=0)["counts"]["tool_calls"] > 1
    assert detect(space, "-d", "own", "-d", "forever", code=0)["counts"]["tool_calls"] == 0
    # A system on which that period has passed: the manifest alone cannot make the result another one.
    space.env["PYTHONPATH"] = str(space.write("later/sitecustomize.py", LATER).parent)
    told = {
        one["id"]: one["status"]
        for one in detect(space, "-d", "own", "-d", "forever", "a.md", code=0)["detectors"]
    }
    assert told == {"own": "ran", "forever": "cached"}


LATER = "import time\nnow = time.time\ntime.time = lambda: now() + 86_400 * 90_000\n"


def test_packages_around_a_tool_may_count(space: Space) -> None:
    """Those of its own environment and of the Python on PATH."""
    env = space.root.parent / "env"
    (env / "lib/python3.11/site-packages/one-1.0.dist-info").mkdir(parents=True)
    (env / "bin").mkdir()
    (env / "pyvenv.cfg").write_text("")
    (env / "bin/python3").write_text("#!/bin/sh\n")
    (env / "bin/python3").chmod(0o755)
    space.env["PATH"] = f"{env}/bin:{space.env['PATH']}"
    own(space, "exit 0", types=["markdown"], environment=True)
    own(space, "exit 0", name="alone", types=["markdown"])
    both = ("-d", "own", "-d", "alone")
    assert detect(space, *both, code=0)["counts"]["tool_calls"] > 1
    assert detect(space, *both, code=0)["counts"]["tool_calls"] == 0
    (env / "lib/python3.11/site-packages/two-1.0.dist-info").mkdir()
    told = {one["id"]: one["status"] for one in detect(space, *both, code=0)["detectors"]}
    assert told == {"own": "ran", "alone": "cached"}


def test_the_python_of_wsbuild_is_a_tool(space: Space) -> None:
    """Whatever the first on PATH is."""
    script = "import sys, wsbuild; print(sys.argv[1]); sys.exit(1)"
    own(space, "", LINES, types=["markdown"], command="{python}", max_files=1)
    plugin = space.read("config/detectors/own/plugin.py")
    plugin = plugin.replace('"sh", "-c", \'\', "own"', f'"{{python}}", "-c", {script!r}')
    assert script in plugin
    space.write("config/detectors/own/plugin.py", plugin)
    assert found(space) == ["a.md", "sub/b.md"]


def test_the_tools_of_a_project_go_first(space: Space) -> None:
    """Those that npm has put there."""
    for folder, said in (("node_modules/.bin", "a.md"), ("elsewhere", "sub/b.md")):
        tool = space.write(f"{folder}/jstool", f"#!/bin/sh\necho {said}\nexit 1\n")
        tool.chmod(0o755)
    space.env["PATH"] = f"{space.root}/elsewhere:{space.env['PATH']}"
    own(space, "", types=["markdown"], command="jstool")
    plugin = space.read("config/detectors/own/plugin.py")
    space.write("config/detectors/own/plugin.py", plugin.replace('"sh", "-c", \'\', "own"', '"jstool"'))
    assert found(space) == ["a.md"]


def test_a_change_of_the_manifest_makes_results_new(space: Space) -> None:
    """As much as one of the plugin."""
    own(space, 'printf "%s\\n" "$@"; exit 1', types=["markdown"])
    assert found(space) == ["a.md", "sub/b.md"]
    text = json.loads(space.read("config/detectors/own/manifest.json"))
    space.write("config/detectors/own/manifest.json", json.dumps({**text, "findings": [2]}))
    assert detect(space, "-d", "own")["detectors"][0]["status"] == "error"
