"""What is noted of files that were looked at."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from wsbuild.looks import GONE, look_of
from wsbuild.watch import FINE_MARGIN_NS, UNSURE, Watch

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("age_ns", "is_sure"),
    [(FINE_MARGIN_NS + SECOND // 1000, True), (FINE_MARGIN_NS, False), (0, False), (-SECOND, False)],
)
def test_what_has_just_changed_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_ns: int, is_sure: bool
) -> None:
    """The clock of the file system may not tell a change right after it from this one."""
    file = tmp_path / "file"
    file.touch()
    st = os.lstat(file)
    now = max(st.st_mtime_ns, st.st_ctime_ns) + age_ns
    monkeypatch.setattr(time, "time_ns", lambda: now)
    watch = Watch(lambda _: False)
    watch.lstat_file(str(file))
    mtime, ctime, size, ino, mode = look_of(st)
    assert watch.stats() == {str(file): (mtime, ctime, size, ino if is_sure else UNSURE, mode)}


def test_whole_seconds_are_a_coarse_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it takes two of them."""
    watch = Watch(lambda _: False)
    for age, is_sure in ((1, False), (2, False), (3, True)):
        watch.began_ns = (10 + age) * SECOND
        watch.files[str(tmp_path)] = (10 * SECOND, 10 * SECOND, 1, 1, 1)
        assert (watch.stats()[str(tmp_path)][3] != UNSURE) is is_sure


def test_what_was_seen_first_counts(tmp_path: Path) -> None:
    """A later look is of what may be another file."""
    file = tmp_path / "file"
    watch = Watch(lambda _: False)
    watch.began_ns += 10 * SECOND
    with pytest.raises(FileNotFoundError):
        watch.lstat_file(str(file))
    file.touch()
    watch.lstat_file(str(file))
    assert watch.stats() == {str(file): GONE}


def test_what_is_known_is_not_looked_at(tmp_path: Path) -> None:
    """A later look at it is of what may be another file."""
    file, known = tmp_path / "file", (1, 1, 1, 1, 0o100644)
    watch = Watch(lambda _: False, {str(file): known}.get)
    assert (watch.look(str(file)), watch.look(str(tmp_path))) == (known, None)
    assert (watch.stats(), watch.known) == ({}, {str(file): known})
    file.touch()
    watch.lstat_file(str(file))
    assert watch.stats() == {str(file): known}


def test_a_folder_is_its_names_that_count(tmp_path: Path) -> None:
    """With what each is."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a").touch()
    (tmp_path / "c").symlink_to("b")
    (tmp_path / "skip").touch()
    watch = Watch(lambda name: name == "skip")
    watch.note(str(tmp_path))
    watch.note(str(tmp_path / "a"))
    watch.note(str(tmp_path / "nowhere"))
    assert watch.listings == {str(tmp_path): "a/00\0b/10\0c/01"}
    assert set(watch.folders) == {str(tmp_path)}
    assert watch.around[str(tmp_path / "nowhere")] == GONE
    assert watch.around[str(tmp_path / "a")] != GONE


def test_links_are_looked_at_to_their_end(tmp_path: Path) -> None:
    """Also where they have none."""
    (tmp_path / "end").mkdir()
    (tmp_path / "middle").symlink_to("end")
    (tmp_path / "first").symlink_to("middle")
    (tmp_path / "round").symlink_to("./round")
    watch = Watch(lambda _: False)
    watch.note(str(tmp_path / "first"))
    assert set(watch.around) == {str(tmp_path / "first"), str(tmp_path / "middle")}
    assert set(watch.listings) == {str(tmp_path / "end")}
    watch.note(str(tmp_path / "round"))
    assert str(tmp_path / "round") in watch.around
