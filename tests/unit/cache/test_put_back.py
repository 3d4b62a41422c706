"""Files put back: all or none, and nowhere but where they belong."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from cachebox import NEW, Project, files_of, spoil, tree

from wsbuild.cache import put_back, within
from wsbuild.cache.blobs import DamagedBlobError
from wsbuild.cache.put_back import finish_cut

# --- what is put back


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o777, 0o400, 0o000, 0o666])
@pytest.mark.parametrize("paths", [("a",), ("a", "d/c")])
@pytest.mark.parametrize("umask", [0o077, 0o022, 0])
def test_permissions_are_exactly_those_that_were_kept(
    project: Project, paths: tuple[str, ...], mode: int, umask: int
) -> None:
    """Whatever the umask, and whatever was there."""
    (project.root / "a").write_text("old")
    old = os.umask(umask)
    try:
        project.stage(*paths, mode=mode).commit()
    finally:
        os.umask(old)
    assert files_of(project.root) == {path: (NEW[path], mode) for path in paths}
    assert project.left() == []


def test_directories_are_made_and_paths_removed(project: Project) -> None:
    """Also where nothing was to be removed."""
    (project.root / "gone").write_text("old")
    project.stage("x/y/z", "a", removed=("gone", "never", "no/such")).commit()
    assert sorted(files_of(project.root)) == ["a", "x/y/z"]
    assert not (project.root / "no").exists()


def test_only_removing_and_nothing_at_all_are_fine(project: Project) -> None:
    """A step may leave no file."""
    (project.root / "gone").write_text("old")
    project.stage(removed=("gone",)).commit()
    project.stage().commit()
    assert files_of(project.root) == {}
    assert project.left() == []


def test_one_file_and_a_path_to_remove_are_both_done(project: Project) -> None:
    """The short way is for one file alone."""
    (project.root / "gone").write_text("old")
    project.stage("a", removed=("gone",)).commit()
    assert list(files_of(project.root)) == ["a"]


def test_who_reads_the_old_file_keeps_the_old_file(project: Project) -> None:
    """A file is replaced, never written to: other names of it keep their content."""
    for path in ("a", "b"):
        (project.root / path).write_bytes(b"old")
    os.link(project.root / "a", project.outside / "other-name")
    os.link(project.root / "b", project.outside / "another")
    project.stage("a").commit()
    project.stage("b", "d/c").commit()
    assert {path.read_bytes() for path in project.outside.iterdir()} == {b"old"}
    assert (project.root / "a").stat().st_nlink == 1


def test_what_is_staged_and_discarded_changes_nothing(project: Project) -> None:
    """Twice discarding is once."""
    for paths in (("a",), ("a", "b")):
        staged = project.stage(*paths, removed=("x",))
        assert project.left()
        staged.discard()
        staged.discard()
        assert project.left() == []
    assert tree(project.root) == {}


# --- all or nothing


PLACES = {
    "a directory stands there": lambda p: (p.root / "d" / "c").mkdir(parents=True),
    "a full directory stands there": lambda p: (p.root / "d" / "c" / "x").mkdir(parents=True),
    "the parent is a link to outside": lambda p: (p.root / "d").symlink_to(p.outside),
    "the parent is a link to inside": lambda p: (
        (p.root / "real").mkdir(),
        (p.root / "d").symlink_to("real"),
    ),
    "the parent is a link to nowhere": lambda p: (p.root / "d").symlink_to("nowhere"),
    "the parent is a file": lambda p: (p.root / "d").write_text("file"),
    "the parent is a pipe": lambda p: os.mkfifo(p.root / "d"),
}


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("place", PLACES)
def test_where_one_cannot_be_written_none_is(project: Project, place: str, at: int) -> None:
    """Whichever of the files it is: the old ones stay, with their permissions, and nothing is aside."""
    PLACES[place](project)
    (project.root / "a").write_bytes(b"old a")
    (project.root / "a").chmod(0o640)
    (project.root / "gone").write_bytes(b"old")
    paths = ["a", "b"]
    paths.insert(at, "d/c")
    project.check_fails(*paths, removed=("gone",))
    project.check_fails("d/c")


@pytest.mark.parametrize("place", ["a directory stands there", "the parent is a link to outside"])
def test_where_one_cannot_be_removed_none_is_written(project: Project, place: str) -> None:
    """What is to be removed counts like what is to be written."""
    PLACES[place](project)
    (project.outside / "c").write_bytes(b"theirs")
    (project.root / "a").write_bytes(b"old a")
    project.check_fails("a", "b", removed=("d/c",))


@pytest.mark.parametrize("paths", [("x/y/a", "d"), ("d/new/" + "z" * 300,)], ids=["many", "one"])
def test_directories_of_a_failure_do_not_stay(project: Project, paths: tuple[str, ...]) -> None:
    """All is as it was: the directories too."""
    (project.root / "d").mkdir()
    staged = project.stage(*paths)
    with pytest.raises(OSError, match="Errno"):
        staged.commit()
    assert tree(project.root) == {"d": None}


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_failure_in_the_middle_is_undone(
    project: Project, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """Whichever renaming fails (the first makes the list of what is under way)."""
    for path in ("a", "b", "gone", "also"):
        (project.root / path).write_bytes(b"old " + path.encode())
        (project.root / path).chmod(0o604)
    before = files_of(project.root)
    staged = project.stage("a", "b", "d/c", removed=("gone", "also"))
    rename, calls = os.rename, [0]

    def fail(*args: object, **options: object) -> None:
        calls[0] += 1
        if calls[0] == nth:
            raise OSError(errno.ENOSPC, "no space")
        rename(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(OSError, match="no space"):
            staged.commit()
    assert files_of(project.root) == before
    assert project.left() == []


def test_what_cannot_be_undone_is_not_lost(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes no more names: the old content must be somewhere."""
    (project.root / "a").write_bytes(b"precious")
    staged = project.stage("a", "b")
    rename = os.rename

    def fail(*args: object, **options: object) -> None:
        if "dst_dir_fd" in options:
            raise OSError(errno.EDQUOT, "quota")
        rename(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(OSError, match="quota"):
            staged.commit()
    finish_cut(str(project.root))
    assert b"precious" in [path.read_bytes() for path in project.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("one", "two"),
    [("x/y", "x%y"), ("d" * 100 + "/" + "p" * 200, "e" * 100 + "/" + "p" * 200)],
    ids=["percent", "long"],
)
def test_removed_files_of_like_names_are_all_kept_until_the_end(
    project: Project, monkeypatch: pytest.MonkeyPatch, one: str, two: str
) -> None:
    """A failure after both puts both back."""
    for path in (one, two):
        (project.root / path).parent.mkdir(exist_ok=True)
        (project.root / path).write_text(path)
    (project.root / "last").write_text("last")
    before = files_of(project.root)
    staged = project.stage(removed=(one, two, "last"))
    carry_out = put_back._carry_out

    def fail(root: str, aside: str, move: put_back.Move, *rest: object) -> None:
        if move.path == "last":
            raise OSError(errno.EIO, "broken")
        carry_out(root, aside, move, *rest)

    monkeypatch.setattr(put_back, "_carry_out", fail)
    with pytest.raises(OSError, match="broken"):
        staged.commit()
    assert files_of(project.root) == before


def test_a_long_path_that_is_not_ascii_can_be_removed(project: Project) -> None:
    """The name under which it is kept meanwhile must be short enough."""
    path = "\u65e5" * 60 + "/" + "\u65e5" * 60
    (project.root / path).parent.mkdir()
    (project.root / path).write_text("old")
    project.stage("a", removed=(path,)).commit()
    assert list(files_of(project.root)) == ["a"]


@pytest.mark.parametrize("paths", [("a",), ("a", "b", "d/c"), ("b", "a"), ("b", "d/c", "a")])
def test_a_damaged_content_among_them_changes_nothing(project: Project, paths: tuple[str, ...]) -> None:
    """All are checked before the first file is touched."""
    for path in ("a", "b", "gone"):
        (project.root / path).write_bytes(b"old")
    before = tree(project.root)
    spoil(project.blob(NEW["a"]), b"new A")
    with pytest.raises(DamagedBlobError):
        project.stage(*paths, removed=("gone",))
    assert tree(project.root) == before
    assert project.left() == []


# --- one file for a place where nothing is


def test_until_its_turn_a_single_new_file_has_no_name_anywhere(project: Project) -> None:
    """So that a death in between leaves nothing."""
    before = tree(project.root)
    staged = project.stage("d/c")
    assert tree(project.root) == before
    staged.commit()
    assert files_of(project.root) == {"d/c": (NEW["d/c"], 0o644)}
    assert project.left() == []


def test_what_came_meanwhile_is_not_written_over(project: Project) -> None:
    """Somebody made the file after it was seen that nothing is there."""
    staged = project.stage("a")
    (project.root / "a").write_text("somebody's")
    with pytest.raises(FileExistsError):
        staged.commit()
    assert (project.root / "a").read_text() == "somebody's"
    assert project.left() == []


@pytest.mark.parametrize("lacking", ["known", "refused"])
def test_where_there_are_no_nameless_files_it_works_as_well(
    project: Project, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """Another system or no /proc, which is known before; or a file system that has none."""
    monkeypatch.setattr(within, "_has_nameless", lambda: lacking == "refused")
    if lacking == "refused":
        real = os.open

        def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "no such files here")
            return real(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refuse)
    project.stage("d/c").commit()
    assert files_of(project.root) == {"d/c": (NEW["d/c"], 0o644)}
    assert project.left() == []


def test_no_descriptor_is_left_open(project: Project) -> None:
    """Whether it was put in place, discarded, or could not be."""
    before = os.listdir("/proc/self/fd")
    project.stage("a").commit()
    project.stage("d/c").discard()
    taken = project.stage("b")
    (project.root / "b").mkdir()
    with pytest.raises(OSError, match="b"):
        taken.commit()
    assert os.listdir("/proc/self/fd") == before


# --- what is replaced must be what was expected


@pytest.mark.parametrize("strange", ["a", "gone"])
def test_what_is_not_as_expected_stays_and_all_else_too(project: Project, strange: str) -> None:
    """It is looked at when nobody can change it under its name any more."""
    for path in ("a", "b", "gone"):
        (project.root / path).write_text(f"old {path}")
    before = files_of(project.root)
    asked = {}

    def is_expected(path: str, at: str) -> bool:
        asked[path] = Path(at).read_text()
        assert not (project.root / path).exists()
        return path != strange

    staged = project.stage("b", "a", "d/c", removed=("gone", "never"), is_expected=is_expected)
    with pytest.raises(OSError, match="changed just now"):
        staged.commit()
    assert files_of(project.root) == before
    assert project.left() == []
    assert asked.items() <= {path: f"old {path}" for path in ("a", "b", "gone")}.items()
    assert strange in asked


def test_a_single_file_is_asked_about_too(project: Project) -> None:
    """The short way is for those who expect nothing."""
    (project.root / "a").write_text("old")
    with pytest.raises(OSError, match="changed just now"):
        project.stage("a", is_expected=lambda *_: False).commit()
    assert (project.root / "a").read_text() == "old"
