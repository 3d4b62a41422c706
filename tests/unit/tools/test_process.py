"""Running commands: how they end, what they write, what they get."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wsbuild.atomic import process_start
from wsbuild.errors import StateError, UserError
from wsbuild.tools import process
from wsbuild.tools.command import ending
from wsbuild.tools.redact import Redactor, Secret

if TYPE_CHECKING:
    from marked import Marked

PACKAGE = str(Path(process.__file__).parents[2])
WAIT = "import signal\nprint('ready', flush=True)\nwhile True: signal.pause()\n"


@pytest.mark.parametrize(
    ("script", "success", "state", "code", "signum"),
    [
        ("exit 0", (0,), "ok", 0, None),
        ("exit 1", (0,), "failed", 1, None),
        ("exit 126", (0,), "failed", 126, None),
        ("exit 127", (0,), "failed", 127, None),
        ("exit 255", (0,), "failed", 255, None),
        ("exit 5", (0, 5), "ok", 5, None),
        ("exit 0", (1,), "failed", 0, None),
        ("kill -KILL $$", (0,), "crashed", 137, signal.SIGKILL),
        ("kill -TERM $$", (0,), "crashed", 143, signal.SIGTERM),
        ("kill -SEGV $$", (0, 139), "crashed", 139, signal.SIGSEGV),
    ],
)
def test_endings(
    marked: Marked, script: str, success: tuple[int, ...], state: str, code: int, signum: int | None
) -> None:
    """Each way to end has one state and one code."""
    result = process.run(marked.command("sh", "-c", script), log=None, success=success)
    assert (result.state, result.exit_code, result.signal) == (state, code, signum)
    assert result.duration_s > 0


@pytest.mark.parametrize(
    ("name", "mode", "content", "code"),
    [
        ("absent", None, b"", 127),
        ("file/below", None, b"", 127),
        ("plain", 0o644, b"#!/bin/sh\n", 126),
        ("garbage", 0o755, b"\x00\x01\x02", 126),
        ("headless", 0o755, b"exit 0\n", 126),
        ("lost-interpreter", 0o755, b"#!/nowhere/sh\n", 127),
    ],
)
def test_what_cannot_be_started_is_missing(
    marked: Marked, tmp_path: Path, name: str, mode: int | None, content: bytes, code: int
) -> None:
    """A program that is not there, or is none, is missing, and the log says why."""
    (tmp_path / "file").touch()
    if mode is not None:
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    log = tmp_path / "log"
    result = process.run(marked.command(f"./{name}"), log=str(log))
    assert (result.state, result.exit_code) == ("missing", code)
    assert result.output.startswith(f"cannot start ./{name}: ".encode())
    assert log.read_bytes() == result.output


def test_missing_on_path(marked: Marked) -> None:
    """A name is looked for on the PATH that the command gets, not on the caller's."""
    found = process.run(marked.command("sh", "-c", "exit 0"), log=None)
    assert found.state == "ok"
    lost = process.run(marked.command("sh", "-c", "exit 0", env={"PATH": "/nowhere"}), log=None)
    assert (lost.state, lost.exit_code) == ("missing", 127)


def test_path_is_gone_through_to_the_end(marked: Marked, tmp_path: Path) -> None:
    """What cannot be executed does not hide a program further on; without another, it is the cause."""
    for folder, mode in (("plain", 0o644), ("program", 0o755)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").write_text(f"#!/bin/sh\necho {folder}\n")
        (tmp_path / folder / "tool").chmod(mode)
    first = f"/nowhere:{tmp_path}/plain"
    found = process.run(marked.command("tool", env={"PATH": f"{first}:{tmp_path}/program"}), log=None)
    assert (found.state, found.output) == ("ok", b"program\n")
    lost = process.run(marked.command("tool", env={"PATH": f"{first}:/nowhere/else"}), log=None)
    assert (lost.exit_code, lost.output) == (126, b"cannot start tool: Permission denied\n")


def test_missing_directory(marked: Marked) -> None:
    """A working directory that is not there is told as that, not as a missing program."""
    result = process.run(marked.command("true", cwd="/nowhere/at/all"), log=None)
    assert (result.state, result.exit_code) == ("missing", 126)
    assert result.output == b"cannot enter /nowhere/at/all: No such file or directory\n"


def test_one_argument_that_is_too_long(marked: Marked) -> None:
    """What the kernel will not take is told, and the next command runs."""
    result = process.run(marked.command("true", "x" * 3_000_000), log=None)
    assert (result.state, result.exit_code) == ("missing", 126)
    assert b"Argument list too long" in result.output
    assert process.run(marked.command("true"), log=None).state == "ok"


def test_a_million_bytes_of_arguments(marked: Marked) -> None:
    """Many arguments arrive whole and in order."""
    arguments = [f"{i:0100d}" for i in range(10_000)]
    code = "import sys; print(*sys.argv[1:])"
    result = process.run(marked.command(sys.executable, "-c", code, *arguments), log=None)
    assert result.output_bytes == 10_000 * 101
    assert result.output.endswith(b" ".join(a.encode() for a in arguments)[-1000:] + b"\n")


@pytest.mark.parametrize(
    "fields", [{"argv": ()}, {"argv": ("",)}, {"argv": ("a\0b",)}, {"cwd": "a\0"}, {"env": {"A": "\0"}}]
)
def test_what_is_no_command_is_refused(fields: dict[str, object]) -> None:
    """What no process can be given is the user's error, told before anything is started."""
    given: dict[str, object] = {"argv": ("true",), "env": {}, "cwd": "/", **fields}
    with pytest.raises(UserError):
        process.run(process.Command(**given), log=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "A=B"])
def test_variables_need_names(name: str) -> None:
    """A variable that could not be told from another is refused."""
    with pytest.raises(UserError, match="variable"):
        process.run(process.Command(argv=("true",), env={name: "x"}, cwd="/"), log=None)


def test_environment_is_exactly_what_was_given(marked: Marked) -> None:
    """The tool sees the command's variables, in any encoding, and none of the caller's."""
    env = {"A": "1=2", "B": "\udcff", "C": "a\nb", "PATH": "/usr/bin:/bin"}
    result = process.run(marked.command("env", "-0", env=env), log=None)
    assert sorted(result.output.split(b"\0")[:-1]) == [b"A=1=2", b"B=\xff", b"C=a\nb", b"PATH=/usr/bin:/bin"]


def test_arguments_and_directory_keep_their_bytes(marked: Marked, tmp_path: Path) -> None:
    """Names that are no UTF-8 reach the tool as they are on disk."""
    odd = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(odd)
    command = marked.command("sh", "-c", 'pwd; printf %s "$1"', "sh", "\udcfe\n", cwd=os.fsdecode(odd))
    assert process.run(command, log=None).output == odd + b"\n\xfe\n"


@pytest.mark.parametrize("size", [1, 3_000_000])
def test_input_arrives_whole(marked: Marked, size: int) -> None:
    """What a command is to read has no size limit and cannot block."""
    data = os.urandom(size)
    result = process.run(marked.command("cat", stdin=data), log=None)
    assert result.output_bytes == size
    assert result.output == data[-65536:]


def test_output_is_kept_byte_for_byte(marked: Marked, tmp_path: Path) -> None:
    """Invalid UTF-8, NULs, escapes and carriage returns are in the log as written, both streams."""
    data = bytes(range(256)) + b"\r\n\x1b[31m\x00"
    log = tmp_path / "log"
    code = f"import os; os.write(1, {data!r}); os.write(2, b'err')"
    result = process.run(marked.python(code), log=str(log))
    assert log.read_bytes() == result.output == data + b"err"
    assert (result.output_bytes, result.dropped_bytes) == (len(data) + 3, 0)


def test_huge_output_needs_little_memory(tmp_path: Path, full: bool) -> None:
    """Of 200 MB (1 GB in the full run) on one line the log keeps both ends, in less than 100 MB of memory."""
    size = 1_000_000_000 if full else 200_000_000
    code = (
        "import re, sys\n"
        "from wsbuild.tools import process\n"
        f"argv = ('head', '-c', '{size}', '/dev/zero')\n"
        "command = process.Command(argv=argv, env={'PATH': '/usr/bin:/bin'}, cwd='/')\n"
        "result = process.run(command, log=sys.argv[1])\n"
        "process.shutdown()\n"
        # getrusage(2) would count the process that this one was forked from.
        "peak = int(re.search('VmHWM:[^0-9]*([0-9]+)', open('/proc/self/status').read())[1])\n"
        "print(peak // 1024, result.state, result.output_bytes, result.dropped_bytes)\n"
    )
    log = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-c", code, str(log)],
        env={"PYTHONPATH": PACKAGE},
        check=True,
        capture_output=True,
    )
    peak, state, total, dropped = done.stdout.split()
    assert int(peak) < 100
    assert (state, int(total), int(dropped)) == (b"ok", size, size - process.CAP)
    marker = b"\n... %d bytes dropped ...\n" % int(dropped)
    assert log.stat().st_size == process.CAP + len(marker)
    assert marker in log.read_bytes()


def test_nothing_in_a_large_pipe_is_lost(marked: Marked) -> None:
    """What a tool wrote right before its end is taken, also when it made the pipe larger."""
    code = (
        "import fcntl, os\n"
        "os.write(1, b'x')\n"
        "size = fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 2**20)\n"
        "os.write(1, bytes(size // 2))\n"
    )
    tools: list[int] = []

    def wait_for_end(_: bytes) -> None:
        select.select([tools[0]], [], [])

    result = process.run(
        marked.python(code),
        log=None,
        on_start=lambda pid, _: tools.append(os.pidfd_open(pid)),
        echo=wait_for_end,
    )
    os.close(tools[0])
    assert result.output_bytes == 1 + 2**19


def test_commands_share_a_log(marked: Marked, tmp_path: Path) -> None:
    """What the next command of a step writes comes after what the one before wrote."""
    log = tmp_path / "log"
    for word in ("one", "two"):
        process.run(marked.command("echo", word), log=str(log))
    assert log.read_bytes() == b"one\ntwo\n"


def test_start_is_told(marked: Marked) -> None:
    """Who records the attempt gets the pid and the start time by which the process is known."""
    told: list[tuple[int, int, int]] = []

    def on_start(pid: int, start: int) -> None:
        told.append((pid, start, process_start(pid)))

    def echo(_: bytes) -> None:
        process.cancel_all(signal.SIGINT)

    result = process.run(marked.python(WAIT), log=None, on_start=on_start, echo=echo)
    assert result.state == "interrupted"
    [(pid, start, seen)] = told
    assert pid > 0
    assert start == seen > 0


def test_an_error_of_the_caller_ends_the_tool(marked: Marked) -> None:
    """When the caller cannot record the start, the tool does not go on unrecorded."""

    def on_start(_pid: int, _start: int) -> None:
        raise StateError("cannot record")

    with pytest.raises(StateError, match="cannot record"):
        process.run(marked.python(WAIT), log=None, on_start=on_start)
    assert marked.pids() == []
    assert process.run(marked.command("true"), log=None).state == "ok"


def test_a_full_disk_ends_the_tool(marked: Marked) -> None:
    """When the log cannot be written the tool is ended, and the error names the log."""
    with pytest.raises(StateError, match="/dev/full"):
        process.run(marked.python(WAIT), log="/dev/full")
    assert marked.pids() == []


def test_cancel_ends_all_and_lasts(marked: Marked) -> None:
    """A cancel ends what runs in every thread, and nothing starts before the shutdown."""
    ready = threading.Barrier(4)

    def echo(_: bytes) -> None:
        ready.wait()

    def run() -> process.Result:
        return process.run(marked.python(WAIT), log=None, echo=echo)

    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(run) for _ in range(3)]
        ready.wait()
        process.cancel_all(signal.SIGTERM)
        results = [each.result() for each in runs]
    assert [(r.state, r.exit_code, r.signal) for r in results] == [("interrupted", 130, signal.SIGTERM)] * 3
    started: list[int] = []
    late = process.run(marked.command("true"), log=None, on_start=lambda pid, _: started.append(pid))
    assert (late.state, late.signal, started) == ("interrupted", signal.SIGTERM, [])
    process.shutdown()
    assert process.run(marked.command("true"), log=None).state == "ok"


def test_shutdown_does_not_wait_for_grace(marked: Marked) -> None:
    """A shutdown kills what a cancel still waits for."""
    code = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT

    def echo(_: bytes) -> None:
        process.cancel_all(signal.SIGINT)
        process.shutdown()

    result = process.run(marked.python(code, grace_sec=3600), log=None, echo=echo)
    assert (result.state, result.exit_code) == ("interrupted", 130)
    assert marked.pids() == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_cancel_from_a_signal_handler(marked: Marked, signum: signal.Signals) -> None:
    """The handler may cancel while the main thread itself waits for the tool."""
    code = (
        "import os, signal, sys\n"
        "from wsbuild.tools import process\n"
        f"signal.signal({int(signum)}, lambda signum, frame: process.cancel_all(signum))\n"
        "argv = (sys.executable, '-c', sys.argv[1])\n"
        "command = process.Command(argv=argv, env=dict(os.environ), cwd='/')\n"
        "result = process.run(command, log=None, echo=lambda piece: os.write(1, piece))\n"
        "process.shutdown()\n"
        "print(result.state, result.exit_code, result.signal)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, WAIT],
        env={**marked.env, "PYTHONPATH": PACKAGE},
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signum)
        assert running.stdout.read() == b"interrupted 130 %d\n" % signum
    assert running.returncode == 0
    assert marked.pids() == []


def test_threads_do_not_mix(marked: Marked) -> None:
    """Commands that run at the same time get each their own output and code."""

    def run(number: int) -> tuple[int, bytes]:
        command = marked.command("sh", "-c", f"echo {number}; exit {number}")
        result = process.run(command, log=None)
        return result.exit_code, result.output

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(run, range(100)))
    assert found == [(number, b"%d\n" % number) for number in range(100)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (["unstarted", "exec", str(errno.ENOENT)], ("missing", 127, None, 0)),
        (["unstarted", "exec", str(errno.ENOTDIR)], ("missing", 127, None, 0)),
        (["unstarted", "exec", str(errno.EACCES)], ("missing", 126, None, 0)),
        (["unstarted", "exec", str(errno.ENOEXEC)], ("missing", 126, None, 0)),
        (["unstarted", "chdir", str(errno.ENOENT)], ("missing", 126, None, 0)),
        (["ended", "exited", "0", "0", "clean"], ("ok", 0, None, 0)),
        (["ended", "exited", "1280", "2", "clean"], ("ok", 5, None, 2)),
        (["ended", "exited", "256", "0", "clean"], ("failed", 1, None, 0)),
        (["ended", "exited", "11", "1", "clean"], ("crashed", 139, 11, 1)),
        (["ended", "timeout", "9", "0", "stuck"], ("timeout", 124, 9, 0)),
        (["ended", "timeout", "0", "0", "clean"], ("timeout", 124, None, 0)),
        (["ended", "cancel", "15", "0", "clean"], ("interrupted", 130, 2, 0)),
        (["cut"], ("interrupted", 130, 2, 0)),
        (["lost"], ("crashed", 137, 9, 0)),
    ],
)
def test_answers(answer: list[str], expected: tuple[object, ...]) -> None:
    """Each last answer of a supervisor means one state, code and signal."""
    found = ending(answer, (0, 5), signal.SIGINT)
    assert (found.state, found.exit_code, found.signal, found.leftovers) == expected


def test_lack_of_processes_is_no_fault_of_the_tool(marked: Marked) -> None:
    """Where no process can be made, the environment is at fault, and the step has not failed."""
    answer = ["unstarted", "fork", str(errno.EAGAIN)]
    with pytest.raises(StateError, match="Resource temporarily unavailable"):
        process._why_not(answer, marked.command("true"))


def test_what_could_not_be_asked_for_leaves_nothing(marked: Marked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a descriptor nor a supervisor: many commands may be tried."""
    process.shutdown()
    before = len(os.listdir("/proc/self/fd"))

    def fail(*_: object) -> None:
        raise OSError(errno.ENOBUFS, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(process.Link, "ask", fail)
        for _ in range(3):
            with pytest.raises(OSError, match="no room"):
                process.run(marked.command("true"), log=None)
    process.shutdown()
    assert len(os.listdir("/proc/self/fd")) == before
    assert process.run(marked.command("true"), log=None).state == "ok"


def test_tool_environment_is_an_allow_list() -> None:
    """Only the listed variables of the caller pass; what is declared always does."""
    passing = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "XDG_STATE_HOME": "/s", "no_proxy": "p"}
    secret = {"GIT_DIR": "/g", "GIT_INDEX_FILE": "i", "API_KEY": "k", "PYTHONPATH": "x", "LCX": "y"}
    declared = {"A": "1", "HOME": "/other"}
    assert process.tool_env({**passing, **secret}, declared) == {**passing, **declared}


def test_no_secret_is_echoed_or_kept(marked: Marked, tmp_path: Path) -> None:
    """Whole lines while it runs, the rest when it has ended; also of what cannot be started."""
    log, heard = tmp_path / "log", []
    redactor = Redactor([Secret("TOKEN", "the-secret-value")])
    code = "print('the-secret-value', flush=True); print('at the end: the-secret-value', end='')"
    result = process.run(marked.python(code), log=str(log), echo=heard.append, redactor=redactor)
    wanted = b"[redacted:TOKEN]\nat the end: [redacted:TOKEN]"
    assert b"".join(heard) == log.read_bytes() == result.output == wanted
    heard.clear()
    process.run(marked.command("./the-secret-value"), log=None, echo=heard.append, redactor=redactor)
    assert b"".join(heard).startswith(b"cannot start ./[redacted:TOKEN]: ")


def test_error_output_may_go_elsewhere(marked: Marked, tmp_path: Path) -> None:
    """With and without an input; the next command's does not."""
    both = "cat; echo out; echo err >&2"
    for stdin in (b"", b"in\n"):
        with open(tmp_path / "errors", "wb+") as errors:
            result = process.run(marked.command("sh", "-c", both, stdin=stdin), log=None, errors=errors)
            errors.seek(0)
            assert (result.output, errors.read()) == (stdin + b"out\n", b"err\n")
    assert process.run(marked.command("sh", "-c", both), log=None).output == b"out\nerr\n"
