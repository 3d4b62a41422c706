"""Whatever was done to a project since, a build leaves what a build from scratch makes of it.

Hypothesis edits, renames, tampers, breaks, kills and goes back at random (`oracle_rules`); after each
build the tree must equal that of the same sources and bundles built in an empty directory with empty
state and an empty cache (O1), and building again must start no command (O3). The machine itself is
proved by planting bugs in the engine: it must find each of them.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import planted
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from oracle_engine import forget_scratch
from oracle_machine import OracleError
from oracle_rules import CleanBuild, OutputsLeftAlone

from wsbuild.tools import process

FULL = bool(os.environ.get("WSBUILD_TEST_FULL"))
SEQUENCES = 10_000 if FULL else 400
CONTROL = 1_000 if FULL else 40
WITHIN = 4_000
"""Sequences within which each planted bug must be found: which ones Hypothesis plays depends on the code
that is loaded, and the rarest bug shows in one of some hundred.
"""

LONGEST = 8
"""Rules in a sequence."""


def counted(machine: type[CleanBuild]) -> type[CleanBuild]:
    """The machine with counts of its own."""
    return type(machine.__name__, (machine,), {"used": Counter(), "found": []})


def play(machine: type[CleanBuild], sequences: int, **more: Any) -> None:
    """Run a machine; raises what the first sequence raises that fails."""
    forget_scratch()
    how = settings(
        max_examples=sequences,
        stateful_step_count=LONGEST,
        deadline=None,
        derandomize=not FULL,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        **more,
    )
    run_state_machine_as_test(machine, settings=how)


@pytest.fixture(autouse=True)
def _supervisors() -> Iterator[None]:
    """End what was kept for the next build."""
    yield
    process.shutdown()
    forget_scratch()


def test_a_build_leaves_what_a_build_from_scratch_makes() -> None:
    """The oracle, over the engine as it is; and everything that may happen did."""
    machine = counted(CleanBuild)
    play(machine, SEQUENCES)
    used = machine.used
    assert min(used.values()) >= SEQUENCES // 40, used
    assert used["killed"] >= SEQUENCES // 20 <= used["changed while running"], used


def test_untouched_outputs_need_no_check() -> None:
    """What makes the hunt for bugs that the check of outputs hides a fair one."""
    with planted.outputs_not_checked():
        play(counted(OutputsLeftAlone), CONTROL)


@pytest.mark.parametrize("bug", planted.BUGS)
def test_the_oracle_finds(bug: str) -> None:
    """Each planted bug; one that the check of outputs hides is planted with that check off."""
    hidden = bug in planted.HIDDEN_BY_OUTPUT_CHECK
    machine = counted(OutputsLeftAlone if hidden else CleanBuild)
    with contextlib.ExitStack() as stack:
        stack.enter_context(planted.BUGS[bug]())
        if hidden:
            stack.enter_context(planted.outputs_not_checked())
        with contextlib.suppress(OracleError, Flaky):
            play(machine, WITHIN, phases=[Phase.generate])
    print(f"{bug}: found in sequence {machine.used['sequences']}")
    assert machine.found, f"not found in {machine.used['sequences']} sequences"
