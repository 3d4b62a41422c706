"""A run that asks only those whom a change concerns finds what a run that asks all would find."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from space import Space

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = bool(os.environ.get("WSBUILD_TEST_FULL"))
SEEDS = range(60) if FULL else range(6)
CHANGES = 25 if FULL else 12
WORKSTREAMS = 9
FILES = [f"{folder}/{name}" for folder in ("in", "in/deep", "other") for name in ("a.txt", "b.txt", "c.in")]

READS = (
    ["in/a.txt"],
    ["in/a.txt", "other/b.txt"],
    ["in/"],
    ["in/deep/"],
    ["in/*.txt"],
    ["in/**/*.txt"],
    ["other/later.txt", "other/c.in"],
    ["**/*.in"],
    ["later/"],
)


def _lay_out(space: Space, chance: random.Random) -> int:
    """Workstreams that read files, directories, patterns, and what others make; some have words on their
    command lines that may come to be files. Gives the number of steps.
    """
    total = 0
    for path in FILES:
        space.write(path, f"{path}\n")
    for number in range(WORKSTREAMS):
        reads = list(chance.choice(READS))
        fields: dict[str, Any] = {}
        if number and chance.random() < 0.7:
            other = chance.randrange(number)
            fields["depends_on"] = [f"ws-w{other}"]
            reads.append(chance.choice([f"out/w{other}/all.txt", f"out/w{other}/", "out/**/all.txt"]))
        if chance.random() < 0.3:
            reads = [path for path in reads if not path.startswith("out/**")] + ["in/b.txt"]
        made = f"out/w{number}/all.txt"
        shell = (
            f"mkdir -p out/w{number}; cat {' '.join(map(_shell, reads))} 2>/dev/null | sort > {made}; true"
        )
        steps: list[dict[str, Any]] = [
            {"name": "make", "run": shell, "shell": True, "inputs": reads, "outputs": [made]}
        ]
        if chance.random() < 0.5:
            words = ["echo", "word.txt", "in/word.txt"]
            steps.append({"name": "tell", "run": words, "inputs": [made], "needs": ["make"]})
        total += len(steps)
        space.workstream(f"w{number}", files_scope=[f"out/w{number}/"], steps=steps, **fields)
    return total


def _shell(pattern: str) -> str:
    if pattern.endswith("/"):
        return f"$(find {pattern} -type f 2>/dev/null)"
    return (
        pattern if "**" not in pattern else f"$(find . -path './.*' -prune -o -name '{pattern[3:]}' -print)"
    )


def _edit(space: Space, chance: random.Random) -> None:
    space.write(chance.choice(FILES), f"{chance.random()}\n")


def _touch(space: Space, chance: random.Random) -> None:
    path = space.root / chance.choice(FILES)
    if path.exists():
        os.utime(path)


def _remove(space: Space, chance: random.Random) -> None:
    (space.root / chance.choice(FILES)).unlink(missing_ok=True)


def _add(space: Space, chance: random.Random) -> None:
    names = (
        "in/new.txt",
        "in/deep/new.in",
        "word.txt",
        "in/word.txt",
        "other/later.txt",
        "later/x",
        "in/x/y.txt",
    )
    space.write(chance.choice(names), f"{chance.random()}\n")


def _damage_output(space: Space, chance: random.Random) -> None:
    path = space.root / f"out/w{chance.randrange(WORKSTREAMS)}/all.txt"
    if chance.random() < 0.5:
        path.unlink(missing_ok=True)
    elif path.exists():
        path.write_text("damage\n")


def _make_executable(space: Space, chance: random.Random) -> None:
    path = space.root / chance.choice(FILES)
    if path.exists():
        path.chmod(path.stat().st_mode ^ 0o111)


def _drop_in_output(space: Space, chance: random.Random) -> None:
    space.write(f"out/w{chance.randrange(WORKSTREAMS)}/beside.txt", f"{chance.random()}\n")


def _ignore(space: Space, chance: random.Random) -> None:
    space.write(chance.choice([".gitignore", "in/.gitignore"]), chance.choice(["", "new.*\n", "deep/\n"]))


def _forget(space: Space, chance: random.Random) -> None:
    space.doit("forget", f"ws:w{chance.randrange(WORKSTREAMS)}")


CHANGE: tuple[Callable[[Space, random.Random], None], ...] = (
    *(_edit, _edit, _edit, _touch, _remove, _add, _add),
    *(_damage_output, _make_executable, _drop_in_output, _ignore, _forget),
)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_stale_is_left_out(tmp_path: Any, seed: int) -> None:
    """Whatever was changed between runs: `status`, which asks everybody, then finds nothing to do."""
    chance = random.Random(seed)
    space = Space(tmp_path / "project")
    total = _lay_out(space, chance)
    told: list[str] = []
    for _ in range(CHANGES):
        done = space.wsbuild("run", "--continue", "--json", code=None)
        steps = {step["task"]: step["status"] for step in done.json["steps"]}
        failed = {task for task, status in steps.items() if status in {"failed", "blocked"}}
        stale = {
            f"{ws['task']}:{step['name']}": step["reason"]
            for ws in space.wsbuild("status", "--json").json["workstreams"]
            for step in ws["steps"]
            if not step["fresh"]
        }
        assert set(stale) == failed, (told, stale, done)
        assert (done.code == 0) == (not failed), (told, done)
        assert len(steps) == len(done.json["steps"]) == total, (told, done)
        change = chance.choice(CHANGE)
        told.append(change.__name__)
        change(space, chance)
