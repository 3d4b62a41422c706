"""Tools and files that are as bad as they can be, through the real commands: arguments, endings, output."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from space import Space

from wsbuild.tools.profiles import VARIABLES

NAMES = (
    "x; touch PWNED",
    "$(touch PWNED)",
    "`touch PWNED`",
    "--config=evil",
    "-",
    "a\nb",
    "a b",
    "{ws_id}",
    "{{files}}",
    "%(x)s",
    "{0.__class__}",
    "'\"",
    "Ω",
)
NOTE = "import json, pathlib, sys; pathlib.Path('argv.json').write_text(json.dumps(sys.argv[1:]))"


@pytest.fixture
def space(tmp_path: Path) -> Space:
    return Space(tmp_path / "project")


def profile(space: Space, *args: str, **fields: Any) -> None:
    """The tool profile `edit`."""
    data = {"type": "utility", "command": "{python}", "args": list(args), **fields}
    space.write("config/tool_profiles.json", json.dumps({"edit": data}))


def step(space: Space, run: str | list[str], **fields: Any) -> None:
    """A workstream `x` with one step, and one `y` behind it that does not need it."""
    space.workstream("x", files_scope=["x.txt"], steps=[{"name": "go", "run": run, "inputs": [], **fields}])
    space.copying("y", "pyproject.toml", "y.txt")


def attempt(space: Space) -> dict[str, Any]:
    """What is on record of the last attempt at the step."""
    found: dict[str, Any] = space.wsbuild("log", "ws:x", "--json").json["items"][0]
    return found


# --- arguments


def test_names_of_files_and_texts_are_arguments_whatever_is_in_them(space: Space) -> None:
    """Each at its place and once, no option, no template and no command."""
    space.write("tools/note.py", NOTE)
    for name in NAMES:
        space.write(f"{name}.txt", "")
    profile(space, "tools/note.py", "{files}", "--", "--message={message}", "{{ws_id}}", "{ws_id}")
    text = "do $(touch PWNED) `touch PWNED`; touch PWNED {files} %(x)s {0.__class__}"
    space.workstream("x", files_scope=["*.txt"], tasks=[text], steps=[{"name": "go", "tool": "edit"}])
    space.doit("run")
    files = sorted(f"{name}.txt" for name in NAMES)
    files = [f"./{name}" if name.startswith("-") else name for name in files]
    assert json.loads(space.read("argv.json")) == [*files, "--", f"--message=ws-x: {text}", "{ws_id}", "ws-x"]
    assert not list(space.root.rglob("PWNED"))


def test_an_unknown_variable_is_told_with_those_there_are(space: Space) -> None:
    """Before anything runs."""
    profile(space, "tools/note.py", "{fiels}")
    space.workstream("x", files_scope=["*.txt"], steps=[{"name": "go", "tool": "edit"}])
    for command in (["validate"], ["run"]):
        said = space.wsbuild(*command, code=2).err
        assert "{fiels}" in said
        assert "did you mean {files}?" in said
        assert "prompt_file" in said
        assert "config/tool_profiles.json" in said


def test_every_variable_that_is_accepted_has_a_value(space: Space) -> None:
    """There is one list for who checks and who fills."""
    space.write("tools/note.py", NOTE)
    plain = [name for name, value in VARIABLES.items() if isinstance(value, str)]
    profile(space, "tools/note.py", *(f"{name}={{{name}}}" for name in plain), "{files}{{}}", "{files_scope}")
    space.workstream("x", files_scope=["x.txt"], steps=[{"name": "go", "tool": "edit"}])
    space.wsbuild("run")
    given = [word.partition("=")[0] for word in json.loads(space.read("argv.json"))]
    assert given == [*plain, "x.txt"]


# --- endings


@pytest.mark.parametrize(
    ("run", "status", "code", "told"),
    [
        ("exit 1", "failed", 1, "go exited with 1"),
        ("exit 126", "failed", 126, "go exited with 126"),
        ("exit 127", "failed", 127, "go exited with 127"),
        ("exit 255", "failed", 255, "go exited with 255"),
        ("kill -KILL $$", "crashed", 137, "go was killed by signal 9"),
        ("kill -SEGV $$", "crashed", 139, "go was killed by signal 11"),
        (["nowhere-to-be-found"], "missing", 127, "nowhere-to-be-found is not on PATH"),
        (["./plain"], "missing", 126, "go cannot be started: Permission denied"),
        (["./garbage"], "missing", 126, "go cannot be started: Exec format error"),
        (["./lost"], "missing", 127, "./lost is not on PATH, or what it needs to run is not there"),
        (
            ["true", "x" * 200_000],
            "missing",
            126,
            "go cannot be started: Argument list too long",
        ),
    ],
)
def test_each_ending_has_one_status(
    space: Space, run: str | list[str], status: str, code: int, told: str
) -> None:
    """And one code, on record and told; none is tried again unasked, and what does not need it runs."""
    space.write("plain", "#!/bin/sh\n")
    space.write("garbage", "\x00\x01").chmod(0o755)
    space.write("lost", "#!/nowhere/sh\n").chmod(0o755)
    step(space, run, shell=isinstance(run, str))
    result = space.wsbuild("run", "-c", code=1)
    assert told in result.out
    assert "Traceback" not in result.err
    row = attempt(space)
    assert (row["status"], row["exit_code"], row["number"]) == (status, code, 1)
    [error] = space.wsbuild("errors", "--json").json["items"]
    assert error["code"] == status
    assert space.ran() == ["y"]


def test_a_step_is_tried_again_where_it_says_so(space: Space) -> None:
    """So often, and no more."""
    step(space, "echo tried >> tries; exit 3", shell=True, retries=2)
    space.wsbuild("run", "ws:x", code=1)
    assert space.read("tries").split() == ["tried"] * 3


STAYS = "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
HUNG = {
    "ignores what it is asked": STAYS,
    "is two sessions away and holds the output": (
        STAYS + "if os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    os.setsid()\n"
    ),
    "has closed its output": STAYS + "os.close(1); os.close(2)\n",
    "has stopped itself": STAYS + "os.kill(os.getpid(), signal.SIGSTOP)\n",
    "forks on and on": STAYS + "for _ in range(30):\n    if os.fork(): break\n",
}


@pytest.mark.parametrize("hung", HUNG)
def test_a_tool_that_hangs_is_ended_in_time_with_all_that_it_started(space: Space, hung: str) -> None:
    """The attempt is a timeout, and the next step runs."""
    marker = f"hung-{os.getpid()}-{time.monotonic_ns()}"
    space.write("config/wsbuild.yaml", "grace_sec: 0.3\n")
    code = HUNG[hung] + "time.sleep(600)\n"
    step(space, [sys.executable, "-c", code, marker], timeout_sec=1)
    result = space.wsbuild("run", "-c", code=1)
    assert "go took longer than 1 s and was ended" in result.out
    row = attempt(space)
    assert (row["status"], row["exit_code"]) == ("timeout", 124)
    # Its deadline, its grace and a second; one more, as others use this machine too.
    assert 1 <= row["duration_s"] < 1 + 0.3 + 1 + 1
    found = [path for path in Path("/proc").glob("[0-9]*/cmdline") if marker.encode() in read(path)]
    assert not found
    assert space.ran() == ["y"]


def read(path: Path) -> bytes:
    """What is in a file that may go away."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


# --- output

STEERING = b"\x1b[2J\x1b]0;title\x07\x9b31mred\r\x00\xff\xfe\x08\x7f"


def test_what_a_tool_prints_does_not_steer_the_terminal(space: Space) -> None:
    """In whatever command shows it; the log has its bytes."""
    code = f"import os, sys; os.write(1, {STEERING!r}); os.write(2, b'err\\n'); sys.exit(1)"
    step(space, [sys.executable, "-c", code])
    shown = [space.wsbuild("run", code=1)]
    shown += [space.wsbuild(*words) for words in (["log", "ws:x"], ["errors"], ["events"], ["status"])]
    shown += [space.doit("run", code=1), space.wsbuild("errors", "--json"), space.wsbuild("events", "--json")]
    for result in shown:
        text = result.out + result.err
        assert not [char for char in text if not char.isprintable() and char not in "\n\t"], text
    assert "\\x1b[2J" in shown[0].out
    assert "red\\x0d\\x00" in shown[1].out, "a carriage return would be a line end here"
    log = space.root / attempt(space)["log_path"]
    assert log.read_bytes() == STEERING + b"err\n"


def test_of_much_output_both_ends_are_kept(space: Space) -> None:
    """With how much is missing between them; what is recorded stays small."""
    space.write("config/wsbuild.yaml", "log_limit_mb: 1\n")
    code = "import sys; [print(f'line {n:09d}') for n in range(1_000_000)]; sys.exit(1)"
    step(space, [sys.executable, "-c", code])
    result = space.wsbuild("run", code=1)
    assert "line 000999999" in result.out
    assert len(result.out) < 10_000
    log = (space.root / attempt(space)["log_path"]).read_bytes()
    assert log.startswith(b"line 000000000\n")
    assert log.endswith(b"line 000999999\n")
    assert b"\n... 14000000 bytes dropped ...\n" in log
    assert len(log) < 1_000_100
    state = sum(path.stat().st_size for path in (space.root / "state").iterdir())
    assert state < 1_000_000
