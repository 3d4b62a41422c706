"""Several steps at a time, by real commands."""

from __future__ import annotations

import os

import pytest
from space import Space

COMMANDS = [("doit", "run", "-n"), ("wsbuild", "run", "-j")]


def _step(line: str) -> dict[str, object]:
    return {"name": "do", "run": line, "shell": True, "inputs": []}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_more_steps_at_a_time_than_were_asked_for(space: Space, command: tuple[str, ...]) -> None:
    """Each step notes how many others it finds at work."""
    (space.root / "at_work").mkdir()
    line = 'touch "at_work/$$"; ls at_work | wc -l >> counts; sleep 0.2; rm "at_work/$$"'
    for number in range(8):
        space.workstream(f"p{number}", files_scope=[f"p{number}.txt"], steps=[_step(line)])
    space.run(*command, "2", code=0)
    counts = [int(line) for line in space.read("counts").split()]
    assert len(counts) == 8
    assert max(counts) == 2


@pytest.mark.parametrize("go_on", [False, True])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_begins_after_a_failure(space: Space, command: tuple[str, ...], go_on: bool) -> None:
    """What was at work with it comes to its end; what could have been next does not begin, unless the run
    is to go on.
    """
    space.workstream("a", files_scope=["a.txt"], steps=[_step("read x < gate; exit 1")])
    space.workstream("b", files_scope=["b.txt"], steps=[_step("echo go > gate; sleep 1; touch b.txt")])
    for name in "cde":
        space.workstream(name, files_scope=[f"{name}.txt"], steps=[_step(f"touch {name}.txt")])
    os.mkfifo(space.root / "gate")
    blocked = go_on and command[0] == "doit"  # the group of all that was asked for, as doit sees it
    space.run(*command, "2", *(["-c"] if go_on else []), code=2 if blocked else 1)
    made = [name for name in "bcde" if (space.root / f"{name}.txt").exists()]
    assert made == (["b", "c", "d", "e"] if go_on else ["b"])
    (run,) = space.wsbuild("runs", "--json").json["items"]
    assert run["status"] == "failed"
