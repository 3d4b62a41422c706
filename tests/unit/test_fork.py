"""Work that is done in two processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import pytest

from wsbuild.fork import in_two


def _told(items: Sequence[int]) -> list[tuple[int, str]]:
    return [(os.getpid(), f"{item}") for item in items]


def test_both_halves_are_told_in_order() -> None:
    """The second half comes from another process, where there are processors for it."""
    made = in_two(_told, range(10), 10)
    assert [text for _, text in made] == [f"{item}" for item in range(10)]
    if (os.cpu_count() or 1) > 1 and len(os.listdir("/proc/self/task")) == 1:
        assert {pid for pid, _ in made[:5]} == {os.getpid()}
        assert os.getpid() not in {pid for pid, _ in made[5:]}


def test_few_are_not_worth_a_process() -> None:
    """They are all made here."""
    assert {pid for pid, _ in in_two(_told, range(9), 10)} == {os.getpid()}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_half_that_is_lost_is_made_here(how: signal.Signals) -> None:
    """Whatever ends the other process, nothing is missing."""
    here = os.getpid()

    def work(items: Sequence[int]) -> list[int]:
        if os.getpid() != here:
            os.kill(os.getpid(), how)
        return [2 * item for item in items]

    assert in_two(work, range(20), 2) == [2 * item for item in range(20)]


def test_an_error_passes() -> None:
    """That of the other half is raised here."""

    def work(items: Sequence[int]) -> list[float]:
        return [1 / (item - 15) for item in items]

    with pytest.raises(ZeroDivisionError):
        in_two(work, range(20), 2)
