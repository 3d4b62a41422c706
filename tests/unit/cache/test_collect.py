"""What of a cache goes when it is cleaned, and what stays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cachebox import Box

from wsbuild.cache.housekeeping import GRACE_S, Removed, clear, collect, stats, verify
from wsbuild.cache.shelf import ASIDE, DAMAGED, DAY_S, Shelf

NOW = time.time()
"""When the tests began; the files they make are younger by minutes at most."""
FOREVER = float("inf")
SIZE = 10_000
TASKS = ["t1", "t2", "t3", "t4"]


def result(box: Box, task: str) -> Path:
    """Where the only result of a task is."""
    return Path(box.cache.results.directory(task)) / "k"


def age(path: Path, seconds: float) -> None:
    """Let a file have been used that long ago."""
    os.utime(path, (NOW - seconds,) * 2)


def add(box: Box, task: str, days: float, size: int = SIZE) -> None:
    """A result with a content of its own, used that long ago."""
    box.keep(task, "k", {task: task.encode() * (size // 2)})
    age(result(box, task), days * DAY_S)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Four results of about the same size, used 1, 2, 3 and 4 days ago: not in the order they were made."""
    box = Box(tmp_path)
    for task in ("t3", "t1", "t4", "t2"):
        add(box, task, int(task[1]))
    return box


def tasks(box: Box) -> list[str]:
    """The tasks whose result is found."""
    return [task for task in TASKS if box.cache.find(task, "k").entry]


def cleaned(box: Box, *, max_bytes: float = FOREVER, days: float = FOREVER, later_s: float = 0) -> Removed:
    """Clean up, some time after the results were made."""
    return collect(box.cache.shelf, max_bytes=max_bytes, max_age_s=days * DAY_S, now=NOW + later_s)


def test_what_is_within_the_limits_stays(box: Box) -> None:
    """All of it, to the byte."""
    before = stats(box.cache.shelf)
    assert cleaned(box, days=4.1, max_bytes=before.bytes) == (0, 0, 0, before.bytes)
    assert stats(box.cache.shelf) == before
    assert tasks(box) == TASKS


@pytest.mark.parametrize("count", range(5))
def test_the_oldest_by_use_go_first(box: Box, count: int) -> None:
    """As many as it takes to get below the limit, and no more."""
    each = stats(box.cache.shelf).bytes / 4
    before = stats(box.cache.shelf)
    removed = cleaned(box, max_bytes=each * count + 100)
    assert tasks(box) == TASKS[:count]
    assert (removed.entries, removed.blobs) == (4 - count, 4 - count)
    assert removed.left == stats(box.cache.shelf).bytes == before.bytes - removed.bytes <= each * count + 100


@pytest.mark.parametrize("days", range(6))
def test_what_was_of_no_use_for_too_long_goes(box: Box, days: int) -> None:
    """However small the cache is."""
    assert cleaned(box, days=days + 0.5).entries == max(4 - days, 0)
    assert tasks(box) == TASKS[:days]
    assert stats(box.cache.shelf).blobs == min(days, 4)


def test_use_makes_a_result_young(box: Box) -> None:
    """The oldest by making is not the oldest by use."""
    entry = box.cache.find("t4", "k").entry
    assert entry is not None
    box.cache.results.used(entry)
    cleaned(box, days=1.5)
    assert tasks(box) == ["t1", "t4"]


@pytest.mark.parametrize("limit", range(0, 4 * SIZE + 3000, 3000))
def test_the_limit_is_respected(box: Box, limit: int) -> None:
    """Whatever it is."""
    add(box, "big", 0.5, size=2 * SIZE)
    add(box, "small", 5, size=100)
    assert cleaned(box, max_bytes=limit).left == stats(box.cache.shelf).bytes <= limit
    assert verify(box.cache.shelf, fix=False) == []


def test_none_stays_that_is_older_than_one_that_goes(tmp_path: Path) -> None:
    """Those of oldest use go until the rest fits."""
    box = Box(tmp_path)
    for days, (task, size) in enumerate({"t1": 1000, "t2": 50_000, "t3": 100}.items(), 1):
        add(box, task, days, size)
    cleaned(box, max_bytes=10_000)
    assert tasks(box) == ["t1"]


def test_shared_contents_stay_as_long_as_one_result_names_them(tmp_path: Path) -> None:
    """And go with the last one, at once; they count once."""
    box = Box(tmp_path)
    shared = b"s" * SIZE
    for days, task in enumerate(TASKS, 1):
        box.keep(task, "k", {"same": shared, task: task.encode()})
        age(result(box, task), days * DAY_S)
    assert cleaned(box, max_bytes=SIZE + 4000)[:2] == (0, 0)
    for left in (3, 2, 1):
        assert cleaned(box, days=left + 0.5)[:2] == (1, 1)
        assert tasks(box) == TASKS[:left]
        assert verify(box.cache.shelf, fix=False) == []
        assert box.blob(shared).exists()
    assert cleaned(box, days=0.5)[:2] == (1, 2)
    assert not box.blob(shared).exists()


def test_the_log_goes_with_its_result(tmp_path: Path) -> None:
    """It is a content like others."""
    box = Box(tmp_path)
    for days, task in enumerate(TASKS, 1):
        box.keep(task, "k", {}, log=b"log of " + task.encode())
        age(result(box, task), days * DAY_S)
    cleaned(box, days=2.5, later_s=GRACE_S * 2)
    assert tasks(box) == ["t1", "t2"]
    assert stats(box.cache.shelf).blobs == 2


@pytest.mark.parametrize(("age_s", "stays"), [(0, True), (GRACE_S - 60, True), (GRACE_S + 60, False)])
def test_a_content_without_a_result_stays_for_a_while(box: Box, age_s: float, stays: bool) -> None:
    """Somebody may be about to write the result that names it."""
    box.cache.blobs.put_bytes(b"fresh")
    age(box.blob(b"fresh"), age_s)
    cleaned(box)
    assert box.blob(b"fresh").exists() is stays
    assert tasks(box) == TASKS


def test_an_old_content_that_is_put_again_stays_for_a_while(box: Box) -> None:
    """It is about to be named, like a new one."""
    box.cache.blobs.put_bytes(b"old")
    age(box.blob(b"old"), GRACE_S * 5)
    box.cache.blobs.put_bytes(b"old")
    cleaned(box)
    assert box.blob(b"old").exists()


def test_old_contents_of_results_stay(box: Box) -> None:
    """It is the result whose use counts."""
    for path in (box.directory / "blobs").rglob("*/*"):
        if path.is_file():
            age(path, 1000 * DAY_S)
    cleaned(box)
    assert tasks(box) == TASKS


@pytest.mark.parametrize(
    ("folder", "age_s", "stays"),
    [
        (ASIDE, GRACE_S - 60, True),
        (ASIDE, GRACE_S + 60, False),
        (DAMAGED, GRACE_S + 60, True),
        (DAMAGED, 4.4 * DAY_S, True),
        (DAMAGED, 4.6 * DAY_S, False),
    ],
)
def test_leftovers_go_when_nobody_can_need_them(box: Box, folder: str, age_s: float, stays: bool) -> None:
    """Half written files soon; damaged ones as results do."""
    path = box.directory / folder / "x"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    age(path, age_s)
    removed = cleaned(box, days=4.5)
    assert path.exists() is stays
    assert removed.bytes == (0 if stays else 1)
    assert tasks(box) == TASKS


def test_damaged_results_go_and_their_contents_stay_for_the_grace(box: Box) -> None:
    """What they named cannot be known."""
    result(box, "t1").chmod(0o644)
    result(box, "t1").write_bytes(b"damaged")
    assert cleaned(box)[:2] == (1, 0)
    assert cleaned(box, later_s=GRACE_S * 2)[:2] == (0, 1)
    assert tasks(box) == TASKS[1:]


def test_empty_directories_go_and_everything_else_stays(box: Box) -> None:
    """The marks, and what is not ours."""
    (box.directory / "lost+found").mkdir()
    (box.directory / "note").write_text("by the user")
    cleaned(box, days=0, later_s=GRACE_S * 2)
    assert sorted(os.listdir(box.directory)) == [".gitignore", "CACHEDIR.TAG", "lost+found", "note", ASIDE]
    add(box, "t1", 0)
    assert tasks(box) == ["t1"]


def test_what_cannot_be_removed_is_not_counted(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is no error: it is tried again another time."""

    def fail(*_: object) -> None:
        raise PermissionError

    before = stats(box.cache.shelf).bytes
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail)
        assert cleaned(box, max_bytes=0) == (0, 0, 0, before)
    assert tasks(box) == TASKS


@pytest.mark.parametrize("clean", [lambda shelf: collect(shelf, max_bytes=0, max_age_s=0), clear])
def test_a_cache_that_is_not_writable_is_left_as_it_is(box: Box, clean: Callable[[Shelf], object]) -> None:
    """By whatever asks it."""
    clean(Shelf(str(box.directory), writable=False))
    assert tasks(box) == TASKS
