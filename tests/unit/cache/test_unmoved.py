"""Files that look otherwise and have the content that they had."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from wsbuild import memory
from wsbuild.cache import unmoved
from wsbuild.cache.digest import quick_fd
from wsbuild.looks import look_at
from wsbuild.watch import FINE_MARGIN_NS, UNSURE

if TYPE_CHECKING:
    from pathlib import Path

SEED = 7
FILES = 4


@pytest.fixture
def seen(tmp_path: Path) -> memory.Memory:
    """What was seen of some files, which were all touched since."""
    paths = [tmp_path / str(number) for number in range(FILES)]
    marks = {}
    for path in paths:
        path.write_text(path.name)
        with path.open("rb") as file:
            marks[str(path)] = quick_fd(file.fileno(), SEED)
    stats = {str(path): look_at(str(path)) for path in paths}
    old = memory.of_run(str(tmp_path), (0, "", ""), stats, {}, "{}", marks)
    for path in paths:
        os.utime(path)
    return old


def test_what_was_touched_long_before_it_is_read_is_sure(
    seen: memory.Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file by the time at which its own turn came: not by when all began."""

    def slowly(fd: int, seed: int) -> bytes:
        time.sleep(FINE_MARGIN_NS / 1e9 * 0.7)
        return quick_fd(fd, seed)

    monkeypatch.setattr(unmoved, "quick_fd", slowly)
    assert unmoved.take_as_seen(seen, range(FILES), SEED) == []
    looks = [seen.look(place) for place in range(FILES)]
    assert [look[3] == UNSURE for look in looks] == [True, True, False, False]
    now = [look_at(os.path.join(seen.root, path)) for path in seen.paths]
    assert [(*look[:3], look[4]) for look in looks] == [(*look[:3], look[4]) for look in now]
    assert looks[2:] == now[2:]


@pytest.mark.parametrize("text", ["other", "9"])
def test_what_has_another_content_is_the_rest(seen: memory.Memory, text: str) -> None:
    """Also one of the same size."""
    (place,) = (at for at, path in enumerate(seen.paths) if path == "2")
    with open(os.path.join(seen.root, "2"), "w") as file:
        file.write(text)
    assert unmoved.take_as_seen(seen, range(FILES), SEED) == [place]


def test_what_changes_while_it_is_read_is_the_rest(
    seen: memory.Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digest may be of what was there before."""

    def late(fd: int, seed: int) -> bytes:
        found = quick_fd(fd, seed)
        os.utime(fd, ns=(1, 1))
        return found

    monkeypatch.setattr(unmoved, "quick_fd", late)
    assert unmoved.take_as_seen(seen, range(FILES), SEED) == list(range(FILES))
