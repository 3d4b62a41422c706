"""Detectors as checks of workstreams: judged by the same engine, known by what it depends on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from detecting import detect, own
from isolated import Repo
from space import Space

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = [{"name": "check", "detectors": ["ruff"]}]


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project whose workstream `a` has ruff judge what it owns."""
    space = Space(tmp_path / "project")
    space.write("a.py", "X = 1\n")
    space.write("other.py", "import os\n")
    space.write("config/notes.txt", "")
    space.write("pkg/b.py", "X = 1\n")
    space.workstream("a", files_scope=["a.py", "pkg/"], steps=CHECKS)
    return space


def status(space: Space, *, code: int = 0) -> tuple[str, str]:
    """What a run made of the check, and why."""
    [step] = space.wsbuild("run", "--json", code=code).json["steps"]
    return step["status"], step["reason"]


def test_what_the_workstream_owns_is_judged(space: Space) -> None:
    """And nothing else; it is done once."""
    assert status(space) == ("executed", "never run")
    assert status(space)[0] == "up_to_date"
    space.write("other.py", "import os, sys\n")
    assert status(space)[0] == "up_to_date"
    space.write("pkg/b.py", "import os\n")
    status_now, reason = status(space, code=1)
    assert status_now == "failed"
    assert reason == "ruff: 1 finding in 1 of 2 files; 1 tool call"
    out = space.wsbuild("run", code=1).out
    assert "`os` imported but unused  [ruff F401]" in out
    assert "pkg/b.py" in out
    assert "wsbuild detect --fix -d ruff" in out
    space.write("pkg/b.py", "X = 2\n")
    assert status(space)[0] == "executed"


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("ruff.toml", "line-length = 100\n", "input added: ruff.toml"),
        ("pkg/.ruff.toml", "line-length = 100\n", "input added: pkg/.ruff.toml"),
        ("newly/x.py", "", "name added: newly"),
        ("pkg/__init__.py", "", "input added: pkg/__init__.py"),
        ("config/detect-baseline.json", "[]\n", "input added: config/detect-baseline.json"),
    ],
)
def test_what_a_result_depends_on_is_a_reason(space: Space, path: str, text: str, reason: str) -> None:
    """To judge again; `explain` says which."""
    space.wsbuild("run")
    space.write(path, text)
    assert reason in space.wsbuild("explain", "ws:a:check").out
    assert status(space) == ("executed", reason)
    assert status(space)[0] == "up_to_date"


def test_what_a_later_workstream_makes_is_no_reason(space: Space) -> None:
    """As with inputs: configuration, a package, a name. What somebody else adds there is one."""
    scope = ["made/", "ruff.toml", "pkg/__init__.py"]
    script = "mkdir -p made; echo 1 > made/x.py; echo 'line-length = 90' > ruff.toml; : > pkg/__init__.py"
    step = {"name": "make", "run": script, "shell": True, "inputs": []}
    space.workstream("b", files_scope=scope, depends_on=["ws-a"], steps=[step])
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 2
    assert space.wsbuild("run", "--json").json["counts"]["up_to_date"] == 2
    space.write("made/y.py", "")
    assert "name added: made" in space.wsbuild("explain", "ws:a:check").out


@pytest.mark.parametrize("first", ["check", "make"])
def test_names_that_another_workstream_makes_are_no_reason(space: Space, first: str) -> None:
    """Whichever is done first; nor is it one that what was there before is written by it."""
    script = "mkdir -p made pkg; echo 1 > made/x.py; echo 'Y = 1' > pkg/b.py"
    step = {"name": "make", "run": script, "shell": True, "inputs": []}
    space.workstream("a", files_scope=["a.py"], steps=CHECKS)
    space.workstream("b", files_scope=["made/", "pkg/"], steps=[step])
    space.wsbuild("run", "ws:a" if first == "check" else "ws:b")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 1
    assert space.wsbuild("run", "--json").json["counts"]["up_to_date"] == 2
    space.workstream("b", files_scope=["made/", "pkg/"], steps=[{**step, "run": f"{script}; rm -r made"}])
    space.wsbuild("run", "ws:b")
    assert space.wsbuild("run", "--json").json["counts"]["up_to_date"] == 2


def test_another_tool_is_a_reason(space: Space, tmp_path: Path) -> None:
    """So is one in the project's own place for tools of JavaScript, and one that is taken away again."""
    own(space, "exit 0", types=["python"], command="judge", version_command=[])
    space.workstream("a", files_scope=["a.py"], steps=[{"name": "check", "detectors": ["own"]}])
    space.env["PATH"] = f"{tmp_path / 'bin'}:{space.env['PATH']}"
    told, reason = status(space, code=1)
    assert (told, reason) == ("failed", "own: 0 findings in 0 of 1 file; 0 tool calls, 1 skipped")
    assert "judge is not on PATH: nothing" in space.wsbuild("run", code=1).out

    def tool(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    tool(tmp_path / "bin/judge", "exit 0")
    assert status(space)[0] == "executed"
    assert status(space)[0] == "up_to_date"
    tool(tmp_path / "bin/judge", "exit 0 # another")
    assert status(space) == ("executed", "tool changed: judge")
    tool(space.root / "node_modules/.bin/judge", "exit 0")
    assert status(space) == ("executed", "tool changed: judge")
    shutil.rmtree(tmp_path / "bin")
    assert status(space)[0] == "up_to_date"
    shutil.rmtree(space.root / "node_modules")
    assert status(space, code=1)[0] == "failed"


def test_a_detector_of_the_project(space: Space) -> None:
    """Its manifest and its plugin count, and so does what it is given."""
    own(space, "exit 0", types=["python"], pass_env=["MY_LEVEL"], needs=["need.txt", "other.py"])
    space.workstream("a", files_scope=["a.py"], steps=[{"name": "check", "tool": "own"}])
    assert status(space)[0] == "executed"
    assert status(space)[0] == "up_to_date"
    space.env["MY_LEVEL"] = "2"
    assert status(space) == ("executed", "env changed: MY_LEVEL")
    space.write("other.py", "Y = 1\n")
    assert status(space) == ("executed", "detector changed: own")
    own(space, "exit 3", types=["python"], pass_env=["MY_LEVEL"], needs=["other.py"])
    assert status(space, code=1) == (
        "failed",
        "own: 0 findings in 0 of 1 file; 1 tool call, 1 detector failed",
    )
    space.write("config/detectors/own/manifest.json", '{"id": "own"}')
    assert "config/detectors/own/manifest.json" in space.wsbuild("run", code=2).err


def test_a_detector_of_the_whole_project(space: Space) -> None:
    """Depends on all of its files."""
    own(space, "exit 0", types=["python"], granularity="project")
    space.workstream("a", files_scope=["a.py"], steps=[{"name": "check", "detectors": ["own"]}])
    assert status(space)[0] == "executed"
    assert status(space)[0] == "up_to_date"
    space.write("pkg/deep/c.py", "")
    assert status(space) == ("executed", "input added: pkg/deep/c.py")


def test_a_name_that_means_nothing(space: Space) -> None:
    """Is told with those that do."""
    space.workstream("a", files_scope=["a.py"], steps=[{"name": "check", "detectors": ["ruf"]}])
    err = space.wsbuild("validate", code=2).err
    assert "no tool profile or detector is named 'ruf'" in err
    assert "did you mean 'ruff'?" in err


def test_the_profile_of_the_project_goes_first(space: Space) -> None:
    """A shipped one does not."""
    profile = {"ruff": {"type": "static-check", "command": "sh", "args": ["-c", "echo mine; exit 1"]}}
    space.write("config/tool_profiles.json", json.dumps(profile))
    assert status(space, code=1) == ("failed", "ruff exited with 1")


def test_what_was_judged_is_known(space: Space) -> None:
    """To a check what `wsbuild detect` has judged, and the other way round; findings are on record."""
    detect(space, "-d", "ruff", "a.py", "pkg", code=0)
    space.wsbuild("run")
    assert "0 tool calls" in space.wsbuild("log", "ws:a:check").out
    space.write("a.py", "import os\n")
    space.wsbuild("run", code=1)
    assert detect(space, "-d", "ruff", "a.py")["counts"]["tool_calls"] == 0
    [found] = space.wsbuild("errors", "list", "--json", "a.py").json["items"]
    assert (found["code"], found["state"]) == ("F401", "new")


def test_a_database_elsewhere(space: Space, tmp_path: Path) -> None:
    """Is that of the check, too."""
    space.env["PIPELINE_DB_PATH"] = str(tmp_path / "elsewhere.db")
    space.write("a.py", "import os\n")
    space.wsbuild("run", code=1)
    with sqlite3.connect(tmp_path / "elsewhere.db") as conn:
        assert conn.execute("SELECT path FROM findings").fetchall() == [("a.py",)]
    assert not (space.root / "state").exists()


def test_what_is_in_the_baseline_does_not_count(space: Space) -> None:
    """Without that, what was always so could not be worked on."""
    space.write("a.py", "import os\n")
    space.wsbuild("detect", "-d", "ruff", "--baseline")
    assert status(space)[0] == "executed"
    space.write("a.py", "import os\nimport re\n")
    assert status(space, code=1)[1] == "ruff: 1 finding in 1 of 2 files, 1 in the baseline; 1 tool call"


def test_a_workstream_that_owns_nothing_yet(space: Space) -> None:
    """Has nothing judged, and not everything."""
    space.workstream("a", files_scope=["later/"], steps=CHECKS)
    assert status(space)[0] == "executed"
    assert "no file is named that is there" in space.wsbuild("log", "ws:a:check").out


def test_hostile_names_are_files(space: Space) -> None:
    """Whatever they look like."""
    for name in ("-d.py", "a b.py", "new\nline.py", "{home}.py", "ü.py"):
        space.write(f"pkg/{name}", "import os\n")
    assert status(space, code=1)[1].startswith("ruff: 5 findings in 5 of 7 files")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """The same in a worktree, with an agent and the fix loop."""
    repo = Repo(tmp_path / "project")
    repo.write("config/wsbuild.yaml", "pipeline:\n  static: [ruff]\ntest_gates:\n  GATE_LINT: [codespell]\n")
    (repo.root / "config/circuit_breakers.yaml").unlink()
    repo.workstream("x", files_scope=["src/a.py"], test_gates=[{"type": "GATE_LINT", "required": True}])
    repo.git("add", "-A")
    repo.git("commit", "-qm", "detectors")
    return repo


def test_in_a_worktree_what_was_edited_is_judged(repo: Repo) -> None:
    """Nothing lands that fails, the agent is told what was found, and nothing is judged twice."""
    repo.agent("open('src/a.py', 'w').write('a = undefined\\n')")
    result = repo.wsbuild("run", code=1)
    assert "Undefined name `undefined`" in result.out
    assert repo.read("src/a.py") == "a = 1\n"
    prompts = sorted((repo.root / ".wsbuild/prompts").rglob("*.txt"), key=os.path.getmtime)
    assert "Undefined name `undefined`  [ruff F821]" in prompts[-1].read_text()
    repo.agent("open('src/a.py', 'w').write('a = 2\\n')")
    repo.wsbuild("run", "--force", "ws:x")
    assert repo.read("src/a.py") == "a = 2\n"
    assert repo.counts() == {"up_to_date": 4}
    assert detect(repo, "-d", "codespell", "src/a.py", code=0)["counts"]["tool_calls"] == 0


def test_what_can_be_mended_is_no_work_of_an_agent(repo: Repo) -> None:
    """A detector that fixes does it, in the worktree."""
    repo.agent("open('src/a.py', 'w').write('import os\\n\\na = 2\\n')")
    result = repo.wsbuild("run")
    assert "ruff mends what it found: ws:x:edit changed src/a.py\n" in result.out
    assert repo.asked() == 1
    assert "import" not in repo.read("src/a.py")


def test_a_gate_is_kept_by_a_detector(repo: Repo) -> None:
    """As a required one."""
    repo.write("config/circuit_breakers.yaml", "defaults:\n  enable_fix_for_steps: []\n")
    repo.agent("open('src/a.py', 'w').write('a = 2  # teh end\\n')")
    assert "GATE_LINT: codespell: 1 finding in 1 of 1 file" in repo.wsbuild("run", code=1).out
    assert repo.read("src/a.py") == "a = 1\n"


def test_a_clone_with_the_cache_judges_nothing(repo: Repo, tmp_path: Path) -> None:
    """What was judged elsewhere, with all that it depends on the same, is put back."""
    repo.agent("open('src/a.py', 'w').write('a = 2\\n')")
    repo.env["WSBUILD_CACHE_DIR"] = str(tmp_path / "cache")
    repo.wsbuild("run")
    repo.git("clone", "-q", str(repo.root), str(tmp_path / "clone"))
    repo.asked()
    clone = Repo.__new__(Repo)
    clone.__dict__.update(repo.__dict__, root=tmp_path / "clone")
    counts = clone.counts()
    assert (counts["restored"], clone.asked()) == (3, 0)


def doit(space: Space, *words: str, code: int = 0) -> list[str]:
    """What `doit run` says."""
    return space.doit("run", *words, code=code).out.splitlines()


@pytest.fixture
def whole(space: Space) -> Space:
    """A project whose usual detectors are three."""
    space.write("config/wsbuild.yaml", "detectors: [codespell, ruff, own]\n")
    own(space, "exit 0", types=["python"])
    space.write("config/ruff.toml", "lint.select = ['F']\n")
    return space


def test_detectors_are_tasks(whole: Space) -> None:
    """Over the whole project: all are told of, and none of them does anything twice."""
    told = doit(whole, "detect", code=1)
    assert [line.split()[:2] for line in told if "detect:" in line] == [
        ["ok", "detect:codespell"],
        ["FAILED", "detect:ruff"],
        ["ok", "detect:own"],
    ]
    assert "         other.py" in told
    assert told[-1] == "2 executed, 1 failed"
    told = doit(whole, "detect", code=1)
    assert told[0].split()[:2] == ["FAILED", "detect:ruff"]
    assert "0 tool calls" in told[0]
    assert told[-1] == "2 up to date, 1 failed"
    assert doit(whole, "detect:own") == ["nothing to do: 1 step up to date"]
    whole.write("other.py", "Y = 1\n")
    told = doit(whole, "detect")
    assert [line.split()[0] for line in told] == ["ok", "ok", "ok", "3"]
    assert "1 of 4 files to be judged" in told[1]
    assert doit(whole, "detect") == ["nothing to do: 3 steps up to date"]
    assert detect(whole, code=0)["counts"]["tool_calls"] == 0


def test_detectors_beside_workstreams(whole: Space) -> None:
    """In one run."""
    whole.write("other.py", "Y = 1\n")
    told = doit(whole, "ws:a", "detect:codespell")
    assert [line.split()[:2] for line in told[:2]] == [["ok", "ws:a:check"], ["ok", "detect:codespell"]]
    assert told[2].endswith(": 2 executed")
    told = doit(whole, "ws:a", "detect")
    assert [line.split()[1] for line in told[:-1]] == ["detect:ruff", "detect:own"]
    assert told[-1] == "2 executed, 2 up to date"
    whole.write("other.py", "import os\n")
    assert doit(whole, "ws:a", "detect:ruff", code=1)[-1] == "1 up to date, 1 failed"


def test_detectors_are_listed(whole: Space) -> None:
    """With what there is to do; asking judges nothing, and changes nothing."""
    assert whole.doit("list", "detect").out.split(maxsplit=1) == [
        "detect",
        "linters and scanners over the whole project\n",
    ]
    whole.doit("list", "--status", "--all", "detect")
    assert not (whole.root / ".wsbuild/detect.db").exists()
    assert [line.split()[0] for line in whole.doit("list", "--all", "detect").out.splitlines()] == [
        "detect",
        "detect:codespell",
        "detect:own",
        "detect:ruff",
    ]
    doit(whole, "detect", code=1)
    whole.write("a.py", "X = 2\n")
    before = {str(path): path.read_bytes() for path in whole.root.rglob("*") if path.is_file()}
    told = [line.split()[:2] for line in whole.doit("list", "--all", "--status", "detect").out.splitlines()]
    assert told == [["R", "detect"], ["R", "detect:codespell"], ["R", "detect:own"], ["R", "detect:ruff"]]
    assert "1 of 4 files to be judged" in whole.doit("info", "detect:own", code=1).out
    assert {str(path): path.read_bytes() for path in whole.root.rglob("*") if path.is_file()} == before


def test_what_detectors_as_tasks_cannot_do(whole: Space) -> None:
    """Is said."""
    assert "there is no detector 'nope'" in whole.doit("run", "detect:nope", code=3).err
    assert "doit forget does nothing for detectors" in whole.doit("forget", "detect", code=3).err


def test_a_tool_that_is_not_there_is_told_of(whole: Space) -> None:
    """It is no failure of the project's, and never up to date."""
    own(whole, "exit 0", types=["python"], command="not-there")
    for _ in range(2):
        told = doit(whole, "detect:own")
        assert told[0].split(maxsplit=2) == ["skipped", "detect:own", "not-there is not on PATH: nothing"]


def test_tasks_leave_out_what_is_in_the_baseline(whole: Space) -> None:
    """As checks of workstreams do."""
    whole.wsbuild("detect", "--baseline")
    assert doit(whole, "detect:ruff") == ["nothing to do: 1 step up to date"]
    whole.write("other.py", "import os\nimport re\n")
    assert "1 finding in 1 of" in doit(whole, "detect:ruff", code=1)[0]


def test_files_that_are_named_in_a_file(whole: Space) -> None:
    """Each on a line, or ended by NUL; those that are not there are left out."""
    (whole.root / "lines").write_text("a.py\nother.py\ngone.py\n")
    (whole.root / "nuls").write_bytes(b"a.py\0other.py\0")
    for name in ("lines", "nuls"):
        told = detect(whole, "--files-from", name, "-d", "ruff")
        assert (told["counts"]["files"], [one["path"] for one in told["findings"]]) == (2, ["other.py"])
    (whole.root / "lines").write_text("")
    assert "no file is named" in whole.wsbuild("detect", "--files-from", "lines").out
    assert "nowhere cannot be read" in whole.wsbuild("detect", "--files-from", "nowhere", code=2).err
    assert "not in two ways" in whole.wsbuild("detect", "--files-from", "lines", "a.py", code=2).err


def test_a_detector_that_is_skipped_may_be_a_failure(whole: Space) -> None:
    """Where that is wanted."""
    own(whole, "exit 0", types=["python"], command="not-there")
    assert whole.wsbuild("detect", "-d", "own").out.endswith("0 tool calls, 1 skipped\n")
    whole.wsbuild("detect", "-d", "own", "--strict", code=1)
    whole.wsbuild("detect", "-d", "own")
