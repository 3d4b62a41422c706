"""Files of the cache: whole under their names, or not there."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest
from cachebox import sha

from wsbuild.cache.blobs import Blobs, DamagedBlobError
from wsbuild.cache.shelf import ASIDE, DAMAGED, DAY_S, Shelf

CONTENT = b"one content\n"


class Place:
    """A cache with `CONTENT` in it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "cache"
        self.shelf = Shelf(str(self.root), writable=True)
        self.blobs = Blobs(self.shelf)
        self.blobs.put_bytes(CONTENT)
        self.path = Path(self.blobs.path(sha(CONTENT)))

    def files(self) -> list[str]:
        """All files, by their paths."""
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A cache with one content."""
    return Place(tmp_path)


def test_killed_in_the_middle_of_writing_nothing_has_the_name(place: Place) -> None:
    """Half a content is only ever aside."""
    target = place.root / "blobs" / "ab" / "half"
    child = os.fork()
    if not child:
        with place.shelf.writing(str(target)) as fd:
            os.write(fd, b"half")
            os._exit(0)
    os.waitpid(child, 0)
    assert not target.exists()
    [left] = (place.root / ASIDE).iterdir()
    assert left.read_bytes() == b"half"
    left.unlink()


@pytest.mark.parametrize("call", ["write", "fchmod", "fsync", "rename"])
def test_a_failure_while_writing_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever step fails: no content, nothing aside, and the next try is good."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    before = place.files()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="no space"):
            place.blobs.put_bytes(b"new")
    assert place.files() == before
    assert place.blobs.read(place.blobs.put_bytes(b"new")) == b"new"


def test_the_content_is_on_the_disk_before_it_has_its_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fsync comes before rename: a power failure leaves no empty content."""
    calls: list[str] = []
    for name in ("fsync", "rename"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, _n=name, _r=real: (calls.append(_n), _r(*a))[1])
    place.blobs.put_bytes(b"new")
    assert calls == ["fsync", "rename"]


def test_nobody_waits_for_what_another_flushes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile files are kept, and none is taken for missing; in the end all are in their places, those of
    the first lot first.
    """
    shelf = Shelf(str(tmp_path), writable=True, deferred=True)
    blobs = Blobs(shelf)
    shelf.prepare()
    flushing, go_on = threading.Event(), threading.Event()
    real, order = os.fsync, []

    def slow(fd: int) -> None:
        flushing.set()
        assert go_on.wait(20)
        real(fd)

    monkeypatch.setattr(os, "fsync", slow)
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda a, b: (order.append(b), rename(a, b))[1])
    first = blobs.put_bytes(b"first")
    thread = threading.Thread(target=shelf.settle)
    thread.start()
    assert flushing.wait(20)
    second = blobs.put_bytes(b"second")
    shelf.settle(after_s=1e-9)  # somebody is at it
    assert shelf.waits(blobs.path(first))
    assert shelf.waits(blobs.path(second))
    last = threading.Thread(target=shelf.settle)
    last.start()
    go_on.set()
    for each in (thread, last):
        each.join(20)
    wanted = [blobs.path(first), blobs.path(second)]
    assert [path for path in order if path in wanted] == wanted
    assert [blobs.read(digest) for digest in (first, second)] == [b"first", b"second"]
    assert not shelf.waits(blobs.path(first))


def test_short_writes_are_continued(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may take less than it was given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:3])))
    (tmp_path / "a").write_bytes(b"0123456789")
    place.blobs.put_file(str(tmp_path / "a"), sha(b"0123456789"))
    place.blobs.put_bytes(b"9876543210")
    for data in (b"0123456789", b"9876543210"):
        assert place.blobs.read(sha(data)) == data
        with (tmp_path / "copy").open("wb+") as file:
            place.blobs.copy_to(sha(data), file.fileno())
        assert (tmp_path / "copy").read_bytes() == data


@pytest.mark.parametrize("folder", [ASIDE, "blobs"])
def test_a_directory_that_somebody_cleaned_away_is_made_again(place: Place, folder: str) -> None:
    """It was there when it was last looked at."""
    for above, _, names in os.walk(place.root / folder, topdown=False):
        for name in names:
            os.unlink(os.path.join(above, name))
        os.rmdir(above)
    assert place.blobs.read(place.blobs.put_bytes(CONTENT)) == CONTENT


def test_use_is_noted_at_most_once_in_a_while(place: Place) -> None:
    """Times are changed where that tells something, not at each use."""
    recent, old = time.time() - DAY_S / 2, time.time() - DAY_S * 2
    for used_at, changes in ((recent, False), (old, True)):
        os.utime(place.path, (used_at, used_at))
        before = place.path.stat().st_mtime_ns
        place.shelf.used(str(place.path))
        assert (place.path.stat().st_mtime_ns != before) is changes
    place.shelf.used(str(place.root / "nothing"))


def test_put_away_loses_nothing_of_the_same_name(place: Place) -> None:
    """Each damaged file is kept under a name of its own; what is not there cannot be."""
    kept = []
    for text in (b"one", b"two"):
        (place.root / "a").write_bytes(text)
        kept.append(Path(place.shelf.put_away(str(place.root / "a"))))
    assert [path.read_bytes() for path in kept] == [b"one", b"two"]
    assert {path.parent for path in kept} == {place.root / DAMAGED}
    assert place.shelf.put_away(str(place.root / "a")) == ""


def test_what_is_read_is_no_link(place: Place) -> None:
    """A link in the place of a file is an error, wherever it leads."""
    (place.root / "link").symlink_to(place.path)
    with pytest.raises(OSError, match="symbolic links"):
        place.shelf.read(str(place.root / "link"))


def test_a_shortage_of_the_reader_is_no_damage(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content stays in use where it was not even looked at."""

    def fail(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        with pytest.raises((OSError, DamagedBlobError)):
            place.blobs.read(sha(CONTENT))
    assert place.path.exists()
