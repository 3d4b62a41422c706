"""Nothing that a tool starts may outlive it, however it tries."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wsbuild.tools import process, supervisor
from wsbuild.tools.link import Link, encode

if TYPE_CHECKING:
    from marked import Marked

READY = "print('ready', flush=True)\n"
FOREVER = "while True: signal.pause()\n"
IMPORTS = "import os, signal, sys, time\n"
STOPPED = "os.waitpid(child, os.WUNTRACED)\n" + READY + FOREVER
IGNORE = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"

# Each prints `ready` once it is as bad as it will get, and then stays.
HAZARDS = {
    "waits": READY + FOREVER,
    "ignores TERM": IGNORE + READY + FOREVER,
    "forks": "os.fork()\n" + IGNORE + READY + FOREVER,
    "sets a session": "if os.fork() == 0:\n    os.setsid()\n" + IGNORE + READY + FOREVER,
    "sets two sessions and is orphaned": (
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    os.setsid()\n" + IGNORE + READY + FOREVER + FOREVER
    ),
    "closes its output": READY + IGNORE + "os.close(1); os.close(2)\n" + FOREVER,
    "is stopped": ("child = os.fork()\nif child == 0:\n    os.kill(os.getpid(), signal.SIGSTOP)\n" + STOPPED),
    "stops itself": READY + "os.kill(os.getpid(), signal.SIGSTOP)\n" + FOREVER,
    "forks when it is ended": (
        "def again(*_):\n"
        "    if os.fork() == 0: os.setsid()\n"
        "signal.signal(signal.SIGTERM, again)\n" + READY + FOREVER
    ),
    "forks and forks": (
        "for _ in range(40):\n"
        "    if os.fork(): break\n"
        "    os.setsid()\n"
        "else:\n"
        "    print('ready', flush=True)\n" + IGNORE + FOREVER
    ),
    "leads a chain of a hundred": (
        "for _ in range(100):\n    if os.fork(): break\nelse:\n    print('ready', flush=True)\n" + FOREVER
    ),
}


def cancel_when_ready(piece: bytes) -> None:
    """End the run as soon as the tool says that it is ready."""
    if b"ready" in piece:
        process.cancel_all(signal.SIGINT)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_cancel_leaves_nothing(marked: Marked, hazard: str) -> None:
    """A canceled tool is interrupted, and nothing of it is left."""
    command = marked.python(IMPORTS + HAZARDS[hazard])
    result = process.run(command, log=None, echo=cancel_when_ready)
    assert (result.state, result.exit_code, result.signal) == ("interrupted", 130, signal.SIGINT)
    assert marked.pids() == []
    assert b"ready" in result.output


@pytest.mark.parametrize(
    "hazard", ["waits", "ignores TERM", "sets two sessions and is orphaned", "is stopped"]
)
def test_deadline_leaves_nothing(marked: Marked, hazard: str) -> None:
    """A tool that takes too long is a timeout, nothing of it is left and the next one runs."""
    command = marked.python(IMPORTS + HAZARDS[hazard], timeout_sec=1.5)
    result = process.run(command, log=None)
    assert b"ready" in result.output
    assert (result.state, result.exit_code) == ("timeout", 124)
    assert marked.pids() == []
    assert process.run(marked.command("true"), log=None).state == "ok"


@pytest.mark.parametrize("hazard", HAZARDS)
def test_killed_owner_leaves_nothing(marked: Marked, hazard: str) -> None:
    """When the process that runs the tool is killed with -9, tool and supervisor go too."""
    owner = (
        "import os, sys\n"
        "from wsbuild.tools import process\n"
        "command = process.Command(argv=(sys.executable, '-c', sys.argv[1]), env=dict(os.environ), cwd='/')\n"
        "process.run(command, log=None, echo=lambda piece: os.write(1, piece))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", owner, IMPORTS + HAZARDS[hazard]],
        env={**marked.env, "PYTHONPATH": str(Path(process.__file__).parents[2])},
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        assert len(marked.pids()) >= 3
        running.kill()
    assert marked.gone()


@pytest.mark.parametrize("is_canceled", [False, True])
def test_killed_owner_leaves_no_time(marked: Marked, is_canceled: bool) -> None:
    """Nobody is there any more for whom a tool could tidy up in its grace."""
    owner = (
        "import os, sys\n"
        "from wsbuild.tools import process\n"
        "argv = sys.executable, '-c', sys.argv[1]\n"
        "command = process.Command(argv, dict(os.environ), '/', grace_sec=60)\n"
        "def echo(piece):\n"
        "    if b'ready' in piece and sys.argv[2:]: process.cancel_all(15)\n"
        "    os.write(1, piece)\n"
        "process.run(command, log=None, echo=echo)\n"
    )
    tell = "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'term\\n'))\n"
    words = [sys.executable, "-c", owner, IMPORTS + tell + READY + FOREVER]
    with subprocess.Popen(
        [*words, "cancel"] if is_canceled else words,
        env={**marked.env, "PYTHONPATH": str(Path(process.__file__).parents[2])},
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        if is_canceled:
            assert running.stdout.readline() == b"term\n"
        running.kill()
    assert marked.gone()


def test_a_late_cancel_ends_nothing(marked: Marked) -> None:
    """It was meant for a command that had ended: the next one runs."""
    ours, theirs = socket.socketpair()
    words = [sys.executable, supervisor.__file__, str(theirs.fileno())]
    with theirs, subprocess.Popen(words, env=marked.env, pass_fds=[theirs.fileno()]), ours:
        theirs.close()
        link = Link(ours)
        for _ in range(2):
            link.ask(b"")
            with open(os.devnull, "w") as output:
                link.ask(encode(["true"], marked.env, "/", 0, 0), [output.fileno()])
            answers: list[str] = []
            while answers[:1] not in (["ended"], ["lost"]):
                answers = next(reversed(list(link.hear())), answers)
            assert answers == ["ended", "exited", "0", "0", "clean"]


def test_lost_supervisor_is_a_crash(marked: Marked) -> None:
    """When the supervisor itself is killed, the tool is ended and the next command gets another."""
    tools = []

    def kill_supervisor(piece: bytes) -> None:
        os.kill(int(piece), signal.SIGKILL)

    command = marked.python(IMPORTS + "print(os.getppid(), flush=True)\n" + FOREVER)
    for _ in range(10):  # that it is dead shows only some time after its socket has closed
        process.run(command, log=None, echo=kill_supervisor)
    result = process.run(command, log=None, on_start=lambda pid, _: tools.append(pid), echo=kill_supervisor)
    assert (result.state, result.exit_code, result.signal) == ("crashed", 137, signal.SIGKILL)
    assert len(tools) == 1
    assert marked.gone()
    assert process.run(marked.command("true"), log=None).state == "ok"


def test_signals_to_the_supervisor_are_not_for_it(marked: Marked) -> None:
    """Who ends a whole group of processes does not make the supervisor leave its tool alone."""
    code = IMPORTS + (
        "for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): os.kill(os.getppid(), signum)\n"
        "print('done')\n"
    )
    result = process.run(marked.python(code), log=None)
    assert (result.state, result.output) == ("ok", b"done\n")
    assert process.run(marked.python(code), log=None).state == "ok"


def test_leftovers_are_ended_and_counted(marked: Marked) -> None:
    """What holds the output open after the tool's exit is ended; the tool's result stands."""
    code = IMPORTS + "if os.fork() == 0:\n    os.setsid()\n    signal.pause()\nprint('done')\n"
    result = process.run(marked.python(code), log=None)
    assert (result.state, result.exit_code, result.leftovers) == ("ok", 0, 1)
    assert result.output == b"done\n"
    assert marked.pids() == []


def test_the_dead_are_no_leftovers(marked: Marked) -> None:
    """Who lives on may have children that nobody has collected."""
    code = IMPORTS + (
        "source, sink = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0: os._exit(0)\n"
        "    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)\n"
        "    os.write(sink, b'x')\n"
        "    signal.pause()\n"
        "os.read(source, 1)\n"
    )
    result = process.run(marked.python(code), log=None)
    assert (result.state, result.leftovers) == ("ok", 1)
    assert marked.pids() == []


def test_leftovers_are_ended_after_a_failure(marked: Marked) -> None:
    """A failed tool leaves nothing either."""
    code = IMPORTS + "if os.fork() == 0:\n" + "    " + IGNORE + "    signal.pause()\nsys.exit(3)\n"
    result = process.run(marked.python(code), log=None)
    assert (result.state, result.exit_code, result.leftovers) == ("failed", 3, 1)
    assert marked.pids() == []


def test_stdin_is_at_its_end(marked: Marked) -> None:
    """A tool that waits on its input gets the end of the file, not the caller's terminal."""
    result = process.run(marked.command("cat"), log=None)
    assert (result.state, result.output) == ("ok", b"")


TIDY = """
def tidy(*_):
    open('tidied', 'w').close()
    sys.exit(0)
"""


def test_grace_lets_a_tool_tidy_up(marked: Marked, tmp_path: Path) -> None:
    """A tool that acts on TERM within its grace is not killed."""
    code = IMPORTS + TIDY + "signal.signal(signal.SIGTERM, tidy)\n" + READY + FOREVER
    result = process.run(marked.python(code, grace_sec=30), log=None, echo=cancel_when_ready)
    assert result.state == "interrupted"
    assert (tmp_path / "tidied").exists()


def test_who_is_stopped_can_tidy_up(marked: Marked, tmp_path: Path) -> None:
    """A process that was stopped is continued, so that it can act on TERM too."""
    child = "    signal.signal(signal.SIGTERM, tidy)\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    code = IMPORTS + TIDY + "child = os.fork()\nif child == 0:\n" + child + STOPPED
    result = process.run(marked.python(code, grace_sec=30), log=None, echo=cancel_when_ready)
    assert result.state == "interrupted"
    assert result.duration_s < 30
    assert (tmp_path / "tidied").exists()


def test_one_supervisor_serves_many(marked: Marked) -> None:
    """Commands after each other run under the same supervisor."""
    found = {process.run(marked.command("sh", "-c", "echo $PPID"), log=None).output for _ in range(5)}
    assert len(found) == 1


def test_who_is_dismissed_ends(marked: Marked) -> None:
    """Without being waited for; the next command gets another."""
    asking = marked.command("sh", "-c", "echo $PPID")
    pid = int(process.run(asking, log=None).output)
    ended = os.pidfd_open(pid)
    try:
        process.dismiss()
        assert select.select([ended], [], [], 10.0)[0]
    finally:
        os.close(ended)
    again = process.run(asking, log=None)
    assert again.state == "ok"
    assert int(again.output) != pid


def test_tool_is_alone_in_its_session(marked: Marked) -> None:
    """The terminal's signals do not reach a tool."""
    code = "import os; print(os.getsid(0) == os.getpid())"
    assert process.run(marked.python(code), log=None).output == b"True\n"


def test_no_descriptor_leaks(marked: Marked, tmp_path: Path) -> None:
    """Neither tool nor supervisor gets a lock or a database that the caller has open."""
    process.shutdown()
    lock = os.open(tmp_path / "the-lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    try:
        own = process.run(marked.command("ls", "/proc/self/fd"), log=None).output.split()
        listing = process.run(marked.command("sh", "-c", "ls -l /proc/$PPID/fd"), log=None).output
    finally:
        os.close(lock)
    assert own == [b"0", b"1", b"2", b"3"]  # 3 is the directory that `ls` reads
    assert listing.count(b"/dev/null") == 3
    assert b"the-lock" not in listing


def test_signals_are_as_a_tool_expects(marked: Marked) -> None:
    """No signal that Python or the supervisor handles is ignored or blocked in the tool."""
    shell = marked.command("sh", "-c", "cat /proc/self/status")
    status = process.run(shell, log=None).output.decode()
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    ours = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    mask = sum(1 << (signum - 1) for signum in ours)
    assert int(masks["SigBlk"], 16) == 0
    assert int(masks["SigIgn"], 16) & mask == 0
