"""`wsbuild validate --authoring`: advice beside errors, told apart from them."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from space import Space


def test_advice_is_no_error(space: Space) -> None:
    """Unless that is wanted; without being asked for, it is not given."""
    space.workstream("a", files_scope=["**"], tool="aider")
    assert "advice" not in space.wsbuild("validate").out
    assert "advice" not in space.wsbuild("validate", "--json").json
    result = space.wsbuild("validate", "--authoring")
    assert "[wide-scope]\n  help: " in result.out
    assert "1 workstream, no problems, 3 pieces of advice\n" in result.out
    assert result.err == ""
    assert space.wsbuild("validate", "--strict", code=1).out == result.out
    skipped = ("--skip", "wide-scope", "--skip", "no-tests")
    assert space.wsbuild("validate", "--strict", *skipped, code=1).out.count("help") == 1
    assert space.wsbuild("validate", "--strict", *skipped, "--skip", "no-cost-limit").out.endswith(
        "no advice\n"
    )


def test_errors_come_first(space: Space) -> None:
    """Their exit code too; in JSON the two are apart."""
    space.workstream("a", files_scope=["**"], tool="aider")
    space.workstream("b", files_scope=["../x"], tool="aider")
    result = space.wsbuild("validate", "--strict", "--json", code=2).json
    assert [each["code"] for each in result["problems"]] == ["bad-path"]
    assert not result["ok"]
    assert {each["file"] for each in result["advice"]} == {"workstreams/ws-a.json"}
    assert sorted(each["code"] for each in result["advice"]) == ["no-cost-limit", "no-tests", "wide-scope"]


def test_of_some_only(space: Space) -> None:
    """By id or by file."""
    for name in "ab":
        space.workstream(name, files_scope=[f"{name}.txt"], tool="echo")
    for words in (["b"], ["workstreams/ws-b.json"]):
        advice = space.wsbuild("validate", "--authoring", "--json", *words).json["advice"]
        assert {each["file"] for each in advice} == {"workstreams/ws-b.json"}


def test_a_code_that_is_none(space: Space) -> None:
    """Is a mistake that would hide nothing."""
    space.workstream("a", tool="echo")
    result = space.wsbuild("validate", "--authoring", "--skip", "wide-scopes", code=2)
    assert "no advice has the code 'wide-scopes'" in result.err
    assert "wide-scope" in result.err.partition("help")[2]


def test_overlaps_are_told_once(space: Space) -> None:
    """As advice, where advice is given."""
    for name in "ab":
        space.workstream(name, files_scope=["x.txt"], tool="echo")
    assert space.wsbuild("validate").out.count("x.txt") == 1
    told = space.wsbuild("validate", "--authoring", "--skip", "scope-misses").out
    assert told.count("x.txt") == 1
    assert "[unordered-overlap]" in told


def test_bundles_that_people_wrote(space: Space, real_bundles: Path) -> None:
    """What their authors would want to know, and not more: less than two pieces for each."""
    for path in real_bundles.glob("*.json"):
        shutil.copy(path, space.root / "workstreams")
    bundles = space.wsbuild("validate", "--json").json
    assert bundles["ok"]
    advice = space.wsbuild("validate", "--authoring", "--json", "--skip", "scope-misses").json["advice"]
    codes = Counter(each["code"] for each in advice)
    assert codes["test-looks-like-command"] == 20
    assert codes["many-tasks"] == 5
    assert codes["no-cost-limit"] == 1
    assert set(codes) <= {
        *("test-looks-like-command", "many-tasks", "no-cost-limit", "no-tests", "unordered-overlap"),
        "spelled-twice",
    }
    assert len(advice) < 2 * len(bundles["workstreams"])
