"""Which of many files look different than they did."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

import pytest

from wsbuild import fork
from wsbuild.looks import FIELDS, GONE, MANY, differing, look_of

if TYPE_CHECKING:
    from pathlib import Path


class Many:
    """So many files that two processors look at them."""

    def __init__(self, root: Path) -> None:
        self.paths = [str(root / f"{number:04}") for number in range(MANY)]
        for path in self.paths[1:]:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        seen = (look_of(os.lstat(path)) for path in self.paths[1:])
        self.seen = array("q", [number for look in (GONE, *seen) for number in look])

    def change(self, *places: int) -> None:
        for at in places:
            with open(self.paths[at], "a") as file:
                file.write("more")


@pytest.fixture(params=[False, True], ids=["alone", "in two"])
def in_two(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether it is asked to go on in two: pytest itself may have threads."""
    monkeypatch.setattr(fork, "can_fork", lambda: request.param)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return bool(request.param)


@pytest.mark.usefixtures("in_two")
@pytest.mark.parametrize("places", [(), (0,), (3, MANY // 2), (MANY - 1,), (0, 5, MANY // 2 - 1, MANY - 2)])
def test_what_differs_is_told_in_order(tmp_path: Path, places: tuple[int, ...]) -> None:
    """What was changed, and what is there and was not."""
    many = Many(tmp_path)
    many.change(*places)
    assert differing(many.paths, many.seen) == list(places)


@pytest.mark.usefixtures("in_two")
def test_all_may_differ(tmp_path: Path) -> None:
    """More than a pipe holds, too."""
    many = Many(tmp_path)
    paths = many.paths * 12
    for path in many.paths[1:]:
        os.unlink(path)
    gone = [at for at in range(len(paths)) if at % MANY]
    assert differing(paths, many.seen * 12) == gone


def test_a_child_that_fails_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its half is looked at again."""
    monkeypatch.setattr(fork, "can_fork", lambda: True)
    monkeypatch.setattr(fork, "_tell", lambda *_: os._exit(1))
    many = Many(tmp_path)
    many.change(MANY - 1)
    assert differing(many.paths, many.seen) == [MANY - 1]


@pytest.mark.parametrize("field", range(FIELDS))
def test_each_field_of_a_look_counts(tmp_path: Path, field: int) -> None:
    """Also where a file system has no time of change of its own, or inodes that it makes up."""
    st = os.lstat(tmp_path)
    seen = array("q", look_of(st))
    assert tuple(seen) == (st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino, st.st_mode)
    assert differing([str(tmp_path)], seen) == []
    seen[field] += 1
    assert differing([str(tmp_path)], seen) == [0]
