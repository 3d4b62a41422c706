"""Commands whose processes can be found again, whatever they turn into."""

from __future__ import annotations

import os
import select
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from wsbuild.tools import process

NAME = "LC_WSBUILD_TEST_MARK"  # a name that tools get from their caller


class Marked:
    """Makes commands with a mark in their environment, which all that they start inherits."""

    name = NAME

    def __init__(self, cwd: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.cwd = cwd
        self.env = process.tool_env(os.environ, {NAME: self.mark})

    def command(self, *argv: str, **fields: Any) -> process.Command:
        """A command with a short grace."""
        return process.Command(
            argv=argv, **{"env": self.env, "cwd": str(self.cwd), "grace_sec": 0.3, **fields}
        )

    def python(self, code: str, **fields: Any) -> process.Command:
        """A command that is a Python program."""
        return self.command(sys.executable, "-c", code, **fields)

    def pids(self) -> list[int]:
        """All living processes with the mark."""
        wanted = f"{NAME}={self.mark}".encode()
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                environ = Path(f"/proc/{name}/environ").read_bytes()  # of a zombie it is empty
            except OSError:
                continue
            if wanted in environ.split(b"\0"):
                found.append(int(name))
        return found

    def gone(self, seconds: float = 10.0) -> bool:
        """Wait until no process has the mark; whether that came about in time."""
        until = time.monotonic() + seconds
        while pids := self.pids():
            for pid in pids:
                try:
                    fd = os.pidfd_open(pid)
                except ProcessLookupError:
                    continue
                ended = select.select([fd], [], [], max(0.0, until - time.monotonic()))[0]
                os.close(fd)
                if not ended:
                    return False
        return True
