"""Running a command: supervised, with a deadline, its output in a log of limited size.

It knows nothing of profiles and steps. How a command is ended is in `supervisor`; its processes are kept
here, one for each command that runs at a time.

Part of the way to the first tool, which somebody waits for before each commit: imports little. Here, and in
what it imports, `socket` and `signal` are the modules in C that those are made of: with their enumerations
and selectors they take 8 ms, a twentieth of judging a staged file.
"""

from __future__ import annotations

import os
import sys
import time

from wsbuild.errors import StateError
from wsbuild.fork import can_fork
from wsbuild.tools import supervisor
from wsbuild.tools.command import (
    INTERRUPTED_CODE,
    Command,
    Result,
    ending,
    input_file,
)
from wsbuild.tools.environment import tool_env
from wsbuild.tools.forked import Forked
from wsbuild.tools.link import ALARM, Link, Watch, encode
from wsbuild.tools.output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import socket
    import subprocess
    from collections.abc import Callable, Collection, Sequence
    from typing import BinaryIO

    from wsbuild.tools.redact import Redactor
else:
    import _signal as signal
    import _socket as socket

__all__ = [
    "Begun",
    "Command",
    "Result",
    "begin",
    "cancel_all",
    "dismiss",
    "is_canceled",
    "prepare",
    "run",
    "shutdown",
    "tool_env",
]

CAP = 16 * 2**20


class _Supervisor(Link):
    """A supervisor process and the link to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        try:
            fd = theirs.fileno()
            self._process = Forked(fd) if can_fork() else _started(fd)
        finally:
            theirs.close()

    @property
    def usable(self) -> bool:
        return not self.is_cut and self._process.poll() is None

    def close(self) -> None:
        self.cut()
        self._process.wait()
        self.socket.close()


def _started(fd: int) -> subprocess.Popen[bytes]:
    """A supervisor that serves the socket `fd`, as a program of its own."""
    import subprocess

    return subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__, str(fd)],
        pass_fds=(fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


class _Pool:
    """The supervisors. No locks, as signal handlers come here: each change is one atomic call."""

    def __init__(self) -> None:
        self.idle: list[_Supervisor] = []
        self.busy: set[_Supervisor] = set()
        self.canceled = 0

    def take(self) -> _Supervisor:
        """A supervisor for one command."""
        supervisor = self._idle_one() or _Supervisor()
        self.busy.add(supervisor)
        return supervisor

    def _idle_one(self) -> _Supervisor | None:
        while True:
            try:
                supervisor = self.idle.pop()
            except IndexError:
                return None
            if supervisor.usable:
                return supervisor
            supervisor.close()

    def give_back(self, supervisor: _Supervisor) -> None:
        """It has done its work: it is kept for the next unless it was cut."""
        self.busy.discard(supervisor)
        if supervisor.usable:
            self.idle.append(supervisor)
        else:
            supervisor.close()


_pool = _Pool()


def cancel_all(signum: int) -> None:
    """End every running command, because of `signum`, and start none until `shutdown`.

    Each `run` gives `interrupted`. May be called from a signal handler and from any thread.
    """
    _pool.canceled = signum
    try:
        os.write(ALARM[1], b"!")
    except BlockingIOError:
        pass  # it rings already


def prepare(count: int) -> None:
    """Have supervisors for so many commands at a time, which will be asked for soon: as long as there is one
    thread, each is a fork, which takes a tenth of the time of a new process.
    """
    for _ in range(count - len(_pool.idle) - len(_pool.busy)):
        _pool.idle.append(_Supervisor())


def dismiss() -> None:
    """Have supervisors that are idle end: no command will be asked for soon. Waits for none of them."""
    for each in tuple(_pool.idle):
        each.cut()


def is_canceled() -> bool:
    """Whether no command is started any more."""
    return bool(_pool.canceled)


def shutdown() -> None:
    """End all supervisors, at once with what they still run; after it, commands may start again."""
    for each in (*_pool.busy, *_pool.idle):
        each.cut()
    try:
        while True:
            _pool.idle.pop().close()
    except IndexError:
        pass  # those were all
    _pool.canceled = 0
    try:
        os.read(ALARM[0], 4096)
    except BlockingIOError:
        pass  # it did not ring


class Begun:
    """A command that was started, and that nobody listens to yet: by a supervisor, its output comes from the
    descriptor `source`.
    """

    def __init__(self, supervisor: _Supervisor, source: int) -> None:
        self._supervisor = supervisor
        self._source = source

    def follow(self, watch: Watch) -> list[str]:
        """Listen until nothing of it is left; gives the supervisor's last answer."""
        try:
            with open(self._source, "rb", buffering=0):
                answer = watch.follow(self._supervisor, self._source)
            if answer[0] == "lost" or answer[-1] == "stuck":
                self._supervisor.cut()  # dead, or with processes that nobody can kill: no good for the next
            return answer
        except BaseException:
            self._supervisor.cut()
            raise
        finally:
            _pool.give_back(self._supervisor)

    def end(self) -> None:
        """Kill what it runs: nobody wants it any more."""
        os.close(self._source)
        self._supervisor.cut()
        _pool.give_back(self._supervisor)


def begin(command: Command, errors: BinaryIO | None = None) -> Begun:
    """Start a command that `run` will be told of, its error output going to `errors` if that is given. Raises
    UserError for a command that cannot be one, OSError where no supervisor can be started.
    """
    limit = command.timeout_sec or 0.0
    request = encode(command.argv, command.env, command.cwd, limit, command.grace_sec)
    supervisor = _pool.take()
    source = -1
    try:
        with input_file(command.stdin) as given:
            source, sink = os.pipe()
            with open(sink, "wb", buffering=0):
                fds = [sink, given.fileno(), *([errors.fileno()] if errors else [])]
                supervisor.ask(request, fds if command.stdin or errors else fds[:1])
    except BaseException:
        if source >= 0:
            os.close(source)
        supervisor.cut()
        _pool.give_back(supervisor)
        raise
    return Begun(supervisor, source)


def _why_not(answer: Sequence[str], command: Command) -> str:
    """Why nothing was started; empty where something was. Raises StateError for lack of processes."""
    if answer[0] != "unstarted":
        return ""
    why = os.strerror(int(answer[2]))
    if answer[1] == "fork":
        raise StateError(f"cannot start a process: {why}", "run fewer steps at the same time")
    if answer[1] == "chdir":
        return f"cannot enter {command.cwd}: {why}\n"
    return f"cannot start {command.argv[0]}: {why}\n"


def _kill(pid: int, start: int) -> None:
    """Kill the group of a process that nobody supervises any more, if it is there."""
    from wsbuild.atomic import is_alive

    if is_alive(pid, start):
        os.killpg(pid, signal.SIGKILL)


def run(
    command: Command,
    *,
    log: str | None,
    success: Collection[int] = (0,),
    cap: int = CAP,
    on_start: Callable[[int, int], None] | None = None,
    echo: Callable[[bytes], None] | None = None,
    redactor: Redactor | None = None,
    errors: BinaryIO | None = None,
    begun: Begun | None = None,
) -> Result:
    """Run a command, or follow one that was `begun`, until nothing of it is left: neither itself nor what it
    started.

    Its output, stdout and stderr together, is appended to the file `log`; of more than `cap` bytes
    the head and the tail. With a file `errors`, stderr goes there as it is. `on_start` is told its pid
    and start time (see `atomic.process_start`), `echo` each piece of output. No secret that `redactor`
    knows is in log or output. Raises UserError for a command that cannot be one, StateError where the log
    cannot be written or no process be started, OSError where no supervisor can.
    """
    if _pool.canceled:
        if begun is not None:
            begun.end()
        return Result("interrupted", INTERRUPTED_CODE, _pool.canceled)
    began = time.monotonic()
    with Output(log, cap, redactor) as output:
        watch = Watch(output, on_start, echo)
        answer = (begun or begin(command, errors)).follow(watch)
        rest = output.flush() + output.add(os.fsencode(_why_not(answer, command)))
        if echo is not None and rest:
            echo(rest)
    if answer[0] == "lost" and watch.tool is not None:
        _kill(*watch.tool)
    result = ending(answer, success, _pool.canceled)
    result.duration_s = time.monotonic() - began
    result.output, result.output_bytes, result.dropped_bytes = output.last, output.total, output.dropped
    return result
