"""The conversation with a supervisor: requests, answers, and the output of what it runs.

Knows no processes: `process` starts the supervisors, `supervisor` is the other side. Part of the way to the
first tool: imports little.
"""

from __future__ import annotations

import os
import select
import sys

from wsbuild.errors import UserError
from wsbuild.tools.supervisor import FD_SIZE, HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wsbuild.tools.output import Output
else:
    import _socket as socket  # see `process`

CHUNK = 64 * 1024
PIPE_LIMIT = 2**20  # bytes; the most that a pipe holds (pipe(7))
# Written to once and not read, it wakes all who wait. Never closed: a signal handler that writes to
# a closed descriptor may hit the next file that got its number.
ALARM = os.pipe()
for _fd in ALARM:
    os.set_blocking(_fd, False)


def encode(argv: Sequence[str], env: Mapping[str, str], cwd: str, timeout: float, grace: float) -> bytes:
    """A request, as `supervisor.parse` reads it. Raises UserError for what cannot be started."""
    pairs = [f"{name}={value}" for name, value in env.items()]
    fields = [str(timeout), str(grace), cwd, str(len(argv)), *argv, *pairs]
    if not argv or not argv[0]:
        raise UserError("the command is empty", "name a program")
    if any("\0" in each for each in fields):
        raise UserError(f"{argv[0]}: an argument or variable holds a NUL character", "remove it")
    if any(not name or "=" in name for name in env):
        raise UserError(f"{argv[0]}: a variable has an empty name or one with '='", "rename it")
    return b"".join(os.fsencode(each) + b"\0" for each in fields)


class Link:
    """Our end of the socket; the supervisor lives as long as it does."""

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours
        self.is_cut = False
        self._heard = b""

    def ask(self, request: bytes, fds: Sequence[int] = ()) -> None:
        """Send a request with its descriptors; an empty one cancels."""
        numbers = b"".join(fd.to_bytes(FD_SIZE, sys.byteorder) for fd in fds)
        given = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if fds else []
        try:
            self.socket.sendmsg([len(request).to_bytes(HEADER, "big")], given)
            self.socket.sendall(request)
        except ConnectionError:
            pass  # `hear` will tell that nobody is there

    def hear(self) -> Iterator[list[str]]:
        """The answers that have come, as words; `cut` or `lost` where no more will."""
        try:
            data = self.socket.recv(CHUNK)
        except ConnectionError:
            data = b""
        *lines, self._heard = (self._heard + data).split(b"\n")
        yield from (line.decode().split() for line in lines)
        if not data:
            yield ["cut" if self.is_cut else "lost"]

    def cut(self) -> None:
        """Make the supervisor kill what it runs, and end. Takes no lock: a signal handler may."""
        self.is_cut = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is cut already


class Watch:
    """One command under way: its output is copied while its supervisor is heard.

    `tool` is its pid and start time as soon as it has started; `on_start` is told of them, `echo`
    of each piece of output that is kept.
    """

    def __init__(
        self,
        output: Output,
        on_start: Callable[[int, int], None] | None = None,
        echo: Callable[[bytes], None] | None = None,
    ) -> None:
        self.output = output
        self.on_start = on_start
        self.echo = echo
        self.tool: tuple[int, int] | None = None

    def follow(self, link: Link, source: int) -> list[str]:
        """The supervisor's last answer, once all that comes from the pipe `source` is taken."""
        os.set_blocking(source, False)
        poll = select.poll()
        for fd in (source, link.socket.fileno(), ALARM[0]):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == source:
                    if not self._copy(source, CHUNK):
                        poll.unregister(source)
                elif fd == ALARM[0]:
                    poll.unregister(fd)
                    link.ask(b"")
                elif answer := self._listen(link):
                    self._copy(source, PIPE_LIMIT)
                    return answer

    def _copy(self, source: int, size: int) -> bool:
        """Take output that is there; false at its end."""
        try:
            data = os.read(source, size)
        except BlockingIOError:
            return True
        kept = self.output.add(data)
        if self.echo is not None and kept:
            self.echo(kept)
        return bool(data)

    def _listen(self, link: Link) -> list[str]:
        """The last answer, if it has come."""
        for answer in link.hear():
            if answer[0] != "started":
                return answer
            self.tool = int(answer[1]), int(answer[2])
            if self.on_start is not None:
                self.on_start(*self.tool)
        return []
