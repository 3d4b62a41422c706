"""Commands measured in turn: wall time, processor time and peak memory of whole processes.

What is run and what a right answer is, the caller says.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")
KEPT = ("HOME", "LANG", "LC_ALL", "TMPDIR")


class WrongAnswerError(Exception):
    """A command failed, or what it left is not right: its time means nothing."""


class Figures(NamedTuple):
    """What one process, with all that it waited for, took."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    """The peak of the largest of them, in MB (1e6 bytes)."""
    floor_mb: float
    """A peak that is not above this is only known to be at most this."""


def _nothing() -> None:
    """No preparation."""


def _right(output: str) -> list[str]:  # noqa: ARG001
    """No check but the exit code."""
    return []


@dataclass(frozen=True)
class Command:
    """What is measured."""

    name: str
    argv: Sequence[str]
    """The program with its path, and its arguments."""
    cwd: str
    prepare: Callable[[], None] = field(default=_nothing)
    """Called before each run; its time does not count."""
    verify: Callable[[str], list[str]] = field(default=_right)
    """Called after each run with what the command printed; gives what is wrong, one line each."""


def environment() -> dict[str, str]:
    """The same few variables for every command: nothing that the caller's tools left behind."""
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    beside = os.path.dirname(sys.executable)
    env["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    return env


def _problems(command: Command, code: int, output: str) -> list[str]:
    if code:
        return [f"exit code {code}", *output.splitlines()[-10:]]
    return command.verify(output)


def once(command: Command, scratch: str) -> Figures:
    """Run the command. Raises WrongAnswerError where it fails or its answer is wrong."""
    report, streams = os.path.join(scratch, "report"), os.path.join(scratch, "streams")
    launcher = [sys.executable, "-I", "-S", LAUNCHER, report, streams, command.cwd]
    command.prepare()
    subprocess.run([*launcher, *command.argv], env=environment(), check=True)
    with open(report, encoding="ascii") as file:
        code, wall, cpu, peak, floor = file.read().split()
    with open(streams, encoding="utf-8", errors="replace") as file:
        problems = _problems(command, int(code), file.read())
    if problems:
        more = [f"and {len(problems) - 10} more"] if len(problems) > 10 else []
        raise WrongAnswerError("\n  ".join([f"{command.name}: wrong", *problems[:10], *more]))
    return Figures(float(wall), float(cpu), int(peak) * 1024 / 1e6, int(floor) * 1024 / 1e6)


def in_turn(
    commands: Sequence[Command],
    scratch: str,
    runs: int,
    *,
    warmup: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Figures]]:
    """Run the commands A B C A B C ..., so that what slows the machine down slows all of them.

    The first `warmup` turns do not count. `tell` hears of progress. Raises WrongAnswerError.
    """
    found: dict[str, list[Figures]] = {command.name: [] for command in commands}
    for turn in range(warmup + runs):
        for command in commands:
            tell(f"turn {turn + 1} of {warmup + runs}: {command.name}")
            figures = once(command, scratch)
            if turn >= warmup:
                found[command.name].append(figures)
    return found


def median(figures: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(*(statistics.median(values) for values in zip(*figures, strict=True)))


def ratio(found: Mapping[str, Sequence[Figures]], name: str, base: str) -> float:
    """The wall time of `name` in units of that of `base`: the median of what each turn says."""
    pairs = zip(found[name], found[base], strict=True)
    return statistics.median(one.wall_s / other.wall_s for one, other in pairs)
