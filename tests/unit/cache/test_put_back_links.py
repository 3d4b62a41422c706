"""Files put back or taken away where somebody laid symbolic links."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest
from cachebox import NEW, Project, files_of, tree

from wsbuild.cache import put_back, within
from wsbuild.cache.put_back import ASIDE
from wsbuild.cache.within import move_aside, remove


@pytest.mark.parametrize("paths", [("a",), ("a", "b")])
@pytest.mark.parametrize("target", ["../outside/theirs", "ours", "nowhere", "."])
def test_a_link_in_the_place_of_a_file_is_replaced(
    project: Project, paths: tuple[str, ...], target: str
) -> None:
    """Not followed: what it leads to stays as it is."""
    (project.outside / "theirs").write_bytes(b"theirs")
    (project.root / "ours").write_bytes(b"ours")
    (project.root / "a").symlink_to(target)
    project.stage(*paths).commit()
    assert files_of(project.root)["a"] == (NEW["a"], 0o644)
    assert (project.outside / "theirs").read_bytes() == b"theirs"
    assert (project.root / "ours").read_bytes() == b"ours"
    assert os.listdir(project.outside) == ["theirs"]


def _swap(project: Project) -> None:
    (project.root / "d").rename(project.root / "was")
    (project.root / "d").symlink_to(project.outside)


def test_a_parent_that_becomes_a_link_is_not_followed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even between the look at it and the writing."""
    (project.root / "d").mkdir()
    (project.root / "a").write_bytes(b"old")
    staged = project.stage("a", "d/c")
    write_journal = put_back._write_journal
    monkeypatch.setattr(put_back, "_write_journal", lambda *args: (write_journal(*args), _swap(project)))
    with pytest.raises(OSError, match="Errno"):
        staged.commit()
    assert os.listdir(project.outside) == []
    assert files_of(project.root)["a"] == (b"old", 0o644)


@pytest.mark.parametrize("how", [remove, lambda root, rel: move_aside(root, rel, ASIDE + "/x")])
@pytest.mark.parametrize("inside", [True, False])
def test_nothing_is_taken_away_behind_a_link(
    project: Project, how: Callable[[str, str], object], inside: bool
) -> None:
    """Neither outside the project nor in it."""
    (project.outside / "c").write_bytes(b"theirs")
    (project.root / "real").mkdir()
    (project.root / "real" / "c").write_bytes(b"ours")
    (project.root / "d").symlink_to("real" if inside else project.outside)
    before = tree(project.root), tree(project.outside)
    with contextlib.suppress(OSError):
        how(str(project.root), "d/c")
    assert (tree(project.root), tree(project.outside)) == before


@pytest.mark.parametrize("how", [remove, lambda root, rel: move_aside(root, rel, ASIDE + "/x")])
def test_a_parent_that_becomes_a_link_leads_nowhere(
    project: Project, monkeypatch: pytest.MonkeyPatch, how: Callable[[str, str], object]
) -> None:
    """What was looked at is what is taken away: that one, and not what has the name now."""
    (project.root / "d").mkdir()
    for directory in (project.root / "d", project.outside):
        (directory / "c").write_text(directory.name)
    real = within.parent_of

    @contextlib.contextmanager
    def parent_of(root: str, rel: str) -> Iterator[tuple[int, str]]:
        with real(root, rel) as found:
            _swap(project)
            yield found

    monkeypatch.setattr(within, "parent_of", parent_of)
    how(str(project.root), "d/c")
    assert os.listdir(project.outside) == ["c"]
    assert os.listdir(project.root / "was") == []


def test_a_link_itself_is_taken_away(project: Project) -> None:
    """Not what it leads to."""
    (project.outside / "c").write_bytes(b"theirs")
    for name in ("one", "two"):
        (project.root / name).symlink_to(project.outside / "c")
    remove(str(project.root), "one")
    kept = move_aside(str(project.root), "two", ASIDE + "/x")
    assert tree(project.root) == {}
    assert os.readlink(project.root / kept) == str(project.outside / "c")
    assert (project.outside / "c").read_bytes() == b"theirs"


def test_what_is_moved_aside_keeps_its_path_there(project: Project) -> None:
    """And what is not there need not be removed, but cannot be moved."""
    (project.root / "d").mkdir()
    (project.root / "d" / "c").write_bytes(b"ours")
    kept = move_aside(str(project.root), "d/c", ASIDE + "/x")
    assert kept == ASIDE + "/x/d/c"
    assert (project.root / kept).read_bytes() == b"ours"
    for rel in ("d/c", "no/such", "d/c/e"):
        remove(str(project.root), rel)
        with pytest.raises(OSError, match="Errno"):
            move_aside(str(project.root), rel, ASIDE + "/x")
