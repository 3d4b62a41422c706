"""Running a short command of wsbuild's own, such as git: without a supervisor, its output in memory."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

from wsbuild.tools.command import MISSING_CODE, NOT_EXECUTABLE_CODE, TIMEOUT_CODE, input_file
from wsbuild.tools.environment import tool_env

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _end_of(child: subprocess.Popen[bytes], timeout: float) -> int:
    """How a child ends, as soon as it does. Raises TimeoutExpired."""
    try:
        fd = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        return child.wait(timeout)  # which only looks now and then
    with open(fd, "rb", buffering=0) as ended:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        if not poll.poll(timeout * 1000):
            raise subprocess.TimeoutExpired(child.args, timeout)
    return child.wait()


def _wait(child: subprocess.Popen[bytes], timeout: float) -> int:
    with child:
        try:
            code = _end_of(child, timeout)
        except subprocess.TimeoutExpired:
            return TIMEOUT_CODE
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def capture(
    argv: Sequence[str],
    *,
    input: bytes = b"",  # noqa: A002 - the name that `subprocess` gives it
    cwd: str | None = None,
    timeout: float = 10.0,
    env: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Run a short command of wsbuild's own; gives its exit code and stdout, if it fails stderr too.

    It sees what every tool may see of the environment, and `env`.
    After `timeout` seconds it is killed with its process group, and the code is 124. The code is
    127 or 126 where it cannot be started, 128 + n where signal n ended it.
    """
    own = tool_env(os.environ, env or {})
    # Files, not pipes: a grandchild that keeps a pipe open would be waited for.
    with input_file(input) as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            child = subprocess.Popen(
                argv, stdin=given, stdout=out, stderr=err, cwd=cwd, env=own, start_new_session=True
            )
        except OSError as error:
            absent = isinstance(error, FileNotFoundError | NotADirectoryError)
            return MISSING_CODE if absent else NOT_EXECUTABLE_CODE, str(error).encode()
        code = _wait(child, timeout)
        out.seek(0)
        err.seek(0)
        return code, out.read() + (err.read() if code else b"")
