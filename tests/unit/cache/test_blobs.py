"""Contents by their sha256: what is put in comes out the same, or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wsbuild.cache import blobs as blobs_module
from wsbuild.cache.blobs import Blobs, DamagedBlobError
from wsbuild.cache.shelf import ASIDE, DAMAGED, DAY_S, TAG, Shelf

CONTENT = b"one content\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OTHER = b"two content\n"
READERS = ["read", "copy_to"]


class Place:
    """A cache with `CONTENT` and `OTHER` in it, and the two ways to read from it."""

    def __init__(self, root: Path, *, writable: bool = True) -> None:
        self.root = root / "cache"
        self.shelf = Shelf(str(self.root), writable=writable)
        self.blobs = Blobs(self.shelf)
        self.path = Path(self.blobs.path(DIGEST))

    def read(self, how: str, digest: str = DIGEST) -> bytes:
        """A content as `how` gives it."""
        if how == "read":
            return self.blobs.read(digest)
        with tempfile.TemporaryFile() as file:
            self.blobs.copy_to(digest, file.fileno())
            file.seek(0)
            return file.read()

    def damaged(self) -> list[str]:
        """What was put away."""
        folder = self.root / DAMAGED
        return sorted(os.listdir(folder)) if folder.is_dir() else []

    def files(self) -> list[str]:
        """All files, by their paths."""
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def overwrite(self, data: bytes) -> None:
        """Change the stored content in its place, as a broken disk does."""
        self.path.chmod(0o644)
        self.path.write_bytes(data)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A cache with two contents."""
    place = Place(tmp_path)
    place.blobs.put_bytes(CONTENT)
    place.blobs.put_bytes(OTHER)
    before = len(os.listdir("/proc/self/fd"))
    yield place
    assert len(os.listdir("/proc/self/fd")) == before, "a file is still open"
    assert not os.listdir(place.root / ASIDE), "something is left aside"


def check_refused(place: Place, how: str, *, kept: int = 1) -> None:
    """The content is refused and put away; put in again, it comes out well."""
    before = len(place.damaged())
    with pytest.raises(DamagedBlobError):
        place.read(how)
    assert not os.path.lexists(place.path)
    assert len(place.damaged()) == before + kept
    assert place.blobs.put_bytes(CONTENT) == DIGEST
    assert place.read(how) == CONTENT


def test_contents_come_out_as_they_went_in(place: Place) -> None:
    """Any bytes, however many, none included."""
    for data in (b"", b"\0", bytes(range(256)), os.urandom((1 << 20) + 1)):
        digest = place.blobs.put_bytes(data)
        assert digest == hashlib.sha256(data).hexdigest()
        assert [place.read(how, digest) for how in READERS] == [data, data]
        assert place.blobs.holds(digest, len(data))
        assert not place.blobs.holds(digest, len(data) + 1)


@pytest.mark.parametrize("how", READERS)
def test_a_flip_of_any_byte_is_noticed(place: Place, how: str) -> None:
    """The size is the same; the content is not."""
    for at in range(len(CONTENT)):
        place.overwrite(CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :])
        check_refused(place, how)


@pytest.mark.parametrize("how", READERS)
def test_any_other_length_is_noticed(place: Place, how: str) -> None:
    """Cut off anywhere, empty included, or with more behind it; not even held."""
    for data in [CONTENT[:length] for length in range(len(CONTENT))] + [CONTENT + b"\0"]:
        place.overwrite(data)
        assert not place.blobs.holds(DIGEST, len(CONTENT))
        check_refused(place, how)


@pytest.mark.parametrize("how", READERS)
def test_two_contents_in_each_others_places_are_noticed(place: Place, how: str) -> None:
    """A right content under a wrong name is damaged."""
    other = Path(place.blobs.path(hashlib.sha256(OTHER).hexdigest()))
    place.path.rename(place.root / "x")
    other.rename(place.path)
    (place.root / "x").rename(other)
    check_refused(place, how)
    with pytest.raises(DamagedBlobError):
        place.read(how, hashlib.sha256(OTHER).hexdigest())


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "a").write_bytes(CONTENT)


def _link(path: Path) -> None:
    right = path.parent / "right"
    right.write_bytes(CONTENT)
    path.symlink_to(right)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("how", READERS)
@pytest.mark.parametrize("make", [_directory, _link, _dangling, _pipe])
def test_what_is_no_file_is_put_away_and_not_followed(
    place: Place, how: str, make: Callable[[Path], None]
) -> None:
    """Not even a link to the right content; and nobody waits for a pipe."""
    place.path.unlink()
    make(place.path)
    assert not place.blobs.holds(DIGEST, len(CONTENT))
    check_refused(place, how)


@pytest.mark.parametrize(
    "how",
    [
        "read",
        "copy_to",
    ],
)
def test_a_pipe_that_somebody_writes_to_is_damaged_too(place: Place, how: str) -> None:
    """Nothing to read just now is no content."""
    place.path.unlink()
    os.mkfifo(place.path)
    other_end = os.open(place.path, os.O_RDWR)
    try:
        with pytest.raises(DamagedBlobError):
            place.read(how)
    finally:
        os.close(other_end)


@pytest.mark.parametrize("how", READERS)
def test_a_missing_content_is_damaged_with_nothing_to_put_away(place: Place, how: str) -> None:
    """Somebody may have cleaned up meanwhile."""
    place.path.unlink()
    check_refused(place, how, kept=0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
@pytest.mark.parametrize("how", READERS)
def test_an_unreadable_content_is_damaged(place: Place, how: str) -> None:
    """Whoever made it so."""
    place.path.chmod(0)
    check_refused(place, how)


@pytest.mark.parametrize("how", READERS)
def test_a_broken_disk_is_damage(place: Place, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An input error while reading is no content, and no other exception."""

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", fail)
        with pytest.raises(DamagedBlobError):
            place.read(how)
    assert len(place.damaged()) == 1


def test_a_full_disk_of_the_reader_is_no_damage(place: Place) -> None:
    """The content stays in use where only the copy cannot be written."""
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="No space"):
            place.blobs.copy_to(DIGEST, fd)
    finally:
        os.close(fd)
    assert place.read("read") == CONTENT


# --- put_file


def test_a_file_is_kept_and_its_size_told(place: Place, tmp_path: Path) -> None:
    """Also where it is there already."""
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert [place.blobs.put_file(str(tmp_path / "a"), digest) for _ in range(2)] == [3_000_000] * 2
    assert place.read("read", digest) == b"x" * 3_000_000


def test_a_file_that_is_not_its_digest_leaves_nothing(place: Place, tmp_path: Path) -> None:
    """It was changed since it was read: no content, nothing aside."""
    (tmp_path / "a").write_bytes(b"changed")
    before = place.files()
    with pytest.raises(ValueError, match="changed meanwhile"):
        place.blobs.put_file(str(tmp_path / "a"), hashlib.sha256(b"before").hexdigest())
    assert place.files() == before


@pytest.mark.parametrize("data", [CONTENT, b""])
@pytest.mark.parametrize("make", [_directory, _link, _pipe])
def test_only_plain_files_are_kept(
    place: Place, tmp_path: Path, make: Callable[[Path], None], data: bytes
) -> None:
    """A link is not followed, a pipe not waited for, and neither of them is an empty file."""
    make(tmp_path / "a")
    place.path.unlink()
    before = place.files()
    with pytest.raises((ValueError, OSError)):
        place.blobs.put_file(str(tmp_path / "a"), hashlib.sha256(data).hexdigest())
    assert place.files() == before


def test_what_is_there_is_not_written_again(place: Place, tmp_path: Path) -> None:
    """Neither as bytes nor as a file."""
    (tmp_path / "a").write_bytes(CONTENT)
    before = place.path.stat().st_ino, place.path.stat().st_mtime_ns
    place.blobs.put_bytes(CONTENT)
    place.blobs.put_file(str(tmp_path / "a"), DIGEST)
    assert (place.path.stat().st_ino, place.path.stat().st_mtime_ns) == before


def test_an_old_content_that_is_put_again_is_young(place: Place) -> None:
    """The next cleaning must leave it for the result that will name it."""
    os.utime(place.path, (1, 1))
    place.blobs.put_bytes(CONTENT)
    assert place.path.stat().st_mtime > DAY_S


# --- how it is stored


def test_stored_files_are_read_only_and_the_cache_is_marked(place: Place) -> None:
    """Nothing in the cache is changed in place; git and backups leave it alone."""
    place.shelf.prepare()
    modes = {stat.S_IMODE((place.root / name).stat().st_mode) for name in place.files()}
    assert modes == {0o444}
    assert (place.root / TAG).read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    assert (place.root / ".gitignore").read_text().endswith("\n*\n")


def test_copies_are_files_of_their_own(place: Place, tmp_path: Path) -> None:
    """Who writes to a source or to a copy changes nothing in the cache."""
    data = b"z" * 10_000
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "source").write_bytes(data)
    place.blobs.put_file(str(tmp_path / "source"), digest)
    with (tmp_path / "copy").open("wb+") as file:
        place.blobs.copy_to(digest, file.fileno())
    for name in ("source", "copy"):
        with (tmp_path / name).open("rb+") as file:
            file.write(b"changed")
        assert (tmp_path / name).stat().st_nlink == 1
    assert Path(place.blobs.path(digest)).stat().st_nlink == 1
    assert place.read("read", digest) == data


# --- a cache that must not be written


def test_a_cache_that_is_not_writable_is_read_and_left_as_it_is(place: Place, tmp_path: Path) -> None:
    """Reading works; no time is changed; damage is told and stays where it is."""
    reader = Place(tmp_path, writable=False)
    os.utime(place.path, (1, 1))
    reader.shelf.used(str(place.path))
    assert [reader.read(how) for how in READERS] == [CONTENT] * 2
    assert place.path.stat().st_mtime == 1
    place.overwrite(b"damaged")
    for how in READERS:
        with pytest.raises(DamagedBlobError):
            reader.read(how)
    assert place.path.read_bytes() == b"damaged"
    assert place.damaged() == []


# --- sharing blocks


def test_what_was_cloned_is_verified_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest is of what the copy holds, not of what was to be copied."""

    def clone(answer: bytes) -> Callable[[int, int], bool]:
        return lambda _source, target: os.write(target, answer) == len(answer)

    monkeypatch.setattr(blobs_module, "clone_file", clone(CONTENT))
    assert place.read("copy_to") == CONTENT
    monkeypatch.setattr(blobs_module, "clone_file", clone(OTHER))
    with pytest.raises(DamagedBlobError):
        place.read("copy_to")


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM])
def test_where_blocks_cannot_be_shared_they_are_copied(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whatever the kernel's reason."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "ioctl", fail)
    assert place.read("copy_to") == CONTENT
