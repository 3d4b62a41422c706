"""Whose turn it is inside a run."""

from __future__ import annotations

import threading

from wsbuild.actions.turns import Turns


def test_others_run_together_and_the_exclusive_one_alone() -> None:
    """While one is alone nobody runs; while others run it waits."""
    turns, running, worst = Turns(), [0], []
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=10)

    def work(*, alone: bool, meet: bool) -> None:
        with turns.turn(alone=alone):
            with lock:
                running[0] += 1
                worst.append((alone, running[0]))
            if meet:
                both.wait()
            with lock:
                running[0] -= 1

    threads = [threading.Thread(target=work, kwargs={"alone": False, "meet": True}) for _ in range(2)]
    threads += [threading.Thread(target=work, kwargs={"alone": True, "meet": False}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    assert max(count for alone, count in worst if alone) == 1
    assert max(count for alone, count in worst if not alone) == 2


def test_a_turn_is_given_back_after_an_error() -> None:
    """Whoever waits is not stuck behind a failure."""
    turns = Turns()
    try:
        with turns.turn(alone=True):
            raise ValueError
    except ValueError:
        pass
    with turns.turn(alone=True):
        assert True
