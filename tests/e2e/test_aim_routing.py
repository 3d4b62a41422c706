"""Routing by the rules: what is handed over, whose turn it is, and how many are asked at a time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiming import FAIL, OK, AimSpace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def space(tmp_path: Path) -> AimSpace:
    """A project with a tool that serves linting."""
    space = AimSpace(tmp_path / "project")
    space.tool("one", OK)
    space.rule("linting", "one")
    return space


def refused(space: AimSpace, payload: Any) -> str:
    """Why nobody was asked, which is recorded."""
    routed = space.route("linting", payload, code=1)
    assert space.called() == []
    [attempt] = routed["attempts"]
    assert attempt["state"] == "refused"
    assert space.audits()[-1]["result"]["message"] == routed["message"]
    return str(routed["message"])


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_a_payload_must_have_what_is_required(space: AimSpace, empty: Any) -> None:
    """Not only its name; what is optional may be missing."""
    needs = {"files": "required", "prompt": "optional"}
    space.rule("linting", "one", context_requirements=needs)
    assert "linting needs 'files'" in refused(space, {"prompt": "p"})
    assert "linting needs 'files'" in refused(space, {"files": empty})
    assert space.route("linting", {"files": ["a.py"]}, code=0)["success"]


ALLOWED = {"allowed_file_patterns": ["*.py", "docs/*"], "forbidden_paths": ["/.git/", "/.env", "/build/x"]}
PATHS = {
    "a.py": "",
    "deep/er/a.py": "",
    "docs/page": "",
    "docs/": "",
    "page": "matches none",
    "a.py.txt": "matches none",
    ".git/config.py": "forbid /.git/",
    "sub/.git/x.py": "forbid /.git/",
    ".GIT/x.py": "forbid /.git/",
    ".env": "forbid /.env",
    ".env/x.py": "forbid /.env",
    ".environment.py": "",
    "build/x/a.py": "forbid /build/x",
    "build/y.py": "",
    "a/../.git/x.py": "forbid /.git/",
    "../a.py": "not in the project",
    "a/../../b.py": "not in the project",
    "/etc/a.py": "not in the project",
    "C:/a.py": "not in the project",
    "..\\\\a.py": "not in the project",
}


@pytest.mark.parametrize(("path", "why"), PATHS.items(), ids=PATHS)
def test_paths_that_may_be_handed_over(space: AimSpace, path: str, why: str) -> None:
    """And those that may not, in whatever field they are."""
    space.limit(**ALLOWED)
    if not why:
        assert space.route("linting", {"files": [path]}, code=0)["success"]
        return
    for payload in ({"files": ["a.py", path]}, {"files": path}, {"test_path": path}):
        assert why in refused(space, payload)


def test_what_is_in_scope_is_no_file(space: AimSpace) -> None:
    """It may be a pattern, but not one below what is forbidden."""
    space.limit(**ALLOWED)
    assert space.route("linting", {"files_scope": ["src/**", "lib"]}, code=0)["success"]
    assert space.called() == ["one"]
    assert "forbid /.env" in refused(space, {"files_create": [".env"]})


def test_the_size_of_a_payload_and_its_files(space: AimSpace) -> None:
    """Are limited, to the byte and to the file; what was too large is not kept."""
    space.limit(max_payload_size_bytes=17)
    assert space.route("linting", {"files": ["é"]}, code=0)["success"]
    assert space.called() == ["one"]
    space.limit(max_payload_size_bytes=16)
    assert "17 bytes, and may have 16" in refused(space, {"files": ["é"]})
    space.limit(max_payload_size_bytes=17)
    assert "18 bytes, and may have 17" in refused(space, {"files": ["ab1"]})
    assert space.audits()[-1]["payload"] == {"size_bytes": 18}
    space.limit(max_file_count=2)
    assert space.route("linting", {"files": ["a", "b"]}, code=0)["success"]
    assert space.called() == ["one"]
    assert "names 3 files, and may name 2" in refused(space, {"files": ["a", "b"], "test_path": "c"})


def test_turns_are_taken_where_the_rules_say_so(space: AimSpace) -> None:
    """Among those that are there, the one that was asked longest ago first: always the same way."""
    for name in ("two", "three"):
        space.tool(name, OK)
    space.tool("gone", OK, there=False)
    space.rule("linting", "gone", "one", "two", "three", loadBalance=True)
    served = [space.route("linting", code=0)["tool_id"] for _ in range(7)]
    assert served == ["one", "two", "three", "one", "two", "three", "one"]
    assert len(space.audits()) == 7, "who is not there is not asked"
    space.tool("three", FAIL)
    space.called()
    assert space.route("linting", code=0)["tool_id"] == "two"
    assert space.route("linting", code=0)["tool_id"] == "one"
    assert space.called() == ["two", "three", "one"]


def test_without_it_the_first_is_asked_first(space: AimSpace) -> None:
    """Each time."""
    space.tool("two", OK)
    space.rule("linting", "one", "two")
    assert {space.route("linting", code=0)["tool_id"] for _ in range(3)} == {"one"}


def test_what_is_remembered_of_turns_may_be_damaged(space: AimSpace) -> None:
    """It begins anew then."""
    space.tool("two", OK)
    space.rule("linting", "one", "two", loadBalance=True)
    space.route("linting", code=0)
    for damage in ("{", "[1]", '{"one": "x", "two": null}'):
        (space.root / ".wsbuild/aim/used.json").write_text(damage)
        assert space.route("linting", code=0)["tool_id"] == "one"


CROWD = """
import os, sys, threading
from wsbuild.aim.opening import opened
root, count = sys.argv[1], int(sys.argv[2])
with opened(root, os.environ) as aim:
    router = aim.router(root)
    bad = []
    def work():
        if not router.route("linting", {"files": ["a.py"]}).success:
            bad.append(1)
    threads = [threading.Thread(target=work) for _ in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
sys.exit(len(bad))
"""
# A directory for each place: who finds more than there are has come too early.
COUNTED = """
for at in 1 2 3; do
    if mkdir {place}/$at 2>/dev/null; then
        sleep 0.01
        rmdir {place}/$at
        {ok}
        exit
    fi
done
echo too many >> {place}.wrong
exit 1
"""


@pytest.mark.parametrize("processes", [4])
def test_never_more_at_a_time_than_allowed(tmp_path: Path, processes: int, full: bool) -> None:
    """Among threads and processes, each of which is served, and recorded once."""
    count = 1000 if full else 120
    space = AimSpace(tmp_path / "project")
    place = tmp_path / "places"
    place.mkdir()
    space.tool("one", COUNTED.format(place=place, ok=OK))
    space.rule("linting", "one")
    space.at_most(3)
    words = [sys.executable, "-c", CROWD, str(space.root), str(count // processes)]
    crowd = [subprocess.Popen(words, env=space.env) for _ in range(processes)]
    assert [one.wait(timeout=600) for one in crowd] == [0] * processes
    assert not (tmp_path / "places.wrong").exists()
    entries = space.audits()
    assert len(entries) == len({entry["route"] for entry in entries}) == count
    assert Counter(entry["result"]["state"] for entry in entries) == {"ok": count}
    assert len(space.called()) == count


def begun(space: AimSpace) -> subprocess.Popen[str]:
    """A process that is asking the tool, which works until there is a file `out`, or half a minute."""
    wait = "for _ in $(seq 1500); do test -e out && break; sleep 0.02; done"
    space.tool("one", f"cd {space.root}; touch in; {wait}; {OK}")
    space.write("payload.json", "{}")
    asking = space.start("wsbuild", "aim", "route", "linting", "--payload", "payload.json")
    until = time.monotonic() + 30
    while not (space.root / "in").exists():
        assert time.monotonic() < until, "the tool is never asked"
        time.sleep(0.02)
    return asking


def test_who_comes_later_may_be_refused(space: AimSpace) -> None:
    """Where the rules do not want a queue."""
    space.at_most(1, "reject")
    with begun(space) as first:
        routed = space.route("linting", code=1)
        assert "1 tool is being asked" in routed["message"]
        space.write("out", "")
        first.communicate(timeout=30)
    assert first.returncode == 0
    assert len(space.called()) == 1
    assert len(space.audits()) == 2


def test_a_dead_process_keeps_no_turn(space: AimSpace) -> None:
    """The kernel gives it back."""
    space.at_most(1)
    with begun(space) as first:
        first.kill()
        first.communicate(timeout=30)
    space.tool("one", OK)
    assert space.route("linting", code=0)["success"]
