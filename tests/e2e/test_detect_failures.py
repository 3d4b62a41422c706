"""Detectors that fail, in every way: no other suffers, nothing that failed is taken for clean."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from detecting import LINES, detect, own, tools_project
from space import Space


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project with something wrong for each tool, and a note of each call."""
    return tools_project(tmp_path)


BAD = {
    "ends with a code of its own": ("exit 3", LINES, "sh ended with 3"),
    "is killed": ("kill -KILL $$", LINES, "sh was crashed"),
    "takes too long": ("sleep 60", LINES, "sh took longer than 1 s"),
    "tells of nothing": ("exit 1", LINES, "told of nothing: it said nothing"),
    "tells of nothing but why": ("echo no such plugin >&2; exit 1", LINES, "told of nothing: no such plugin"),
    "tells of another file": ("echo src/app.py; exit 1", LINES, "src/app.py, which it was not asked about"),
    "tells of a path of its own": ("echo ./README.md", LINES, "./README.md, which it was not asked about"),
    "raises": ("exit 0", "raise ValueError('unheard of')", "ValueError: unheard of"),
    "leaves": ("exit 0", "raise SystemExit(0)", "SystemExit: 0"),
    "prints garbage": ("echo garbage", "import json; return json.loads(output.stdout)", "JSONDecodeError"),
    "gives something else": ("exit 0", "return ['finding']", "is no Finding"),
    "gives a wrong place": (
        "exit 0",
        "return [Finding('README.md', '1', 0, 'X', 'style', 'warning', 'bad')]",
        "has no place",
    ),
    "gives a wrong category": (
        "exit 0",
        "return [Finding('README.md', 1, 0, 'X', 'taste', 'warning', 'bad')]",
        "there is no such category",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_detector_that_fails_is_an_error_and_others_go_on(space: Space, bad: str) -> None:
    """Never clean, never kept: it is asked again; and the exit code is 1 without any finding."""
    script, parse, told = BAD[bad]
    own(space, script, parse, types=["markdown"], timeout_sec=1)
    for _ in range(2):
        found = detect(space, "-d", "own", "-d", "yamllint", "README.md", "conf/a.yaml")
        statuses = {one["id"]: one for one in found["detectors"]}
        assert statuses["own"]["status"] == "error"
        assert told in statuses["own"]["reason"]
        assert [(one["detector"], one["path"]) for one in found["errors"]] == [("own", "README.md")]
        assert {one["detector"] for one in found["findings"]} == {"yamllint"}
        assert found["counts"]["tool_calls"] >= 1
    said = space.wsbuild("detect", "-d", "own", code=1)
    assert told in said.out
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize("line", ["raise ValueError('unheard of')", "raise SystemExit(0)", "return 7"])
def test_a_detector_that_cannot_say_what_to_start_is_an_error(space: Space, line: str) -> None:
    """Before anything is looked up."""
    own(space, "exit 0")
    plugin = space.read("config/detectors/own/plugin.py")
    space.write("config/detectors/own/plugin.py", re.sub(r"    return \[.*", f"    {line}", plugin))
    found = detect(space, "-d", "own", "-d", "yamllint")
    assert [(one["detector"], one["path"]) for one in found["errors"]] == [("own", "")]
    assert "its plugin failed" in found["errors"][0]["message"]
    assert {one["detector"] for one in found["findings"]} == {"yamllint"}


def test_an_interrupt_ends_all_tools_at_once(space: Space) -> None:
    """With the code of an interrupt; what was not judged is not kept."""
    marker = f"8{os.getpid()}"
    own(space, f"touch begun; sleep {marker}", types=["markdown"])
    with space.start("wsbuild", "detect", "-d", "own") as running:
        while not (space.root / "begun").exists():
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if is_sleeping(path, marker)]
    own(space, "exit 0", types=["markdown"])
    assert detect(space, "-d", "own", code=0)["counts"]["tool_calls"] == 1


def is_sleeping(path: Path, marker: str) -> bool:
    """Whether a process is the `sleep` of that mark."""
    try:
        return path.read_bytes() == f"sleep\0{marker}\0".encode()
    except OSError:
        return False


def test_one_bad_file_costs_no_other_its_result(space: Space) -> None:
    """It is found by halving; the rest is kept."""
    for number in range(20):
        space.write(f"many/{number}.md", "poison\n" if number == 13 else "fine\n")
    own(space, 'grep -q poison -- "$@" && exit 9; exit 0', types=["markdown"])
    found = detect(space, "-d", "own", "-j", "1", "many")
    assert [one["path"] for one in found["errors"]] == ["many/13.md"]
    assert found["counts"]["tool_calls"] < 12
    again = detect(space, "-d", "own", "many")
    assert (again["counts"]["from_cache"], again["counts"]["tool_calls"]) == (19, 1)


def test_as_many_findings_as_there_are(space: Space, full: bool) -> None:
    """A million of them (fewer in the short run): all are counted, kept, and found again."""
    count = 1_000_000 if full else 20_000
    finding = "Finding(output.files[0], n, 1, 'X', 'style', 'warning', 'bad')"
    parse = f"for n in range(1, int(output.stdout) + 1): yield {finding}"
    own(space, f"echo {count}; exit 1", parse, types=["markdown"])
    for known in (False, True):
        shutil.rmtree(space.root / ".wsbuild/detect", ignore_errors=True)
        out = space.wsbuild("detect", "-d", "own", code=1, timeout=600).out
        assert f"and {count - 10} more like this  [own X]" in out
        calls = "0 tool calls" if known else "1 tool call"
        assert out.splitlines()[-1] == f"{count} findings in 1 of 14 files; {calls}"
        assert len(out) < 10_000
    told = detect(space, "-d", "own")
    assert len(told["findings"]) == count
