"""`wsbuild aim` with real tools, without a registry, and with files that are wrong."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from aiming import OK, AimSpace
from space import BIN, Space

OLD = Path("../shared/bundles/predecessor-files/aim/registry").absolute()
FILES = {
    "a.py": '"""A module."""\n\nimport os\n',
    "good.py": '"""A module."""\n',
    "tests/test_a.py": "def test_right():\n    assert True\n\n\ndef test_wrong():\n    assert 1 == 2\n",
    "page.md": "# Page\n",
}


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A small project, and a directory for PATH that has only what a test puts there."""
    space = Space(tmp_path / "project")
    for path, text in FILES.items():
        space.write(path, text)
    (tmp_path / "bin").mkdir()
    # wsbuild looks beside its own Python too: what tests take off PATH must not be found there.
    return space


@pytest.fixture
def old(space: Space) -> Space:
    """The same with the registry of the predecessor, unchanged."""
    if not OLD.is_dir():
        pytest.skip(f"{OLD} is not there")
    shutil.copytree(OLD, space.root / "aim/registry")
    return space


def route(space: Space, capability: str, payload: dict[str, Any], *, code: int = 0) -> dict[str, Any]:
    """What becomes of a request."""
    space.write("payload.json", json.dumps(payload))
    words = ("aim", "route", capability, "--payload", "payload.json", "--json")
    found: dict[str, Any] = space.wsbuild(*words, code=code).json
    return found


def status(space: Space) -> dict[str, Any]:
    """The tools by id, and the capabilities by name."""
    told = space.wsbuild("aim", "status", "--json").json
    return {
        **told,
        "tools": {row["id"]: row for row in told["tools"]},
        "capabilities": {row["name"]: row for row in told["capabilities"]},
    }


def test_the_registry_of_the_predecessor_loads_unchanged(old: Space) -> None:
    """Its tools, its rules, and what they lack."""
    told = status(old)
    assert told["registry"] == str(old.root / "aim/registry")
    there = {name for name, row in told["tools"].items() if row["found"]}
    assert there >= {"ruff", "pylint", "pytest"}
    assert there.isdisjoint({"jules", "claude-cli", "codex"})
    assert told["tools"]["ruff"]["version"].startswith("ruff ")
    assert told["tools"]["pylint"]["version"].startswith("pylint ")
    assert told["tools"]["pytest"]["path"] == str(BIN / "pytest")
    served = told["capabilities"]
    assert served["code_generation"]["chain"] == ["jules", "aider", "claude-cli"]
    assert "jules is missing" in served["code_generation"]["why"]
    assert (served["linting"]["served_by"], served["linting"]["why"]) == ("ruff", "it is asked first")
    assert served["testing"]["served_by"] == "pytest"
    assert served["refactoring"]["chain"] == ["aider", "claude-cli"]
    assert served["version_checking"]["chain"] == ["aider", "jules", "claude-cli"]


def test_linting(old: Space) -> None:
    """By ruff; what it finds is no reason to ask somebody else."""
    routed = route(old, "linting", {"files": ["a.py", "good.py"]}, code=1)
    assert (routed["success"], routed["tool_id"]) == (True, "ruff")
    assert routed["content"]["passed"] is False
    [finding] = routed["content"]["findings"]
    assert (finding["path"], finding["line"], finding["code"]) == ("a.py", 3, "F401")
    assert route(old, "linting", {"files": ["good.py"]})["content"]["passed"] is True
    fixed = route(old, "linting", {"files": ["a.py"], "fix": True})
    assert fixed["content"]["files_changed"] == ["a.py"]
    assert "import" not in old.read("a.py")


def test_linting_without_ruff(old: Space) -> None:
    """By pylint, where ruff is taken off PATH."""
    registry = json.loads(old.read("aim/registry/AIM_registry.json"))
    assert "ruff" not in registry["tools"]
    apart = old.root.parent / "python"
    shutil.copytree(BIN.parent, apart, symlinks=True, ignore=lambda _, names: set(names) & {"ruff"})
    old.env["PATH"] = f"{apart / 'bin'}:/usr/bin:/bin"
    program = str(apart / "bin/wsbuild")
    text = Path(program).read_text().replace(str(BIN.parent), str(apart))
    Path(program).write_text(text)
    old.write("payload.json", json.dumps({"files": ["a.py"]}))
    done = old.run(program, "aim", "route", "linting", "--payload", "payload.json", "--json", code=1)
    assert (done.json["tool_id"], done.json["content"]["passed"]) == ("pylint", False)
    assert [one["code"] for one in done.json["content"]["findings"]] == ["unused-import"]
    assert [one["state"] for one in done.json["attempts"]] == ["missing", "ok"]


def test_linting_what_nobody_judges(old: Space) -> None:
    """Is told by each, and nothing is called clean."""
    routed = route(old, "linting", {"files": ["page.md"]}, code=1)
    assert not routed["success"]
    assert [one["error_reason"] for one in routed["attempts"]] == ["unsupported", "unsupported"]
    assert "nothing.py is not there" in route(old, "linting", {"files": ["nothing.py"]}, code=1)["message"]


def test_testing(old: Space) -> None:
    """By pytest: all, or what a path names."""
    routed = route(old, "testing", {"test_path": "tests"}, code=1)
    content = routed["content"]
    assert (routed["success"], routed["tool_id"], content["passed"]) == (True, "pytest", False)
    assert (content["tests"], content["failures"]) == (2, 1)
    assert [one["test"] for one in content["failed"]] == ["tests.test_a::test_wrong"]
    one = route(old, "testing", {"test_path": "tests/test_a.py::test_right"})
    assert one["content"]["passed"] is True
    assert one["message"] == "1 passed, 0 skipped"
    assert "has found no tests" in route(old, "testing", {"test_path": "a.py"}, code=1)["message"]


def test_version_checking(old: Space) -> None:
    """By a tool that is there, which is asked for no more than that."""
    rules = {"capabilities": {"version_checking": {"primary": "jules", "fallback": ["pylint"]}}}
    old.write("aim/registry/AIM_cross-tool/AIM_coordination-rules.json", json.dumps(rules))
    routed = route(old, "version_checking", {})
    assert routed["content"]["version"] == routed["message"]
    assert routed["message"].startswith("pylint ")
    assert routed["content"]["path"] == status(old)["tools"][routed["tool_id"]]["path"]


def test_a_registry_named_by_the_environment(space: Space, tmp_path: Path) -> None:
    """Goes before the one that is found; it may lie anywhere, and must be there."""
    other = AimSpace(tmp_path / "other")
    other.tool("mine", OK)
    other.rule("linting", "mine")
    space.env["AIM_REGISTRY_PATH"] = str(other.root / "aim/registry")
    assert route(space, "linting", {})["tool_id"] == "mine"
    space.env["AIM_REGISTRY_PATH"] += "/AIM_registry.json"
    assert route(space, "linting", {})["tool_id"] == "mine"
    space.env["AIM_REGISTRY_PATH"] = "nowhere"
    for words in (("aim", "status"), ("aim", "route", "linting")):
        said = space.wsbuild(*words, code=2).err
        assert "AIM_REGISTRY_PATH names nowhere, where there is no AIM_registry.json" in said
    del space.env["AIM_REGISTRY_PATH"]
    space.write("config/aim_config.yaml", f"registry_path: {other.root}/aim/registry\n")
    assert route(space, "linting", {})["tool_id"] == "mine"
    space.env["AIM_REGISTRY_PATH"] = "nowhere"
    assert "AIM_REGISTRY_PATH names nowhere" in space.wsbuild("aim", "status", code=2).err


@pytest.mark.parametrize("config", ["", "enable_aim: false\n"])
def test_without_it_a_tool_profile_is_used(space: Space, config: str) -> None:
    """With one warning, and an answer of the same form."""
    if config:
        space.write("config/aim_config.yaml", config)
        shutil.copytree(OLD, space.root / "aim/registry") if OLD.is_dir() else None
    told = status(space)
    assert not told["enabled"]
    assert told["capabilities"]["linting"]["chain"] == ["ruff"]
    space.write("payload.json", json.dumps({"files": ["a.py"]}))
    done = space.wsbuild("aim", "route", "linting", "--payload", "payload.json", "--json", code=1)
    assert done.err.count("wsbuild:") == 1
    assert "a tool profile is used directly" in done.err
    routed = done.json
    assert (routed["success"], routed["tool_id"], routed["content"]["passed"]) == (True, "ruff", False)
    assert set(routed) == {
        *("schema", "capability", "success", "message", "content", "tool_id", "attempts", "audits"),
    }
    assert len(list(space.root.glob("AIM_audit/*/*_ruff_linting.json"))) == 1


WRONG = {
    "config/aim_config.yaml": [
        ("enable_aimm: true\n", "did you mean"),
        ("default_timeout_ms: soon\n", "/default_timeout_ms"),
        ("retry_backoff_ms: -1\n", "/retry_backoff_ms"),
    ],
    "aim/registry/AIM_registry.json": [
        ("{", "ends too early"),
        ('{"tools": {"x": {"name": "X"}}}', "detectCommands"),
        ('{"tools": {"x": {"name": "X", "detectCommands": []}}}', "/tools/x/detectCommands"),
        ('{"tools": {"x": {"name": "X", "detectCommands": ["x"], "adapterSript": "y"}}}', "adapterScript"),
        ('{"tools": {"../x": {"name": "X", "detectCommands": ["x"]}}}', "AIM_registry.json"),
        ('{"tools": {}, "crossToolRulesPath": "%NOWHERE%/x"}', "names NOWHERE"),
        ('{"tools": {}, "crossToolRulesPath": "nothing.json"}', "nothing.json"),
    ],
    "aim/registry/rules.json": [
        ('{"capabilities": {"linting": {}}}', "primary"),
        ('{"capabilities": {"linting": {"primary": "x", "fallbacks": []}}}', "did you mean"),
        (
            '{"capabilities": {}, "conflict_resolution": {"concurrent_access": {"max_concurrent": 0}}}',
            "max_concurrent",
        ),
    ],
}


@pytest.mark.parametrize(
    ("file", "text", "words"), [(file, *case) for file, cases in WRONG.items() for case in cases]
)
def test_what_is_wrong_in_a_file_is_told(tmp_path: Path, file: str, text: str, words: str) -> None:
    """Where it is, and what; nobody is asked."""
    space = AimSpace(tmp_path / "project")
    space.tool("one", OK)
    space.rule("linting", "one")
    space.write(file, text)
    done = space.wsbuild("aim", "route", "linting", code=2)
    assert words in done.err
    assert os.path.basename(file) in done.err or "nothing.json" in done.err
    assert "Traceback" not in done.err
    assert space.called() == []


@pytest.mark.parametrize(("text", "words"), [("{", "is no JSON"), ("[1]", "holds no object")])
def test_a_payload_that_is_none(space: Space, text: str, words: str) -> None:
    """Nobody is asked either."""
    space.write("p.json", text)
    assert words in space.wsbuild("aim", "route", "linting", "--payload", "p.json", code=2).err
    assert "cannot be read" in space.wsbuild("aim", "route", "linting", "--payload", "no.json", code=2).err


def test_a_registry_of_ones_own_begins_with_what_comes_with_wsbuild(space: Space) -> None:
    """It is written once, and works."""
    assert "aim/registry/AIM_registry.json" in space.wsbuild("aim", "init").out
    told = status(space)
    assert told["registry"] == str(space.root / "aim/registry")
    assert told["capabilities"]["linting"]["served_by"] == "ruff"
    assert route(space, "linting", {"files": ["good.py"]})["tool_id"] == "ruff"
    assert "there already" in space.wsbuild("aim", "init", code=2).err


JULES = """#!/bin/sh
[ "$1 $2" = "remote new" ] && echo "Session 12345678901234567890 is created for $6" && echo "$6" > prompt
[ "$1 $2" = "remote list" ] && echo "12345678901234567890  Do it  owner/repo  {status}"
[ "$1 $2 $3 $4 $5" = "remote pull --session 12345678901234567890 --apply" ] && echo 1 > made
exit {code}
"""


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        ("Completed", 0, "Jules changed 2 files"),
        ("Awaiting User Feedback", 0, "its session waits for an answer: https://"),
        ("Failed", 0, "its session has failed: https://"),
        ("Completed", 1, "Jules began no session"),
    ],
)
def test_jules(space: Space, status: str, code: int, words: str) -> None:
    """On a stand-in, as it needs an account: what it has made is applied when its session is completed."""
    program = space.root.parent / "bin/jules"
    program.write_text(JULES.format(status=status, code=code))
    program.chmod(0o755)
    space.env["PATH"] += f":{program.parent}"
    space.wsbuild("aim", "init")
    rules = {"capabilities": {"code_generation": {"primary": "jules"}}}
    space.write("aim/registry/AIM_coordination-rules.json", json.dumps(rules))
    space.git("init", "-q")
    success = words.startswith("Jules changed")
    routed = route(space, "code_generation", {"prompt": "Do it"}, code=0 if success else 1)
    assert words in routed["message"]
    if success:
        assert routed["content"]["files_changed"] == ["made", "prompt"]
        assert space.read("prompt") == "Do it\n"


def test_commands_in_the_place_of_an_adapter(tmp_path: Path) -> None:
    """The payload's words stand where their names do; it has failed where it ends with another code."""
    space = AimSpace(tmp_path / "project")
    commands = {
        "linting": ["sh", "-c", 'echo "$@" > seen; echo said; touch made', "x", "{prompt}", "{files}"],
        "testing": ["sh", "-c", "exit 3"],
        "refactoring": ["{nothing}"],
    }
    space.tools["own"] = {"name": "Own", "detectCommands": ["sh"], "commands": commands}
    space.rule("linting", "own")
    space.rule("testing", "own")
    space.rule("refactoring", "own")
    space.git("init", "-q")
    routed = space.route("linting", {"files": ["a b", "-c"], "prompt": "do $(it)"}, code=0)
    assert space.read("seen") == "do $(it) a b ./-c\n"
    assert routed["content"]["stdout"] == "said\n"
    assert routed["content"]["files_changed"] == ["made", "seen"]
    assert "ended with 3" in space.route("testing", code=1)["message"]
    assert "unknown variable {nothing}" in space.route("refactoring", code=1)["message"]
