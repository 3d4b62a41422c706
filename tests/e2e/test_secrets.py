"""Secrets that tools print: in nothing that is kept or shown, while the tools get them."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from space import Space

from wsbuild.atomic import FileLock

if TYPE_CHECKING:
    from pathlib import Path

CALLERS = "c4ll3r/s+ecret value"
STEPS = "st3p-secret&value%20"
LISTED = "l1sted-in-settings"
PEM = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkq" * 4,
        "hkiG9w0BAQEFAASC" * 3,
        "-----END PRIVATE KEY-----",
    ]
)
NAMES = ("CALLER_TOKEN", "STEP_PASSWORD", "LISTED", "SIGNING_KEY")

TOOL = """
import base64, hashlib, json, os, sys, time
from urllib.parse import quote

def out(data, stream=sys.stdout.buffer):
    stream.write(data)
    stream.flush()

values = {name: os.environ[name] for name in sys.argv[2].split(",")}
with open(sys.argv[1], "w") as file:
    json.dump({name: hashlib.sha256(value.encode()).hexdigest() for name, value in values.items()}, file)
for value in values.values():
    raw = value.encode()
    for at in range(len(raw)):
        out(raw[at : at + 1])
    out(b"\\n")
    time.sleep(0.05)
    out(raw[:7])
    time.sleep(0.05)
    out(raw[7:] + b"\\n")
    out(raw + b"\\n", sys.stderr.buffer)
    out(base64.b64encode(raw) + b"\\n" + base64.b64encode(b"a" + raw + b"z") + b"\\n")
    out(quote(value, safe="").encode() + b"\\n" + json.dumps({"v": value}).encode() + b"\\n")
    out(raw.hex().encode() + b"\\n" + b"." * 65530 + raw + b"\\n")
    out(b"cannot open " + raw + b".txt\\n")
out(b"the end\\n")
if "fail" in sys.argv:
    sys.exit("failed with " + values["CALLER_TOKEN"] + " and " + values["STEP_PASSWORD"])
"""


def forms(value: str) -> list[bytes]:
    """The ways the value is written that must be nowhere."""
    raw = value.encode()
    if "\n" in value:
        lines = [line.encode() for line in value.splitlines()[1:-1]]
        return [*lines, json.dumps(value)[1:-1].encode(), raw.hex().encode(), base64.b64encode(raw)[:-4]]
    inner = base64.b64encode(b"a" + raw)[2 : (1 + len(raw)) * 8 // 6]
    return [raw, base64.b64encode(raw)[:-4], inner, quote(value, safe="").encode(), raw.hex().encode()]


ALL_FORMS = [form for value in (CALLERS, STEPS, LISTED, PEM) for form in forms(value)]


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project whose tool prints every secret that it is given."""
    made = Space(tmp_path / "p")
    made.env |= {"CALLER_TOKEN": CALLERS, "LISTED": LISTED, "SIGNING_KEY": PEM, "STEP_PASSWORD": STEPS}
    made.write("config/wsbuild.yaml", "secrets: [LISTED]\n")
    made.write("tool.py", TOOL)
    return made


def leaking(space: Space, name: str, *more: str) -> None:
    """A workstream whose step prints all secrets, and makes a file of their digests."""
    step = {
        "name": "make",
        "run": [sys.executable, "tool.py", f"{name}.json", ",".join(NAMES), *more],
        "env": list(NAMES),
        "inputs": ["tool.py"],
        "outputs": [f"{name}.json"],
    }
    space.workstream(name, files_scope=[f"{name}.json"], steps=[step])


def found_in(data: bytes) -> list[bytes]:
    """The secrets in some bytes."""
    return [form for form in ALL_FORMS if form in data]


def assert_clean(space: Space, but: str = "") -> None:
    """No file that wsbuild keeps, by its content or name, holds a secret; leaving out those named `but`."""
    files = [
        path for top in ("state", ".wsbuild") for path in (space.root / top).rglob("*") if path.is_file()
    ]
    assert any(path.suffix == ".log" for path in files)
    assert any(path.suffix == ".db" for path in files)
    for path in (path for path in files if path.name != but):
        assert found_in(path.read_bytes() + str(path).encode()) == [], path


def test_no_secret_is_kept_or_shown(space: Space) -> None:
    """Of steps that end well and that fail: while their tools get the right values."""
    leaking(space, "good")
    leaking(space, "bad", "fail")
    ran = space.wsbuild("run", "-c", code=1)
    assert "STEP_PASSWORD" in ran.out
    digests = json.loads(space.read("good.json"))
    wanted = dict(zip(NAMES, (CALLERS, STEPS, LISTED, PEM), strict=True))
    assert digests == {name: hashlib.sha256(value.encode()).hexdigest() for name, value in wanted.items()}
    assert_clean(space)
    asked = (
        *(["log", "good"], ["log", "bad"], ["explain", "bad"], ["errors"], ["events"], ["runs"], ["status"]),
        *(["log", "bad", "--json"], ["errors", "--json"], ["events", "--json"], ["explain", "bad", "--json"]),
        ["run", "bad", "--json"],
    )
    shown = [ran, *(space.wsbuild(*words, code=None) for words in asked)]
    shown.append(space.doit("run", "ws:bad", code=None))
    for result in shown:
        assert found_in(result.out.encode() + result.err.encode()) == [], result
    assert "[redacted:CALLER_TOKEN]" in space.wsbuild("log", "bad").out
    assert "the end" in space.wsbuild("log", "good").out


def test_what_is_restored_holds_none(space: Space) -> None:
    """The log that the cache keeps is the redacted one."""
    leaking(space, "good")
    space.wsbuild("run")
    (space.root / "good.json").unlink()
    assert "restored" in space.wsbuild("run").out
    assert "[redacted:CALLER_TOKEN]" in space.wsbuild("log", "good").out
    assert_clean(space)


def test_a_log_from_elsewhere_is_redacted_by_the_rules_here(space: Space) -> None:
    """Where a result was kept, its log's secrets may have been unknown."""
    space.write("config/wsbuild.yaml", "secrets: []\n")
    step = {"name": "make", "shell": True, "run": "echo $LISTED; echo 1 > x.txt", "env": ["LISTED"]}
    space.workstream("x", files_scope=["x.txt"], steps=[{**step, "inputs": [], "outputs": ["x.txt"]}])
    space.wsbuild("run")
    assert LISTED in space.wsbuild("log", "x").out
    (space.root / "x.txt").unlink()
    space.write("config/wsbuild.yaml", "secrets: [LISTED]\n")
    assert "restored" in space.wsbuild("run").out
    assert space.wsbuild("log", "x").out.endswith("[redacted:LISTED]\n")


def test_a_value_in_the_bundle_is_secret_by_its_name(space: Space) -> None:
    """Given by the `env` of a step."""
    value = "only-in-the-bundle"
    step = {
        "name": "make",
        "shell": True,
        "run": 'echo "$MY_SECRET" | tee /dev/stderr; exit 3',
        "env": {"MY_SECRET": value},
        "inputs": [],
        "outputs": ["x.txt"],
    }
    space.workstream("x", files_scope=["x.txt"], steps=[step])
    ran = space.wsbuild("run", code=1)
    assert value not in ran.out + ran.err
    assert "[redacted:MY_SECRET]" in ran.out
    kept = [path for path in (space.root / ".wsbuild").rglob("*") if path.is_file() and path.name != "plan"]
    for path in [*kept, *(space.root / "state").iterdir()]:
        assert value.encode() not in path.read_bytes(), path


def test_what_cannot_be_started_is_told_without_it(space: Space) -> None:
    """The command lines in the record and in the message, and wsbuild's own words."""
    step = {"name": "make", "run": [f"./{LISTED}", CALLERS], "inputs": [], "outputs": ["x.txt"]}
    space.workstream("x", files_scope=["x.txt"], steps=[step])
    ran = space.doit("run", "x", f"option={CALLERS}", code=None)
    assert "[redacted:LISTED]" in ran.out
    assert "option=[redacted:CALLER_TOKEN]" in space.wsbuild("events", "--json").out
    assert_clean(space, but="plan")
    asked = space.wsbuild("run", f"no-{CALLERS}", code=2)
    assert "[redacted:CALLER_TOKEN]" in asked.err
    doit = space.doit("run", f"no-{CALLERS}", code=None)
    for text in (ran.out, ran.err, asked.out, asked.err, doit.out, doit.err):
        assert found_in(text.encode()) == []


def test_a_prompt_holds_no_secret(space: Space) -> None:
    """What the tool reads is what is kept; so is a prompt to fix what a check printed."""
    profile = {"type": "ai", "command": "sh", "args": ["-c", "cat {prompt_file}; date +%N > s/f", "x"]}
    check = {
        "type": "static-check",
        "command": "sh",
        "args": ["-c", "echo $LISTED; exit 1"],
        "env": {"LISTED": None},
    }
    space.write("config/tool_profiles.json", json.dumps({"edit": profile, "check": check}))
    space.write("config/wsbuild.yaml", "secrets: [LISTED]\npipeline: {static: [check]}\n")
    space.workstream("s", tasks=[f"use {CALLERS}"], isolation="none")
    (space.root / "s").mkdir()
    space.wsbuild("run", code=1)
    prompts = sorted((space.root / ".wsbuild" / "prompts").rglob("*.txt"))
    texts = [path.read_text() for path in prompts]
    assert len(texts) >= 2
    assert all("[redacted:CALLER_TOKEN]" in text for text in texts)
    assert any("[redacted:LISTED]" in text for text in texts)
    assert "use [redacted:CALLER_TOKEN]" in space.wsbuild("log", "ws:s:edit").out
    for path in [*prompts, *(space.root / ".wsbuild" / "logs").rglob("*.log")]:
        assert found_in(path.read_bytes()) == [], path
    for path in (space.root / "state").iterdir():
        assert LISTED.encode() not in path.read_bytes(), path


def test_what_has_nothing_to_do_does_not_look_for_secrets(space: Space) -> None:
    """Neither a run with steps for which nothing is configured, nor a listing pays for it."""
    space.workstream("d", tool="echo", isolation="none")
    space.copying("a", "tool.py", "b.py")
    space.doit()
    for words in (["run"], ["list"]):
        asked = space.doit(*words, env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert "wsbuild.plan.cached" in asked.err
        assert "wsbuild.tools.redact" not in asked.err


def test_names_of_files_are_not_told(space: Space) -> None:
    """In events, reasons and messages, though the file is recorded by its name."""
    step = {"name": "make", "shell": True, "run": f"mkdir out; echo > out/{LISTED}", "inputs": ["in/"]}
    space.workstream("x", files_scope=["out/"], steps=[{**step, "outputs": ["out/"]}])
    moving = {**step, "run": f"date +%N > in/{LISTED}; touch y.txt", "outputs": ["y.txt"]}
    space.workstream("y", files_scope=["y.txt"], steps=[moving])
    reading = {"name": "make", "run": "true", "inputs": [f"no/{LISTED}"], "outputs": ["z.txt"]}
    space.workstream("z", files_scope=["z.txt"], steps=[reading])
    space.write(f"in/{LISTED}", "0")
    ran = [space.wsbuild("run", "y"), space.wsbuild("run", "z", code=1)]
    for text in ("1", "2", "1"):
        space.write(f"in/{LISTED}", text)
        if text == "2":
            space.write(f"out/{LISTED}", "somebody's")
        ran.append(space.wsbuild("run", "x"))
    asked = ("events", "errors", "runs", "log y", "log z")
    shown = [space.wsbuild(*words.split(), "--json") for words in asked]
    for result in [*ran, *shown]:
        assert LISTED not in result.out + result.err, result
    assert "out/[redacted:LISTED]" in shown[0].out
    assert "input changed while running: in/[redacted:LISTED]" in ran[0].out
    assert "input changed while running: in/[redacted:LISTED]" in shown[3].out
    assert "input no/[redacted:LISTED] is missing" in ran[1].out
    assert "input changed: in/[redacted:LISTED]" in ran[3].out
    assert "restored" in ran[4].out
    assert "moved aside" in ran[3].out
    recorded = sqlite3.connect(space.root / "state" / "pipeline_state.db")
    reasons = [reason for (reason,) in recorded.execute("SELECT reason FROM attempts")]
    recorded.close()
    assert "input changed: in/[redacted:LISTED]" in reasons
    assert not any(LISTED in reason for reason in reasons)


def test_what_does_not_land_is_told_without_it(space: Space) -> None:
    """A file that cannot land, named by a secret."""
    step = {"name": "make", "run": f"ln -s tool.py out/{LISTED}", "inputs": []}
    space.workstream("x", files_scope=["out/"], isolation="worktree", steps=[step])
    space.write("out/first", "")
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "begin")
    ran = space.wsbuild("run", code=1)
    assert "out/[redacted:LISTED] is no plain file" in ran.out
    errors = space.wsbuild("errors", "--json").out
    assert "out/[redacted:LISTED] is no plain file" in errors
    assert LISTED not in ran.out + ran.err + errors


def test_what_wsbuild_itself_says_holds_none(space: Space) -> None:
    """Its warnings, who is waited for, and why a run could not go on."""
    space.copying("x", "tool.py", "b.py")
    space.write(LISTED, "")
    warned = space.wsbuild("run", env={"WSBUILD_CACHE_DIR": LISTED})
    assert "the cache" in warned.err
    assert "[redacted:LISTED]" in warned.err
    (space.root / "b.py").unlink()
    holder = FileLock(str(space.root / ".wsbuild" / "lock"), f"run with {LISTED}")
    holder.acquire()
    busy = space.wsbuild("run", "--no-wait", code=75)
    holder.release()
    assert "[redacted:LISTED]" in busy.err
    assert LISTED not in warned.err + busy.err


def test_the_report_of_a_bug_holds_none(space: Space) -> None:
    """Neither the message nor the file to be sent."""
    broken = "app.app = lambda **_: {}[app.os.environ['CALLER_TOKEN']]"
    code = f"from wsbuild.cli import app, entry; {broken}; entry.main()"
    ran = space.run("python", "-c", code, code=70, env={"TMPDIR": str(space.root)})
    (report,) = space.root.glob("wsbuild-bug-*.txt")
    for text in (ran.err, report.read_text()):
        assert "KeyError" in text
        assert "[redacted:CALLER_TOKEN]" in text
        assert found_in(text.encode()) == []
