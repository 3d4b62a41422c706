"""What a file is, and when its stat is proof enough."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from twins import twins

from wsbuild.cache import files
from wsbuild.cache.files import COARSE_MARGIN_NS, FINE_MARGIN_NS, FileStates
from wsbuild.filestat import FileRow

SEED = 7


class Memory:
    """Rows kept between two looks, as the store keeps them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: dict[str, FileRow] = {}

    def look(
        self, *, stat_file: Callable[[str], os.stat_result] = os.lstat, later_ns: int = 10**10
    ) -> FileStates:
        """A new process's view, `later_ns` after the present."""
        return FileStates(
            str(self.root),
            SEED,
            lambda paths: {path: self.rows[path] for path in paths if path in self.rows},
            stat_file=stat_file,
            now_ns=lambda: time.time_ns() + later_ns,
        )

    def state(self, path: str = "a", **options: object) -> str:
        """The state of a file, remembered."""
        states = self.look(**options)  # type: ignore[arg-type]
        found = states.state(path)
        self.rows.update(states.take_unsaved())
        return found


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A directory with the file `a`."""
    (tmp_path / "a").write_text("one")
    return Memory(tmp_path)


def test_an_unchanged_file_is_not_read_again(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An equal stat that is old enough is proof."""
    first = memory.state()
    monkeypatch.setattr(files, "digest_fd", lambda *_: pytest.fail("the file was read"))
    assert memory.state() == first


def test_a_touched_file_is_the_same_file(memory: Memory) -> None:
    """A new time with the same content changes nothing."""
    first = memory.state()
    os.utime(memory.root / "a", ns=(1, 1))
    assert memory.state() == first


@pytest.mark.parametrize("text", ["two", "three"])
def test_an_edit_with_the_old_mtime_is_seen(memory: Memory, text: str) -> None:
    """The change time cannot be set back."""
    first = memory.state()
    before = (memory.root / "a").stat()
    (memory.root / "a").write_text(text)
    os.utime(memory.root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert memory.state() != first


def _frozen(st: os.stat_result) -> Callable[[str], os.stat_result]:
    return lambda _path: st


def test_an_edit_within_one_tick_of_the_clock_is_seen(memory: Memory) -> None:
    """An equal stat proves nothing for a file that was read as soon as it changed."""
    st = os.lstat(memory.root / "a")
    first = memory.state(stat_file=_frozen(st), later_ns=0)
    (memory.root / "a").write_text("two")
    assert memory.state(stat_file=_frozen(st)) != first


def test_without_the_margin_that_edit_would_be_missed(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary of the test above: with the margin taken out the wrong answer comes."""
    monkeypatch.setattr(files, "FINE_MARGIN_NS", -(10**18))
    monkeypatch.setattr(files, "COARSE_MARGIN_NS", -(10**18))
    st = os.lstat(memory.root / "a")
    first = memory.state(stat_file=_frozen(st), later_ns=0)
    (memory.root / "a").write_text("two")
    assert memory.state(stat_file=_frozen(st)) == first


@pytest.mark.parametrize(
    ("changed_ns", "age_ns", "expected"),
    [
        (10**18 + 1, FINE_MARGIN_NS + 1, True),
        (10**18 + 1, FINE_MARGIN_NS, False),
        (10**18, FINE_MARGIN_NS + 1, False),
        (10**18, COARSE_MARGIN_NS + 1, True),
        (10**18 + 1, -1, False),
        (10**18 + 1, 0, False),
    ],
    ids=["old", "fine-margin", "whole-seconds", "old-whole-seconds", "future", "now"],
)
def test_when_an_equal_stat_is_proof(memory: Memory, changed_ns: int, age_ns: int, expected: bool) -> None:
    """Truth table of the racy rule."""
    os.utime(memory.root / "a", ns=(changed_ns, changed_ns))
    st = os.lstat(memory.root / "a")
    row = FileRow(changed_ns, changed_ns, st.st_size, st.st_ino, st.st_mode, "", changed_ns + age_ns)
    assert files.trusted(row, (changed_ns, changed_ns, st.st_size, st.st_ino, st.st_mode)) is expected


def test_the_executable_bit_counts_and_others_do_not(memory: Memory) -> None:
    """chmod +x is a change; chmod o-r is none."""
    first = memory.state()
    (memory.root / "a").chmod(0o600)
    assert memory.state() == first
    (memory.root / "a").chmod(0o755)
    assert memory.state() != first


def test_types_are_told_apart(memory: Memory) -> None:
    """File, link, directory, pipe and nothing have different states."""
    (memory.root / "d").mkdir()
    os.symlink("a", memory.root / "l")
    os.symlink("nowhere", memory.root / "dangling")
    os.mkfifo(memory.root / "p")
    names = ["a", "d", "l", "dangling", "p", "nothing"]
    states = [memory.state(name) for name in names]
    assert len(set(states)) == len(names)
    assert states[-1] == files.MISSING


def test_a_link_changes_with_its_target_and_with_what_is_in_it(memory: Memory) -> None:
    """Retargeting to equal content, and editing the target, are both changes."""
    (memory.root / "b").write_text("one")
    os.symlink("a", memory.root / "l")
    first = memory.state("l")
    (memory.root / "l").unlink()
    os.symlink("b", memory.root / "l")
    second = memory.state("l")
    (memory.root / "b").write_text("two")
    assert len({first, second, memory.state("l")}) == 3


def swap_twins(root: Path, seed: int) -> bool:
    """Whether the swap of a content for its twin is noticed, with the quick digests of that seed."""
    one, two = twins()
    assert one != two
    (root / "a").write_bytes(one)
    rows: dict[str, FileRow] = {}
    found = []
    for content in (one, two):
        (root / "a").write_bytes(content)
        states = FileStates(
            str(root), seed, lambda paths: {path: rows[path] for path in paths if path in rows}
        )
        found.append(states.state("a"))
        rows.update(states.take_unsaved())
    return found[0] != found[1]


def test_a_twin_made_for_the_public_secret_is_noticed(tmp_path: Path) -> None:
    """Prepared collisions do not carry over to a database, whose seed is random."""
    assert swap_twins(tmp_path, SEED)


def test_without_the_seed_the_twin_would_be_missed(tmp_path: Path) -> None:
    """The canary of the test above."""
    assert not swap_twins(tmp_path, 0)


def test_states_are_the_same_on_every_machine(memory: Memory) -> None:
    """Keys are made of them: they depend on type, executable bit and content alone."""
    states = {FileStates(str(memory.root), seed, lambda _: {}).state("a") for seed in (1, 2)}
    assert states == {"f:" + hashlib.sha256(b"one").hexdigest()}


def test_an_unreadable_file_is_not_remembered(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read must be tried again."""

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    states = memory.look()
    states.state("a")
    assert states.take_unsaved() == {}


def test_a_linked_directory_changes_with_the_links_in_it(memory: Memory) -> None:
    """One to a directory counts by where it leads, one to a file also by what is in that."""
    for name in ("one", "two"):
        (memory.root / name).mkdir()
    (memory.root / "d").mkdir()
    os.symlink("d", memory.root / "l")
    found = [memory.state("l")]
    for target in ("../one", "../two"):
        (memory.root / "d/inner").unlink(missing_ok=True)
        os.symlink(target, memory.root / "d/inner")
        found.append(memory.state("l"))
    os.symlink("../a", memory.root / "d/file")
    for text in ("one", "two"):
        (memory.root / "a").write_text(text)
        found.append(memory.state("l"))
    os.symlink("..", memory.root / "d/back")
    found.append(memory.state("l"))
    assert len(set(found)) == 6
