"""Routing where adapters do what they should not: real child processes, and an entry for each attempt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiming import FAIL, OK, AimSpace
from space import BIN

from wsbuild.aim.opening import opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def space(tmp_path: Path) -> AimSpace:
    """A project with a registry."""
    return AimSpace(tmp_path / "project")


def states(routed: dict[str, Any]) -> list[tuple[str, str]]:
    """Who was asked, and what came of it."""
    return [(one["tool_id"], one["state"]) for one in routed["attempts"]]


WRONG = {
    "nothing": ("true", "invalid", "no answer"),
    "no JSON": ("echo hello", "invalid", "no JSON"),
    "words before it": (f"echo warming up; {OK}", "invalid", "no JSON"),
    "no object": ("echo '[]'", "invalid", "another form"),
    "no message": ("""echo '{"success": true}'""", "invalid", "`message` is missing"),
    "no boolean": ("""echo '{"success": "yes", "message": ""}'""", "invalid", "/success"),
    "success twice": ("""echo '{"success": true, "success": false, "message": ""}'""", "invalid", "success"),
    "bytes": (r"printf '\377\376'", "invalid", "UTF-8"),
    "a code, no answer": ("exit 7", "invalid", "7"),
    "what it says on stderr": ("echo why >&2; exit 1", "invalid", "why"),
    "failure": (FAIL, "failed", "one failed"),
    "failure without words": ("""echo '{"success": false, "message": ""}'""", "failed", "no more than"),
    "success and a code": (f"{OK}; exit 3", "failed", "ended with 3, although it says: done by one"),
    "killed": ("kill -9 $$", "crashed", "signal 9"),
    "killed after its answer": (f"{OK}; kill -9 $$", "crashed", "signal 9"),
}


@pytest.mark.parametrize(("script", "state", "words"), WRONG.values(), ids=WRONG)
def test_what_is_no_success_is_none(space: AimSpace, script: str, state: str, words: str) -> None:
    """It is told and recorded as what it is, and the next tool is asked."""
    space.tool("one", script)
    space.tool("two", OK)
    space.rule("linting", "one", "two")
    routed = space.route("linting", {"files": ["a.py"]}, code=0)
    assert states(routed) == [("one", state), ("two", "ok")]
    assert words in routed["attempts"][0]["message"]
    assert (routed["tool_id"], routed["message"]) == ("two", "done by two")
    first, second = space.audits()
    assert (first["tool_id"], first["order"], first["result"]["state"]) == ("one", 1, state)
    assert words in first["result"]["message"]
    assert (second["tool_id"], second["order"], second["result"]["success"]) == ("two", 2, True)
    assert first["route"] == second["route"]
    assert first["payload"] == second["payload"] == {"files": ["a.py"]}


def test_what_a_failed_adapter_has_told_is_kept(space: AimSpace) -> None:
    """Whatever code it ends with."""
    told = {"success": False, "message": "no", "content": {"error_reason": "tool_error", "more": [1, 2]}}
    space.tool("one", f"echo '{json.dumps(told)}'; exit 9")
    space.rule("linting", "one")
    routed = space.route("linting", code=1)
    assert routed["attempts"][0]["error_reason"] == "tool_error"
    assert space.audits()[0]["result"]["content"] == told["content"]


def test_a_mark_of_byte_order_is_no_harm(space: AimSpace) -> None:
    """PowerShell writes one."""
    space.tool("one", rf"printf '\357\273\277'; {OK}")
    space.rule("linting", "one")
    assert space.route("linting", code=0)["success"]


def test_an_adapter_that_hangs_is_ended(space: AimSpace) -> None:
    """With all that it has started, when its time is over; and not asked again."""
    marker = f"7{os.getpid()}"
    space.tool("one", f"trap '' TERM; sleep {marker} & sleep {marker}")
    space.tool("two", OK)
    space.rule("linting", "one", "two", timeout_ms=300, max_retries=3)
    space.write("config/wsbuild.yaml", "grace_sec: 0.2\n")
    began = time.monotonic()
    routed = space.route("linting", code=0)
    assert time.monotonic() - began < 10
    assert states(routed) == [("one", "timeout"), ("two", "ok")]
    assert "0.3 s" in routed["attempts"][0]["message"]
    assert marker not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


def test_all_fail(space: AimSpace) -> None:
    """Each is asked once, in the order of the rules, and what each has said is told."""
    for name in ("one", "two", "three"):
        space.tool(name, FAIL)
    space.rule("linting", "two", "three", "one", "two")
    routed = space.route("linting", code=1)
    assert space.called() == ["two", "three", "one"]
    assert [name for name, _ in states(routed)] == ["two", "three", "one"]
    assert not routed["success"]
    assert routed["tool_id"] == ""
    for name in ("one", "two", "three"):
        assert f"{name}: {name} failed" in routed["message"]
    assert [one["tool_id"] for one in space.audits()] == ["two", "three", "one"]


def test_a_tool_is_tried_again_before_the_next(space: AimSpace) -> None:
    """As often as the rules say, with longer and longer pauses; the payload goes before them."""
    space.tool("one", FAIL)
    space.tool("two", OK)
    space.rule("linting", "one", "two", max_retries=2)
    space.route("linting", code=0)
    assert space.called() == ["one", "one", "one", "two"]
    assert [(one["tool_id"], one["try"]) for one in space.audits()] == [
        *(("one", number) for number in (1, 2, 3)),
        ("two", 1),
    ]
    space.route("linting", {"max_retries": 0}, code=0)
    assert space.called() == ["one", "two"]


@pytest.mark.parametrize(
    "reason", ["timeout", "authentication_required", "command_not_found", "unsupported", "usage_limit"]
)
def test_what_will_not_get_better_is_not_tried_again(space: AimSpace, reason: str) -> None:
    """The next tool is asked at once."""
    told = {"success": False, "message": "no", "content": {"error_reason": reason}}
    space.tool("one", f"echo '{json.dumps(told)}'; exit 1")
    space.tool("two", OK)
    space.rule("linting", "one", "two", max_retries=3)
    space.route("linting", code=0)
    assert space.called() == ["one", "two"]


def test_pauses_grow(space: AimSpace) -> None:
    """Twice as long each time, and none before another tool."""
    space.tool("one", FAIL)
    space.tool("two", FAIL)
    space.rule("linting", "one", "two", max_retries=3)
    space.write("config/aim_config.yaml", "retry_backoff_ms: 100\n")
    pauses: list[float] = []
    with opened(str(space.root), space.env) as aim:
        router = aim.router(str(space.root))
        router._pause = pauses.append
        router.route("linting", {})
    assert pauses == [0.1, 0.2, 0.4] * 2


def test_an_adapter_may_get_better(space: AimSpace) -> None:
    """It is the same tool that serves then."""
    space.tool("one", f"[ $(wc -l < {space.calls}) = 2 ] && {{ {OK}; exit; }}; {FAIL}")
    space.rule("linting", "one", max_retries=2)
    routed = space.route("linting", code=0)
    assert states(routed) == [("one", "failed"), ("one", "ok")]


def test_an_unknown_capability(space: AimSpace) -> None:
    """Nobody is asked; that is recorded too."""
    space.tool("one", OK, capabilities=["own.thing"])
    routed = space.route("telepathy", code=1)
    assert "nobody serves the capability 'telepathy'; known: " in routed["message"]
    assert "own.thing" in routed["message"]
    [entry] = space.audits()
    assert (entry["action"], entry["tool_id"], entry["result"]["state"]) == ("refuse", "", "refused")
    assert space.route("own.thing", code=0)["tool_id"] == "one", "it is enough that a tool lists it"


def test_powershell_is_not_there(space: AimSpace) -> None:
    """An adapter that needs it is not asked, and says why."""
    space.tool("one", "exit 0", kind=".ps1")
    space.tool("two", OK)
    space.rule("linting", "one", "two")
    space.env["PATH"] = "/usr/bin:/bin"
    routed = space.route("linting", code=0)
    assert states(routed) == [("one", "missing"), ("two", "ok")]
    assert "needs pwsh, which is not on PATH" in routed["attempts"][0]["message"]


def test_powershell_is_there(space: AimSpace) -> None:
    """It is started with the script. (A stand-in: PowerShell is in no package index.)"""
    shell = space.root.parent / "bin/pwsh"
    shell.parent.mkdir()
    shell.write_text(f'#!/bin/sh\necho "$@" > {space.calls}\n{OK}\n')
    shell.chmod(0o755)
    space.env["PATH"] += f":{shell.parent}"
    space.tool("one", "exit 0", kind=".ps1")
    space.rule("linting", "one")
    assert space.route("linting", code=0)["success"]
    script = space.root / "aim/registry/one.ps1"
    assert space.calls.read_text() == f"-NoLogo -NoProfile -NonInteractive -File {script}\n"


def test_an_adapter_in_python_is_started_by_this_python(space: AimSpace) -> None:
    """Executable or not."""
    script = """import json, sys
request = json.load(sys.stdin)
print(json.dumps({"success": True, "message": sys.executable, "content": request}))
"""
    space.tool("one", script, kind=".py")
    (space.root / "aim/registry/one.py").chmod(0o644)
    space.rule("linting", "one")
    routed = space.route("linting", {"files": ["a"]}, code=0)
    assert routed["message"].startswith(str(BIN))
    assert routed["content"] == {"capability": "linting", "payload": {"files": ["a"]}}


def test_tools_that_are_not_there(space: AimSpace) -> None:
    """Missing, in no registry, without an adapter, or with one that is gone."""
    space.tool("gone", OK, there=False, installCommand=["get", "gone"])
    space.tool("mute", OK, adapterScript="%AIM_REGISTRY_PATH%/nothing.sh")
    space.tool("lost", OK, adapterScript="%NOWHERE%/nothing.sh")
    del space.tools["lost"]["name"]
    space.tools["lost"]["name"] = "Lost"
    space.tool("last", OK)
    space.rule("linting", "unheard-of", "gone", "mute", "lost", "last")
    routed = space.route("linting", code=0)
    assert states(routed) == [
        *((name, "missing") for name in ("unheard-of", "gone", "mute", "lost")),
        ("last", "ok"),
    ]
    told = [one["message"] for one in routed["attempts"]]
    assert "in no registry" in told[0]
    assert "to get it: get gone" in told[1]
    assert "nothing.sh is not there" in told[2]
    assert "NOWHERE, which is not set" in told[3]
    assert len(space.audits()) == 5


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_router_that_is_ended(space: AimSpace, signum: signal.Signals) -> None:
    """Its adapter ends with it, and the audit trail says so."""
    marker = f"8{os.getpid()}"
    space.tool("one", f"sleep {marker}")
    space.tool("two", OK)
    space.rule("linting", "one", "two")
    space.write("payload.json", "{}")
    space.env["TMPDIR"] = str(space.root.parent / "tmp")
    os.mkdir(space.env["TMPDIR"])
    running = space.start("wsbuild", "aim", "route", "linting", "--payload", "payload.json")
    deadline = time.monotonic() + 20
    while not space.calls.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    [entry] = space.audits()
    assert entry["result"] is None
    running.send_signal(signum)
    running.communicate(timeout=30)
    while marker in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    [entry] = space.wsbuild("aim", "audit", "--json").json["items"]
    assert (entry["tool_id"], entry["result"]["state"]) == ("one", "interrupted")
    assert space.called() == ["one"], "nobody else is asked for it"
    assert signum == signal.SIGKILL or os.listdir(space.env["TMPDIR"]) == []
