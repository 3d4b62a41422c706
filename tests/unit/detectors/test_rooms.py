"""What one call of a tool has for itself."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from wsbuild.detectors.rooms import Room


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_room_is_ours_alone(temporary: Path) -> None:
    """Each another, where temporary files are wanted."""
    with Room() as one, Room() as other:
        rooms = sorted(Path(room.folder) for room in (one, other))
        assert rooms == sorted(temporary.iterdir())
        assert [stat.S_IMODE(room.stat().st_mode) for room in rooms] == [0o700, 0o700]
        one.errors.write(b"said")
    assert list(temporary.iterdir()) == []


def test_nothing_of_it_stays(temporary: Path, tmp_path: Path) -> None:
    """Whatever a tool has left there; what a link leads to is not its own."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    outside.chmod(0o500)
    with Room() as room:
        deep = Path(room.folder, "cache", "deep")
        deep.mkdir(parents=True)
        (deep / "file").touch()
        (deep / "link").symlink_to(outside)
        Path(room.folder, "away").symlink_to(outside)
        deep.chmod(0o500)
        deep.parent.chmod(0)
    assert list(temporary.iterdir()) == []
    assert (stat.S_IMODE(outside.stat().st_mode), os.listdir(outside)) == (0o500, ["file"])


def test_a_tool_may_remove_it(temporary: Path) -> None:
    """Its home is its own."""
    with Room() as room:
        shutil.rmtree(room.folder)
    assert list(temporary.iterdir()) == []


def test_where_no_temporary_files_can_be(temporary: Path) -> None:
    """They go where the system has a place for them."""
    temporary.rmdir()
    with Room() as room:
        assert os.path.isdir(room.folder)
    assert not os.path.exists(room.folder)
