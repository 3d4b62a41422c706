"""Processes that die while they put files back, at each system call, and who finishes after them."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cachebox import DIED, Project, die_at, files_of

from wsbuild.cache.put_back import ASIDE, Staged, finish_cut

OLD = {"a": b"old a", "b": b"old b", "gone": b"old gone", "d/stays": b"stays"}


def fresh(tmp_path: Path) -> Project:
    """A project with OLD, made anew."""
    shutil.rmtree(tmp_path / "p", ignore_errors=True)
    (tmp_path / "p").mkdir()
    project = Project(tmp_path / "p")
    for path, data in OLD.items():
        (project.root / path).parent.mkdir(exist_ok=True)
        (project.root / path).write_bytes(data)
    return project


def staged(project: Project, removed: tuple[str, ...] = ("gone", "never")) -> Staged:
    """Files that replace, come new and are removed."""
    return project.stage("a", "d/c", "b", "n/e", removed=removed)


def cuts(tmp_path: Path, removed: tuple[str, ...] = ("gone", "never")) -> Iterator[Project]:
    """A project for each call before which the process can die, after it died there."""
    for nth in itertools.count(1):
        project = fresh(tmp_path)
        if not die_at(nth, staged(project, removed).commit):
            assert nth > 20, "too few calls to have seen them all"
            return
        yield project


def outcomes(tmp_path: Path, removed: tuple[str, ...] = ("gone", "never")) -> tuple[object, object]:
    """All files before, and after a run that nobody kills."""
    project = fresh(tmp_path)
    before = files_of(project.root)
    staged(project, removed).commit()
    return before, files_of(project.root)


def kept_below_aside(project: Project) -> list[bytes]:
    """The contents that were kept."""
    return [path.read_bytes() for path in (project.root / ASIDE).rglob("*") if path.is_file()]


def test_whenever_it_is_killed_all_is_old_or_new(tmp_path: Path) -> None:
    """After the next run has finished it; a third time changes nothing."""
    old, new = outcomes(tmp_path)
    seen = []
    for project in cuts(tmp_path):
        finish_cut(str(project.root))
        found = files_of(project.root)
        assert found in (old, new)
        assert project.left() == []
        seen.append(found == new)
        assert finish_cut(str(project.root)) == []
        assert files_of(project.root) == found
    assert sorted(seen) == seen, "old up to some call, new from then on"
    assert set(seen) == {False, True}


def test_where_nobody_changed_anything_nobody_is_alarmed(tmp_path: Path) -> None:
    """There is nothing to tell, and nothing is kept."""
    lines = [finish_cut(str(project.root)) for project in cuts(tmp_path)]
    assert [line for line in lines if line] == []


def test_a_removed_path_whose_directory_is_not_there_is_no_change(tmp_path: Path) -> None:
    """It was not there before, and is not there now."""
    removed = ("gone", "no/such")
    old, new = outcomes(tmp_path, removed)
    for project in cuts(tmp_path, removed):
        finish_cut(str(project.root))
        assert files_of(project.root) in (old, new)


def test_one_file_is_old_or_new_without_any_help(tmp_path: Path) -> None:
    """The kernel replaces it whole; what was ready is cleaned up."""
    found = set()
    for nth in itertools.count(1):
        project = fresh(tmp_path)
        completed = not die_at(nth, project.stage("a").commit)
        found.add((project.root / "a").read_bytes())
        assert finish_cut(str(project.root)) == []
        assert project.left() == []
        if completed:
            break
    assert found == {b"old a", b"new a"}


def test_killed_while_making_ready_changes_nothing(tmp_path: Path) -> None:
    """What lies about is cleaned up by the next run."""
    for nth in itertools.count(1):
        project = fresh(tmp_path)
        before = files_of(project.root)
        completed = not die_at(nth, lambda project=project: staged(project))
        assert finish_cut(str(project.root)) == []
        assert (files_of(project.root), project.left()) == (before, [])
        if completed:
            break
    assert nth > 10


def test_who_finishes_may_be_killed_too(tmp_path: Path) -> None:
    """Whenever: the next one finishes it all the same."""
    old, new = outcomes(tmp_path)
    seen = []
    for at in (12, 16, 20, 24, 28, 32):
        for nth in itertools.count(1):
            project = fresh(tmp_path)
            assert die_at(at, staged(project).commit)
            completed = not die_at(nth, lambda project=project: finish_cut(str(project.root)))
            finish_cut(str(project.root))
            found = files_of(project.root)
            assert found in (old, new)
            assert project.left() == []
            seen.append(found == new)
            if completed:
                break
    assert set(seen) == {False, True} or all(seen)


EDITS = ["a", "b", "gone", "never", "d/c", "n/e", "d/stays"]


def edit(project: Project, path: str) -> bool:
    """A user writes a file, where the directory is there."""
    if not (project.root / path).parent.is_dir():
        return False
    (project.root / path).write_bytes(b"the user's")
    return True


@pytest.mark.parametrize("path", EDITS)
def test_a_users_edit_before_the_next_run_is_kept(tmp_path: Path, path: str) -> None:
    """His file stays as he wrote it, and no old content is lost but where all is new."""
    _, new = outcomes(tmp_path)
    assert isinstance(new, dict)
    edited = 0
    for project in cuts(tmp_path):
        present = files_of(project.root)
        if not edit(project, path):
            continue
        edited += 1
        lines = finish_cut(str(project.root))
        assert (project.root / path).read_bytes() == b"the user's"
        assert project.left() == []
        found = files_of(project.root)
        others = {name: what for name, what in found.items() if name != path}
        if others == {name: what for name, what in new.items() if name != path}:
            continue
        kept = kept_below_aside(project)
        for name, data in OLD.items():
            edited_in_place = name == path and present.get(name) == (data, 0o644)
            assert edited_in_place or found.get(name) == (data, 0o644) or data in kept, name
        assert bool(lines) is bool(kept)
        assert all("run died" in line and ASIDE in line for line in lines)
        assert finish_cut(str(project.root)) == []
        assert files_of(project.root) == found
    assert edited > 5


@pytest.mark.parametrize("path", ["a", "b", "d/c"])
def test_a_file_that_the_user_removed_stays_removed_or_is_told(tmp_path: Path, path: str) -> None:
    """Nothing that he did is undone in silence."""
    for project in cuts(tmp_path):
        if not (project.root / path).exists():
            continue
        (project.root / path).unlink()
        lines = finish_cut(str(project.root))
        assert not (project.root / path).exists() or lines
        assert project.left() == []


def test_a_link_in_the_place_of_a_directory_is_not_followed_afterwards(tmp_path: Path) -> None:
    """Who finishes goes the same careful way."""
    for project in cuts(tmp_path):
        (project.root / "d").rename(project.root / "was")
        (project.root / "d").symlink_to(project.outside)
        finish_cut(str(project.root))
        assert os.listdir(project.outside) == []
        assert project.left() == []


@pytest.mark.parametrize(
    "journal", [b"", b"{", b"[]", b"[1]", b"{}", b'[["a"]]', b"null", b"\xff", b'[["a", "0", null, 1]]']
)
def test_a_journal_that_is_none_is_cleaned_up(tmp_path: Path, journal: bytes) -> None:
    """As a crash of the machine may leave it; nothing was touched then."""
    project = fresh(tmp_path)
    before = files_of(project.root)
    folder = project.root / ".wsbuild" / "restore" / "1-aa"
    folder.mkdir(parents=True)
    (folder / "journal").write_bytes(journal)
    (folder / "0").write_bytes(b"new")
    assert finish_cut(str(project.root)) == []
    assert (files_of(project.root), project.left()) == (before, [])


def test_without_anything_begun_nothing_is_made(tmp_path: Path) -> None:
    """Not even the folder."""
    assert finish_cut(str(tmp_path)) == []
    assert os.listdir(tmp_path) == []


def _fail_then_die(work: Staged, fails_at: int, dies_at: int) -> bool:
    """Commit in a process whose `fails_at`th rename fails, and that dies before a later one."""
    child = os.fork()
    if not child:
        rename, calls = os.rename, itertools.count(1)

        def call(*args: object, **options: object) -> None:
            nth = next(calls)
            if nth == fails_at:
                raise OSError(errno.EIO, "broken")
            if nth == fails_at + dies_at:
                os._exit(DIED)
            rename(*args, **options)  # type: ignore[arg-type]

        os.rename = call  # type: ignore[assignment]
        try:
            work.commit()
        except OSError:
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED


def test_killed_while_undoing_all_is_old_or_new_or_told(tmp_path: Path) -> None:
    """A failure first, then death."""
    old, new = outcomes(tmp_path)
    for fails_at in range(2, 9):
        for dies_at in itertools.count(1):
            project = fresh(tmp_path)
            if not _fail_then_die(staged(project), fails_at, dies_at):
                break
            lines = finish_cut(str(project.root))
            assert files_of(project.root) in (old, new) or lines, (fails_at, dies_at)
