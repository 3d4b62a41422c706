"""Putting away and bringing back, where something happens meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from wsbuild.errors import StateError, UserError
from wsbuild.planning.archive import restoring, storing
from wsbuild.planning.archive.contents import Report, Stamp
from wsbuild.planning.archive.opening import open_archive

if TYPE_CHECKING:
    from pathlib import Path

STAMP = Stamp("2026-01-31T12:00:00Z", "1.0", "")
TEXT = '[{"id": "ws-a"},\n {"id": "ws-b"}]\n'


def _where(root: Path, text: str = TEXT) -> storing.Where:
    (root / "workstreams").mkdir()
    (root / "workstreams/x.json").write_text(text)
    return storing.Where(str(root), str(root / "workstreams"), str(root / "archive"), str(root / "archive"))


def _report(ws_id: str, why: str = "") -> Report:
    return Report(ws_id, "x.json", why, "0" * 64, (), (), (), {"events": ()}, {"make": b"log\n"})


def test_what_is_edited_while_it_is_archived_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the archive as it was, and in its file as it is."""
    where = _where(tmp_path)
    edited = TEXT.replace("ws-a", "ws-c")
    real = storing.open_archive

    def editing(path: str) -> object:
        (tmp_path / "workstreams/x.json").write_text(edited)
        return real(path)

    monkeypatch.setattr(storing, "open_archive", editing)
    done = storing.store(where, [_report("ws-b")], STAMP)
    assert (done.ids, [one.id for one in done.refused]) == ((), ["ws-b"])
    assert (tmp_path / "workstreams/x.json").read_text() == edited
    assert open_archive(str(tmp_path / done.file)).bundles["x.json"].data == TEXT.encode()


def test_what_is_edited_while_it_is_brought_back_stays(tmp_path: Path) -> None:
    """It is refused as if it had been so before."""
    where = _where(tmp_path)
    done = storing.store(where, [_report("ws-b")], STAMP)
    opened = open_archive(str(tmp_path / done.file))
    changes = restoring.foresee(opened, ["ws-b"], where.workstreams, {"ws-a": "x.json"})
    (tmp_path / "workstreams/x.json").write_text("[]")
    with pytest.raises(UserError, match="changed meanwhile"):
        restoring.restore(where, done.file, changes)
    assert (tmp_path / "workstreams/x.json").read_text() == "[]"


def test_a_disk_that_gives_back_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put in place, nothing is removed, nothing is left."""
    where = _where(tmp_path)
    monkeypatch.setattr(storing, "pack", lambda _: b"PK, but not really")
    with pytest.raises(UserError, match="no whole zip"):
        storing.store(where, [_report("ws-b")], STAMP)
    assert (tmp_path / "workstreams/x.json").read_text() == TEXT
    assert list((tmp_path / "archive").iterdir()) == []


def test_no_archive_is_overwritten(tmp_path: Path) -> None:
    """Whatever has the name already."""
    where = _where(tmp_path)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/2026-01-31-ws-a.zip").write_text("mine")
    (tmp_path / "archive/2026-01-31-ws-a-2.zip").symlink_to("nowhere")
    done = storing.store(where, [_report("ws-a")], STAMP)
    assert done.file == "archive/2026-01-31-ws-a-3.zip"
    assert (tmp_path / "archive/2026-01-31-ws-a.zip").read_text() == "mine"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Is told of; the bundle file stays."""
    where = _where(tmp_path)
    (tmp_path / "archive").write_text("a file")
    with pytest.raises(StateError, match="archive"):
        storing.store(where, [_report("ws-a")], STAMP)
    assert (tmp_path / "workstreams/x.json").read_text() == TEXT


def test_what_was_given_up_and_done_since_is_archived_anew(tmp_path: Path) -> None:
    """The record that it was not done does not count for what is done."""
    where = _where(tmp_path)
    first = storing.store(where, [_report("ws-a", "it failed")], STAMP)
    opened = open_archive(str(tmp_path / first.file))
    restoring.restore(where, "", restoring.foresee(opened, [], where.workstreams, {}))
    second = storing.store(where, [_report("ws-a")], STAMP)
    assert (second.ids, second.finished) == (("ws-a",), ())
    index = json.loads((tmp_path / "archive/index.json").read_text())
    assert [each["workstreams"][0]["done"] for each in index["archives"]] == [False, True]


def test_a_hostile_mode_is_refused(tmp_path: Path) -> None:
    """No file is made that runs as its owner."""
    from wsbuild.documents.zip_file import pack, unpack

    where = _where(tmp_path)
    done = storing.store(where, [_report("ws-a")], STAMP)
    members = unpack(str(tmp_path / done.file))
    members["manifest.json"] = members["manifest.json"].replace(b'"mode": 420', b'"mode": 2541')
    (tmp_path / "bad.zip").write_bytes(pack(members))
    with pytest.raises(UserError, match="mode"):
        open_archive(str(tmp_path / "bad.zip"))
