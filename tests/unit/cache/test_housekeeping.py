"""A cache is counted, checked and cleaned, also by who is killed while doing it."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cachebox import Box, die_at, entry_of, sha, spoil

from wsbuild.cache.blobs import DamagedBlobError
from wsbuild.cache.housekeeping import GRACE_S, Removed, clear, collect, is_cache, stats, verify
from wsbuild.cache.shelf import ASIDE, DAMAGED, DAY_S, TAG_TEXT, Shelf

NOW = time.time()
"""When the tests began; the files they make are younger by minutes at most."""
FOREVER = float("inf")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A cache with three results: `shared` is in two of them; the first was used last."""
    return fill(Box(tmp_path))


def fill(box: Box) -> Box:
    """The three results, used 1, 2 and 3 days ago."""
    box.keep("t1", "k", {"a": b"a" * 1000, "s": b"shared" * 100}, log=b"log of one")
    box.keep("t2", "k", {"b": b"b" * 2000, "s": b"shared" * 100})
    box.keep("t3", "k", {"c": b"c" * 3000})
    for task, days in (("t1", 1), ("t2", 2), ("t3", 3)):
        age(box, task, days)
    return box


def result(box: Box, task: str) -> Path:
    """Where the only result of a task is."""
    return Path(box.cache.results.directory(task)) / "k"


def age(box: Box, task: str, days: float) -> None:
    """Let a result have been used that long ago."""
    os.utime(result(box, task), (NOW - days * DAY_S,) * 2)


def tasks(box: Box) -> list[str]:
    """The tasks whose result is found."""
    return [task for task in ("t1", "t2", "t3") if box.cache.find(task, "k").entry]


def problems(box: Box, *, fix: bool = False) -> set[str]:
    """The files that are not as they should be."""
    return {problem.path for problem in verify(box.cache.shelf, fix=fix)}


def cleaned(box: Box, *, max_bytes: float = FOREVER, days: float = FOREVER, later_s: float = 0) -> Removed:
    """Clean up, some time after the results were made."""
    return collect(box.cache.shelf, max_bytes=max_bytes, max_age_s=days * DAY_S, now=NOW + later_s)


# --- stats


def test_everything_is_counted(box: Box) -> None:
    """Results, contents, bytes, damaged files, and the time of the oldest use."""
    found = stats(box.cache.shelf)
    contents = 1000 + 600 + 10 + 2000 + 3000
    sizes = sum(result(box, task).stat().st_size for task in ("t1", "t2", "t3"))
    assert (found.entries, found.blobs, found.damaged) == (3, 5, 0)
    assert found.bytes == contents + sizes
    assert found.oldest == pytest.approx(NOW - 3 * DAY_S)
    box.cache.shelf.put_away(str(box.blob(b"a" * 1000)))
    assert stats(box.cache.shelf) == found._replace(blobs=4, damaged=1)


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """And nothing is made by looking at it."""
    shelf = Shelf(str(tmp_path / "none"), writable=True)
    assert stats(shelf) == (0, 0, 0, None, 0)
    assert verify(shelf, fix=True) == []
    assert collect(shelf, max_bytes=0, max_age_s=0) == clear(shelf) == (0, 0, 0, 0)
    assert is_cache(shelf)
    assert os.listdir(tmp_path) == []


def test_a_foreign_directory_is_no_cache(box: Box, tmp_path: Path) -> None:
    """Only what is marked as ours may be cleaned."""
    assert is_cache(box.cache.shelf)
    for name in ("empty", "full"):
        (tmp_path / name / "blobs").mkdir(parents=True)
        assert not is_cache(Shelf(str(tmp_path / name), writable=True))
    (tmp_path / "link").symlink_to("nowhere")
    assert not is_cache(Shelf(str(tmp_path / "link"), writable=True))
    (tmp_path / "file").write_text("")
    assert not is_cache(Shelf(str(tmp_path / "file"), writable=True))


def test_the_cache_of_another_tool_is_not_ours(tmp_path: Path) -> None:
    """The signature is the same for all tools: what stands behind it tells whose it is."""
    tag = TAG_TEXT.partition(b"\n")[0] + b"\n# This file is a cache directory tag created by pytest.\n"
    (tmp_path / "CACHEDIR.TAG").write_bytes(tag)
    assert not is_cache(Shelf(str(tmp_path), writable=True))


# --- verify


def test_a_sound_cache_has_no_problems(box: Box) -> None:
    """Nor has one on a disk of its own."""
    (box.directory / "lost+found").mkdir(mode=0)
    assert verify(box.cache.shelf, fix=True) == []
    assert tasks(box) == ["t1", "t2", "t3"]


def _flip(path: Path) -> None:
    data = path.read_bytes()
    spoil(path, data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])


def _truncate(path: Path) -> None:
    spoil(path, path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    spoil(path, b"")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path) -> None:
    path.rename(path.parent.parent.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent.parent.parent / "elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILS = [_flip, _truncate, _empty, _directory, _link, _pipe]


@pytest.mark.parametrize("do", SPOILS)
def test_a_damaged_content_is_found_with_all_results_of_it(box: Box, do: Callable[[Path], None]) -> None:
    """These and no others; once fixed all is clean, and what was damaged is kept."""
    shared = box.blob(b"shared" * 100)
    do(shared)
    expected = {str(shared), str(result(box, "t1")), str(result(box, "t2"))}
    assert problems(box) == problems(box) == expected
    assert problems(box, fix=True) == expected
    assert problems(box) == set()
    assert len(os.listdir(box.directory / DAMAGED)) == 3
    assert tasks(box) == ["t3"]


@pytest.mark.parametrize(
    "do",
    [
        *[do for do in SPOILS if do not in {_directory, _link}],
        _directory,
        _link,
    ],
)
def test_a_damaged_result_is_found_alone(box: Box, do: Callable[[Path], None]) -> None:
    """Its contents are sound."""
    do(result(box, "t1"))
    assert problems(box, fix=True) == {str(result(box, "t1"))}
    assert problems(box) == set()
    assert len(os.listdir(box.directory / DAMAGED)) == 1
    assert tasks(box) == ["t2", "t3"]


def test_a_result_without_one_of_its_contents_is_found(box: Box) -> None:
    """A file's or the log's."""
    box.blob(b"c" * 3000).unlink()
    box.blob(b"log of one").unlink()
    assert problems(box, fix=True) == {str(result(box, "t1")), str(result(box, "t3"))}
    assert (problems(box), tasks(box)) == (set(), ["t2"])


def test_what_has_a_wrong_name_is_found(box: Box) -> None:
    """Contents and results that were moved, and what is none of either."""
    digest = sha(b"a" * 1000)
    moved = [box.blob(b"a" * 1000).with_name("0" * 62), result(box, "t1").with_name("other")]
    shutil.copyfile(box.blob(b"a" * 1000), moved[0])
    shutil.copyfile(result(box, "t1"), moved[1])
    stray = [box.directory / "blobs" / "stray", box.directory / "blobs" / digest[:2] / "x" / "y"]
    stray += [box.directory / "results" / "stray", box.directory / "results" / "stray@0123456789abcdef"]
    stray[1].parent.mkdir()
    for path in stray:
        path.write_bytes(b"x")
    expected = {str(path) for path in (*moved, *stray, stray[1].parent)}
    assert problems(box, fix=True) == expected
    assert problems(box) == set()
    assert tasks(box) == ["t1", "t2", "t3"]


def test_a_cache_that_is_not_writable_is_only_looked_at(box: Box) -> None:
    """The problem is told each time."""
    _flip(result(box, "t1"))
    reader = Shelf(str(box.directory), writable=False)
    for _ in range(2):
        assert [problem.path for problem in verify(reader, fix=True)] == [str(result(box, "t1"))]


@pytest.mark.parametrize("check", [lambda box: verify(box.cache.shelf, fix=True), cleaned])
@pytest.mark.parametrize("change", [{"task": 5}, {"key": 5}, {"bound_to": 5}, {"log": 5}], ids=repr)
def test_a_hostile_result_stops_nobody(
    box: Box, change: dict[str, object], check: Callable[[Box], object]
) -> None:
    """It is a damaged one."""
    spoil(result(box, "t1"), entry_of("t1", "k", files=())._replace(**change).dump())  # type: ignore[arg-type]
    check(box)
    assert tasks(box) == ["t2", "t3"]


# --- clear


def test_clear_leaves_nothing_but_the_marks(box: Box) -> None:
    """And tells what that was; the cache is of use again at once."""
    box.cache.shelf.put_away(str(box.blob(b"c" * 3000)))
    before = stats(box.cache.shelf)
    assert clear(box.cache.shelf) == (3, 4, before.bytes, 0)
    assert stats(box.cache.shelf) == (0, 0, 0, None, 0)
    assert sorted(os.listdir(box.directory)) == [".gitignore", "CACHEDIR.TAG", ASIDE]
    box.keep("t1", "k", {"a": b"a"})
    assert tasks(box) == ["t1"]


def test_a_clear_that_is_killed_leaves_no_result_in_parts(tmp_path: Path) -> None:
    """Results go before their contents, whenever it ends."""
    for nth in itertools.count(1):
        box = fill(Box(tmp_path))
        completed = not die_at(nth, lambda box=box: clear(box.cache.shelf), ("unlink", "rmdir"))
        assert problems(box) == set()
        shutil.rmtree(box.directory)
        if completed:
            break
    assert nth > 8


# --- after a collect was killed


def test_a_collect_that_is_killed_leaves_no_result_in_parts(tmp_path: Path) -> None:
    """Results go before their contents, whenever it ends; the next collect ends the work."""
    for nth in itertools.count(1):
        box = fill(Box(tmp_path))
        completed = not die_at(nth, lambda box=box: cleaned(box, days=1.5), ("unlink", "rmdir"))
        assert problems(box) == set()
        cleaned(box, days=1.5, later_s=GRACE_S * 2)
        assert (tasks(box), stats(box.cache.shelf).blobs) == (["t1"], 3)
        shutil.rmtree(box.directory)
        if completed:
            break
    assert nth > 4


def _find_and_read(box: Box, task: str) -> bool:
    """Whether a result was found and all its contents are right."""
    found = box.cache.find(task, "k")
    try:
        for kept in found.entry.files if found.entry else ():
            assert sha(box.cache.blobs.read(kept.sha256)) == kept.sha256
    except DamagedBlobError:
        return False
    return found.entry is not None


def _work(tmp_path: Path, name: str, end_at: float) -> None:
    """Keep and find results again and again; an OSError is a cache that cannot be written just now."""
    box = Box(tmp_path, name=name)
    good = 0
    for nth in itertools.count():
        if time.monotonic() > end_at and nth > 10:
            break
        task = f"t{nth % 5}"
        try:
            entry = box.keep(task, "k", {"a": b"%d" % (nth % 5) * 100, "s": b"shared"})
        except OSError:
            continue
        assert [kept.path for kept in entry.files] == ["a", "s"]
        good += _find_and_read(box, task)
        _find_and_read(box, f"t{(nth + 1) % 5}")
    assert good, "nothing was ever found"


@pytest.mark.parametrize("clean", [lambda shelf: collect(shelf, max_bytes=0, max_age_s=0), clear])
def test_cleaning_while_others_work_harms_nobody(tmp_path: Path, clean: Callable[[Shelf], object]) -> None:
    """What is found can be read, or is known as missing; no surprise for either side."""
    end_at = time.monotonic() + 0.7
    children = []
    for name in ("one", "two"):
        child = os.fork()
        if not child:
            code = 1
            try:
                _work(tmp_path, name, end_at)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    shelf = Box(tmp_path).cache.shelf
    while time.monotonic() < end_at:
        clean(shelf)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert verify(shelf, fix=True) is not None
    assert verify(shelf, fix=False) == []
