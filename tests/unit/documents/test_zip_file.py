"""Zip files that are made the same each time, and read without trust."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from wsbuild.documents import zip_file
from wsbuild.documents.zip_file import BadZipError, pack, unpack

MEMBERS = {"b/c.txt": b"text\n" * 100, "a.txt": b"", "é.bin": bytes(range(256))}


def _zip(path: Path, *names: str, mode: int = 0, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            file.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    """All of it, or what is asked for; the order of the members is no matter."""
    path = tmp_path / "x.zip"
    path.write_bytes(pack(MEMBERS))
    assert unpack(str(path)) == MEMBERS
    assert unpack(str(path), ["a.txt", "nothing"]) == {"a.txt": b""}
    assert pack(dict(reversed(MEMBERS.items()))) == pack(MEMBERS)


@pytest.mark.parametrize(
    "name",
    ["../up.txt", "/etc/passwd", "a/../../b", "a\\..\\b", "C:\\x", ".git/config", "a//b", "./a", "", "a/.."],
)
def test_a_name_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    """Is refused, with the name."""
    with pytest.raises(BadZipError, match=r"leads elsewhere|no whole zip"):
        unpack(str(_zip(tmp_path / "x.zip", name)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a.txt", "A.TXT")])
def test_a_name_twice(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Also where only some disks take two names for one."""
    with pytest.raises(BadZipError, match="twice"):
        unpack(str(_zip(tmp_path / "x.zip", *names)))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR])
def test_what_is_no_file(tmp_path: Path, kind: int) -> None:
    """A link, a pipe."""
    with pytest.raises(BadZipError, match="no regular file"):
        unpack(str(_zip(tmp_path / "x.zip", "a", mode=kind | 0o777)))


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the limit is neither unpacked nor packed, nor believed to be less."""
    monkeypatch.setattr(zip_file, "MOST_BYTES", 10_000)
    path = _zip(tmp_path / "x.zip", "a", "b", data=bytes(6_000))
    with pytest.raises(BadZipError, match="12000 bytes"):
        unpack(str(path))
    with pytest.raises(BadZipError, match="12000 bytes"):
        pack({"a": bytes(12_000)})
    data = path.read_bytes()
    small = (10).to_bytes(4, "little")
    path.write_bytes(data.replace((6_000).to_bytes(4, "little"), small))
    with pytest.raises(BadZipError):
        unpack(str(path))
    monkeypatch.setattr(zip_file, "MOST_MEMBERS", 1)
    with pytest.raises(BadZipError, match="2 members"):
        unpack(str(_zip(tmp_path / "y.zip", "a", "b")))


def test_each_byte_that_is_wrong(tmp_path: Path) -> None:
    """Is found, or makes no difference; no other error arises."""
    whole = pack({"a.txt": b"some text", "b": b"more"})
    path = tmp_path / "x.zip"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            found = unpack(str(path))
        except BadZipError:
            continue
        assert set(found.values()) <= {b"some text", b"more"}, at
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        with pytest.raises(BadZipError):
            unpack(str(path))


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    """Nobody waits at a pipe."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises((BadZipError, IsADirectoryError)):
            unpack(str(tmp_path / name))
