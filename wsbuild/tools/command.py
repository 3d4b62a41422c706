"""What a command is given, and how it ended: data and the reading of the supervisor's last word.

Starts nothing.
"""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

State = Literal["ok", "failed", "timeout", "missing", "crashed", "interrupted"]
TIMEOUT_CODE, NOT_EXECUTABLE_CODE, MISSING_CODE, INTERRUPTED_CODE = 124, 126, 127, 130
NOT_FOUND = frozenset({errno.ENOENT, errno.ENOTDIR})


class Command(NamedTuple):
    """What to start: arguments, the whole environment, the directory, and what it can read.

    `timeout_sec` is how many seconds it may take (None or 0: any), `grace_sec` how many it has to
    end by itself when it must, before it is killed.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    timeout_sec: float | None = None
    grace_sec: float = 5.0
    stdin: bytes = b""


class Result(NamedTuple):
    """How a command ended.

    `state` and `exit_code`: `ok` and `failed` with its own code; `timeout` 124; `missing` 127 (not
    found) or 126 (cannot be executed); `crashed` 128 + `signal`, killed by somebody else;
    `interrupted` 130, with the `signal` that it was canceled for. `duration_s` is in seconds.
    `output` is the last 64 KiB of the `output_bytes` it wrote; `dropped_bytes` are not in the log.
    `leftovers` counts the processes that it left running when it exited, and that were ended.
    """

    state: State
    exit_code: int
    signal: int | None = None
    duration_s: float = 0.0
    output: bytes = b""
    output_bytes: int = 0
    dropped_bytes: int = 0
    leftovers: int = 0


class Ending(NamedTuple):
    """The part of a result that the supervisor decides."""

    state: State
    exit_code: int
    signal: int | None = None
    leftovers: int = 0


def _exited(status: int, success: Collection[int]) -> tuple[State, int, int | None]:
    if os.WIFSIGNALED(status):
        signum = os.WTERMSIG(status)
        return "crashed", 128 + signum, signum
    code = os.waitstatus_to_exitcode(status)
    return "ok" if code in success else "failed", code, None


def ending(answer: Sequence[str], success: Collection[int], canceled: int) -> Ending:
    """What the supervisor's last answer means; `canceled` is the signal of a cancel, or 0.

    The answer is `unstarted <stage> <errno>`, `ended <why> <wait status> <leftovers> clean|stuck`,
    `lost` (the supervisor was killed) or `cut` (by us).
    """
    match answer:
        case ["unstarted", stage, number]:
            absent = stage == "exec" and int(number) in NOT_FOUND
            return Ending("missing", MISSING_CODE if absent else NOT_EXECUTABLE_CODE)
        case ["ended", "exited", status, leftovers, _]:
            return Ending(*_exited(int(status), success), int(leftovers))
        case ["ended", "timeout", status, *_]:
            signum = os.WTERMSIG(int(status)) if os.WIFSIGNALED(int(status)) else None
            return Ending("timeout", TIMEOUT_CODE, signum)
        case ["lost"]:
            return Ending("crashed", 128 + signal.SIGKILL, signal.SIGKILL)
    return Ending("interrupted", INTERRUPTED_CODE, canceled or None)
