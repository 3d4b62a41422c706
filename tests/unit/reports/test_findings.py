"""What detectors have found, in each form that it is shown in, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from toolbox.install import NoToolError, box

from wsbuild.detectors.engine import CACHED, ERROR, RAN, SKIPPED, Report, Told
from wsbuild.detectors.finding import Finding
from wsbuild.reports.findings import as_github, as_stat, as_text
from wsbuild.reports.junit import as_junit
from wsbuild.reports.sarif import as_sarif

HOSTILE = "evil \x1b]0;x\x07 \x00 \ud800 \ufffe % : , <b>&\"' ]]>\r\n::error::second"
PATHS = ("src/a b.py", "100% of,it:me.py", "\udcff.py", "<é>.py")
FOUND = [
    Finding(PATHS[0], 3, 1, "S602", "security", "error", HOSTILE, "https://x/y", "one", "f1"),
    Finding(PATHS[1], 2, 0, "E1", "style", "warning", "plain", "", "one", "f2"),
    Finding(PATHS[2], 0, 0, "E1", "style", "info", "", "", "two", "f3"),
    Finding(PATHS[3], 1, 1, HOSTILE, "syntax", "error", "x", "", "two", "f4"),
]
QUIET = [Finding(PATHS[0], 9, 1, "E1", "style", "warning", "not so bad", "", "one", "f5", True)]
REPORT = Report(
    [
        Told("one", RAN, "", "1.0", 4, 1, 2, True),
        Told("two", ERROR, "it broke", "", 4),
        Told("three", SKIPPED, f"get it\n{HOSTILE}"),
        Told("four", CACHED, "", "4", 7, 7),
    ],
    FOUND,
    QUIET,
    [("two", PATHS[1], HOSTILE), ("two", "", "wholly")],
    9,
)
CLEAN = Report([Told("four", CACHED, "", "4", 7, 7)], [], [], [], 7)


def controls(text: str) -> set[str]:
    """What could steer a terminal in a text, or is no text."""
    return {char for char in text if not char.isprintable()} - {"\n"}


@pytest.mark.parametrize("render", [as_text, as_stat, as_github])
def test_nothing_steers_a_terminal(render: object) -> None:
    """And nothing is but half a character."""
    assert callable(render)
    assert controls(render(REPORT)) == set()


def test_text_tells_all_that_happened() -> None:
    """By file; a message of several lines by its first."""
    said = as_text(REPORT)
    assert "src/a b.py\n  3:1       error    evil" in said
    assert all(line.startswith(("  ", *"sh1\\<ES4")) for line in said.splitlines())
    assert "\n100% of,it:me.py\n  2:0       warning  plain  [one E1]\n" in said
    assert "help      wsbuild detect --fix -d one\n" in said
    assert "ERROR     two: 100% of,it:me.py could not be judged: evil" in said
    assert "ERROR     two: wholly\n" in said
    assert "skipped   three: get it" in said
    last = "4 findings in 4 of 9 files, 1 suppressed; 2 tool calls, 1 detector failed, 1 skipped\n"
    assert said.endswith(last)


def test_what_is_wrong_with_many_files_is_told_once() -> None:
    errors = [("two", path, why) for why in ("it broke", "it was late") for path in ("a", "b", "c")]
    report = REPORT._replace(errors=[*errors, ("three", "a", "it broke")])
    for said in (as_text(report), as_stat(report)):
        assert [line for line in said.splitlines() if line.startswith("ERROR")] == [
            "ERROR     two: a and 2 more could not be judged: it broke",
            "ERROR     two: a and 2 more could not be judged: it was late",
            "ERROR     three: a could not be judged: it broke",
        ]
    told = [line for line in as_github(report).splitlines() if "could not judge" in line]
    assert told[0] == "::error file=a,title=two::it could not judge this and 2 more: it broke"
    assert len(told) == 3


def test_what_cannot_be_mended_needs_no_help() -> None:
    """As what does not parse, or where no tool can."""
    one = FOUND[0]._replace(category="syntax")
    assert "help" not in as_text(REPORT._replace(findings=[one]))
    assert "help" not in as_text(REPORT._replace(detectors=[REPORT.detectors[0]._replace(fixable=False)]))


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (11, 10), (25, 10)])
def test_many_equal_findings_are_not_all_shown(count: int, shown: int) -> None:
    """Of one code in one file; unless all are asked for."""
    many = [FOUND[1]._replace(line=line) for line in range(1, count + 1)]
    report = REPORT._replace(findings=[*many, FOUND[0], FOUND[1]._replace(path="z.py")])
    said = as_text(report)
    assert said.count("plain  [one E1]") == shown + 1
    assert (f"and {count - shown} more like this  [one E1]" in said) is (count > shown)
    assert as_text(report, show_all=True).count("plain  [one E1]") == count + 1


def test_stat_counts() -> None:
    """The most frequent first."""
    report = REPORT._replace(findings=[*FOUND, FOUND[1], FOUND[1]._replace(path="z.py")])
    lines = as_stat(report).splitlines()
    assert lines[0].split() == ["3", "in", "2", "files", "one", "E1"]
    assert lines[1].split() == ["1", "in", "1", "file", "one", "S602"]
    assert lines[-1].startswith("6 findings in 5 of 9 files")


def test_github_reads_what_was_meant() -> None:
    """One command a line; its escapes turned back are the text."""
    lines = as_github(REPORT).splitlines()
    assert len(lines) == len(FOUND) + len(REPORT.errors) + 1
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    assert lines[1] == "::warning file=100%25 of%2Cit%3Ame.py,line=2,title=one E1::plain"
    assert lines[0].startswith("::error file=src/a b.py,line=3,col=1,title=one S602::evil")
    assert "%0D%0A::error::second" in lines[0]


def test_junit_is_what_readers_expect() -> None:
    """Well-formed whatever is in it; counts are right; nothing is hidden among thousands of good files."""
    suites = {suite.get("name"): suite for suite in ET.fromstring(as_junit(REPORT)).iter("testsuite")}
    assert {name: suite.get("failures") for name, suite in suites.items()} == {
        "one": "2",
        "two": "2",
        "three": "0",
        "four": "0",
    }
    for suite in suites.values():
        for kind, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert int(suite.get(kind, "")) == len(list(suite.iter(tag)))
    [failure] = [one for one in suites["one"].iter("failure") if one.get("type") == "S602"]
    assert "<b>&\"' ]]>" in (failure.text or "")
    assert "\\x1b" in (failure.text or "")
    assert suites["two"].get("errors") == "2"
    assert len(list(suites["four"].iter("testcase"))) == 1


@pytest.fixture(scope="module")
def schema() -> object:
    """The published schema of SARIF 2.1.0, of OASIS."""
    try:
        folder = box("package.json").parent
    except NoToolError as reason:
        pytest.skip(str(reason))
    document = json.loads(Path(folder, "schemastore/schemas/json/sarif-2.1.0.json").read_text())
    assert "oasis-tcs/sarif-spec" in document["$id"]
    return document


@pytest.mark.parametrize("report", [REPORT, CLEAN, CLEAN._replace(detectors=[])])
def test_sarif_is_valid(schema: object, report: Report) -> None:
    """By the published schema."""
    jsonschema.validate(json.loads(as_sarif(report)), schema)


def test_sarif_tells_all_that_happened() -> None:
    """Each finding with its rule and place; what is suppressed as that; who has failed as that."""
    runs = {run["tool"]["driver"]["name"]: run for run in json.loads(as_sarif(REPORT))["runs"]}
    assert set(runs) == {"one", "two", "three", "four"}
    results = runs["one"]["results"]
    assert [one["ruleId"] for one in results] == ["S602", "E1", "E1"]
    assert [runs["one"]["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] for one in results] == [
        "S602",
        "E1",
        "E1",
    ]
    assert [one.get("suppressions") for one in results] == [None, None, [{"kind": "inSource"}]]
    assert [one["level"] for one in results] == ["error", "warning", "warning"]
    places = [one["locations"][0]["physicalLocation"] for run in runs.values() for one in run["results"]]
    uris = [unquote_to_bytes(place["artifactLocation"]["uri"]) for place in places]
    assert uris == [path.encode("utf-8", "surrogateescape") for path in (*PATHS[:2], PATHS[0], *PATHS[2:])]
    assert [place.get("region") for place in places] == [
        {"startLine": 3, "startColumn": 1},
        {"startLine": 2},
        {"startLine": 9, "startColumn": 1},
        None,
        {"startLine": 1, "startColumn": 1},
    ]
    good = {name: run["invocations"][0]["executionSuccessful"] for name, run in runs.items()}
    assert good == {"one": True, "two": False, "three": False, "four": True}
    assert "skipped: get it" in str(runs["three"]["invocations"])
    assert runs["one"]["tool"]["driver"]["version"] == "1.0"
