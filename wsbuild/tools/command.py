"""What a command is given, and how it ended: data and the reading of the supervisor's last word.

Starts nothing.
"""

from __future__ import annotations

import os

from wsbuild.tools.supervisor import NOT_THERE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Collection, Mapping, Sequence
    from typing import BinaryIO, Literal

    State = Literal["ok", "failed", "timeout", "missing", "crashed", "interrupted"]
else:
    import _signal as signal  # see `process`

TIMEOUT_CODE, NOT_EXECUTABLE_CODE, MISSING_CODE, INTERRUPTED_CODE = 124, 126, 127, 130


class Command:
    """What to start: arguments, the whole environment, the directory, and what it can read.

    `timeout_sec` is how many seconds it may take (None or 0: any), `grace_sec` how many it has to
    end by itself when it must, before it is killed.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        cwd: str,
        timeout_sec: float | None = None,
        grace_sec: float = 5.0,
        stdin: bytes = b"",
    ) -> None:
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.timeout_sec = timeout_sec
        self.grace_sec = grace_sec
        self.stdin = stdin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.argv, self.cwd))


def input_file(data: bytes) -> BinaryIO:
    """A nameless file to read `data` from; the caller closes it."""
    if not data:
        return open(os.devnull, "rb")
    import tempfile

    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


class Result:
    """How a command ended.

    `state` and `exit_code`: `ok` and `failed` with its own code; `timeout` 124; `missing` 127 (not
    found) or 126 (cannot be executed); `crashed` 128 + `signal`, killed by somebody else;
    `interrupted` 130, with the `signal` that it was canceled for. `duration_s` is in seconds.
    `output` is the last 64 KiB of the `output_bytes` it wrote; `dropped_bytes` are not in the log.
    `leftovers` counts the processes that it left running when it exited, and that were ended.
    """

    def __init__(self, state: State, exit_code: int, signal: int | None = None, leftovers: int = 0) -> None:
        self.state = state
        self.exit_code = exit_code
        self.signal = signal
        self.leftovers = leftovers
        self.duration_s = 0.0
        self.output = b""
        self.output_bytes = 0
        self.dropped_bytes = 0


def _exited(status: int, success: Collection[int]) -> tuple[State, int, int | None]:
    if os.WIFSIGNALED(status):
        signum = os.WTERMSIG(status)
        return "crashed", 128 + signum, signum
    code = os.waitstatus_to_exitcode(status)
    return "ok" if code in success else "failed", code, None


def ending(answer: Sequence[str], success: Collection[int], canceled: int) -> Result:
    """What the supervisor's last answer means, without what is known of time and output; `canceled` is the
    signal of a cancel, or 0.

    The answer is `unstarted <stage> <errno>`, `ended <why> <wait status> <leftovers> clean|stuck`,
    `lost` (the supervisor was killed) or `cut` (by us).
    """
    match answer:
        case ["unstarted", stage, number]:
            absent = stage == "exec" and int(number) in NOT_THERE
            return Result("missing", MISSING_CODE if absent else NOT_EXECUTABLE_CODE)
        case ["ended", "exited", status, leftovers, _]:
            return Result(*_exited(int(status), success), int(leftovers))
        case ["ended", "timeout", status, *_]:
            signum = os.WTERMSIG(int(status)) if os.WIFSIGNALED(int(status)) else None
            return Result("timeout", TIMEOUT_CODE, signum)
        case ["lost"]:
            return Result("crashed", 128 + signal.SIGKILL, signal.SIGKILL)
    return Result("interrupted", INTERRUPTED_CODE, canceled or None)
