"""The process that tools run under: it starts them, watches the clock and ends all they started.

Run as a script by `process`, over a socket; it knows nothing of wsbuild. What a tool starts cannot
leave: on Linux orphans come to this process (prctl(2), PR_SET_CHILD_SUBREAPER) and are found by
their parents in proc(5). Elsewhere only the tool's own process group is ended.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import socket
    from collections.abc import Iterator
else:
    import _signal as signal  # see `process`
    import _socket as socket

PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform == "linux"
HEADER = 8  # bytes that tell the size of a request
FD_SIZE = 4  # bytes of a descriptor's number, see unix(7)
LINGER = 0.1  # seconds in which what a tool left behind may still end by itself
RESCAN = 0.02  # seconds between two rounds of SIGKILL
GIVE_UP = 5.0  # seconds of SIGKILL: who outlives them is another user's or hangs in the kernel
LONGEST_WAIT = 3600.0  # seconds; poll(2) takes no more than 2**31 ms
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
NO_PROCESS = (errno.EAGAIN, errno.ENOMEM)
NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


class Request:
    """One command; `timeout` and `grace` are in seconds, a `timeout` of 0 is none."""

    def __init__(
        self, timeout: float, grace: float, cwd: bytes, argv: list[bytes], env: dict[bytes, bytes]
    ) -> None:
        self.timeout = timeout
        self.grace = grace
        self.cwd = cwd
        self.argv = argv
        self.env = env


class Process:
    """What proc(5) says of a process; `start` is in clock ticks since boot."""

    def __init__(self, pid: int, state: bytes, parent: int, group: int, start: int) -> None:
        self.pid = pid
        self.state = state
        self.parent = parent
        self.group = group
        self.start = start


def parse(data: bytes) -> Request:
    """A request as it was sent: fields that end with NUL, as no argument or path can hold one."""
    timeout, grace, cwd, argc, *rest = data.split(b"\0")[:-1]
    env = (entry.partition(b"=") for entry in rest[int(argc) :])
    table = {name: value for name, _, value in env}
    return Request(float(timeout), float(grace), cwd, rest[: int(argc)], table)


def descriptors(given: list[tuple[int, int, bytes]]) -> Iterator[int]:
    """Those that came with a message."""
    for level, kind, data in given:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            for at in range(0, len(data) - FD_SIZE + 1, FD_SIZE):
                yield int.from_bytes(data[at : at + FD_SIZE], sys.byteorder)


def look(pid: int) -> Process | None:
    """The process `pid`; None where there is none, or no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command name may hold spaces and brackets: fields count from the last bracket.
            fields = file.read().rpartition(b")")[2].split()
        return Process(pid, fields[0], int(fields[1]), int(fields[2]), int(fields[19]))
    except (OSError, IndexError):
        return None


def descendants() -> list[Process]:
    """All that descends from this process, the dead that nobody collected included."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if LINUX else []
    children: dict[int, list[Process]] = {}
    for process in filter(None, map(look, pids)):
        children.setdefault(process.parent, []).append(process)
    found = children.pop(os.getpid(), [])
    for process in found:
        found += children.pop(process.pid, [])
    return found


def start(request: Request, fds: list[int]) -> tuple[int, str]:
    """Start the command, in a session of its own, with `fds`: its output, its input and, where that goes
    elsewhere, its error output.

    Gives its pid, or else why not: the stage (fork, chdir, exec) and errno(3).
    """
    try:
        os.chdir(request.cwd)  # posix_spawn(3) cannot have the command do it
    except OSError as error:
        return 0, f"chdir {error.errno}"
    try:
        return spawn(request, fds), ""
    except OSError as error:
        return 0, f"{'fork' if error.errno in NO_PROCESS else 'exec'} {error.errno}"
    finally:
        os.chdir("/")


def spawn(request: Request, fds: list[int]) -> int:
    """The same, from the present directory; no descriptor besides is inherited, as all of this process are
    made so. Raises OSError.
    """
    given: tuple[object, ...] = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    if len(fds) > 1:
        given = os.POSIX_SPAWN_DUP2, fds[1], 0
    said = (os.POSIX_SPAWN_DUP2, fds[0], 1), (os.POSIX_SPAWN_DUP2, fds[-1] if len(fds) > 2 else fds[0], 2)
    why = OSError(errno.ENOENT, "")
    for path in programs(request):
        try:
            return os.posix_spawn(
                path,
                request.argv,
                request.env,
                file_actions=(given, *said),
                setsid=True,
                setsigdef=IGNORED_BY_PYTHON,
            )
        except OSError as error:
            if error.errno not in NOT_THERE:
                why = error
    raise why


def programs(request: Request) -> list[bytes]:
    """Where the program may be, by the PATH that the command itself has."""
    name = request.argv[0]
    if b"/" in name:
        return [name]
    folders = request.env.get(b"PATH", os.fsencode(os.defpath)).split(os.fsencode(os.pathsep))
    return [os.path.join(folder, name) for folder in folders]


class Supervisor:
    """Runs one command at a time, as `lifeline` orders; when that closes, it kills all."""

    def __init__(self, lifeline: socket.socket) -> None:
        self.lifeline = lifeline
        self.tool = 0
        self.status: int | None = None
        self.order = ""
        self.wake, alarm = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(alarm, False)
        for signum in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, lambda *_: None)  # exec resets a handler, but keeps SIG_IGN
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        self.poll = select.poll()
        self.poll.register(self.wake, select.POLLIN)
        self.poll.register(lifeline, select.POLLIN)

    def serve(self) -> None:
        """Run what is asked for until nobody asks any more. Raises OSError when it is cut off."""
        while self.order != "cut":
            header, given, _, _ = self.lifeline.recvmsg(HEADER, socket.CMSG_LEN(3 * FD_SIZE))
            if not header:
                return
            if size := int.from_bytes(header, "big"):  # without size it is a late "cancel"
                self.run(parse(self.receive(size)), list(descriptors(given)))

    def receive(self, size: int) -> bytes:
        """Exactly so many bytes. Raises OSError when they do not come."""
        data = bytearray()
        while len(data) < size:
            part = self.lifeline.recv(size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return bytes(data)

    def run(self, request: Request, fds: list[int]) -> None:
        """One command, from its start until nothing of it is left."""
        self.order, self.status = "", None
        for fd in fds:
            os.set_inheritable(fd, False)
        self.tool, failure = start(request, fds)
        for fd in fds:
            os.close(fd)
        if failure:
            self.reply(f"unstarted {failure}")
            return
        process = look(self.tool)
        self.reply(f"started {self.tool} {process.start if process else 0}")
        why = self.watch(time.monotonic() + (request.timeout or float("inf")))
        left = self.end(why, 0.0 if why == "cut" else request.grace)
        self.reply(f"ended {why} {self.status or 0} {left} {'stuck' if self.reap() else 'clean'}")

    def watch(self, until: float) -> str:
        """Wait: until the tool has `exited`, for the order `cancel` or `cut`, or the `timeout`."""
        self.reap()
        while self.status is None and not self.order and time.monotonic() < until:
            self.wait(until)
            self.reap()
        return "exited" if self.status is not None else self.order or "timeout"

    def end(self, why: str, grace: float) -> int:
        """End all that still runs; gives how many the tool left behind when it `exited`."""
        left = 0
        if why == "exited":
            self.settle(LINGER)
            left = sum(process.state != b"Z" for process in descendants()) if self.reap() else 0
        if grace and self.reap():
            self.kill(signal.SIGTERM)
            self.kill(signal.SIGCONT)  # who is stopped could not act on it
            self.settle(grace)
        give_up = time.monotonic() + GIVE_UP
        while self.reap() and time.monotonic() < give_up:
            self.kill(signal.SIGKILL)
            self.wait(time.monotonic() + RESCAN)
        if not LINUX:
            self.kill(signal.SIGKILL)
        return left

    def settle(self, seconds: float) -> None:
        """Wait until nothing is left, the time is over or the lifeline is cut."""
        until = time.monotonic() + seconds
        while self.order != "cut" and self.reap() and time.monotonic() < until:
            self.wait(until)

    def reap(self) -> bool:
        """Collect who has ended; whether anybody is left. Orphans are ours, so nobody is missed."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self.tool:
                    self.status = status
        except ChildProcessError:
            return False

    def wait(self, until: float) -> None:
        """Sleep until a child ends, an order comes or the time is over."""
        seconds = min(max(until - time.monotonic(), 0.0), LONGEST_WAIT)
        for fd, _ in self.poll.poll(seconds * 1000):
            if fd == self.wake:
                os.read(self.wake, 4096)
            else:
                self.obey()

    def obey(self) -> None:
        """Take the order that has come: an empty request to cancel, or the end of the lifeline."""
        try:
            self.order = "cancel" if self.lifeline.recv(HEADER) else "cut"
        except OSError:  # it is a reset when the other side died with a reply unread
            self.order = "cut"
        if self.order == "cut":
            self.poll.unregister(self.lifeline)

    def kill(self, signum: int) -> None:
        """Signal all descendants, group by group: no member can fork itself out of that."""
        groups = {process.group for process in descendants()} if LINUX else {self.tool}
        for group in groups - {os.getpgrp()}:
            try:
                os.killpg(group, signum)
            except (ProcessLookupError, PermissionError):
                pass  # it has ended, or is somebody else's

    def reply(self, line: str) -> None:
        """Tell the other side, which may be gone."""
        try:
            self.lifeline.sendall(line.encode() + b"\n")
        except OSError:
            pass


def main(fd: int) -> None:
    """Serve the socket `fd` until it closes."""
    os.set_inheritable(fd, False)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if LINUX:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    supervisor = Supervisor(socket.socket(fileno=fd))
    try:
        supervisor.serve()
    except OSError:
        pass  # it is cut off
    finally:  # whatever went wrong: nothing may stay
        supervisor.end("cut", 0.0)
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
