"""Recorded results by step and key, and what a cache makes of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cachebox import Box, entry_of, sha, spoil

from wsbuild.cache.cache import NotKeptError, Ran
from wsbuild.cache.entry import Entry, KeptFile
from wsbuild.cache.results import Results, checkout_id
from wsbuild.cache.shelf import DAMAGED, DAY_S, Shelf

OURS, THEIRS = checkout_id("/ours"), checkout_id("/theirs")
ODD = ["t", "a/b:c d", "../../x", "\u00e9\u65e5", "x" * 5000, "\udcff", "a\0b", ""]


class Place:
    """The results of one cache."""

    def __init__(self, root: Path, *, writable: bool = True) -> None:
        self.root = root / "cache"
        self.results = Results(Shelf(str(self.root), writable=writable))

    def put(self, entry: Entry) -> Path:
        """Keep an entry; gives its file."""
        self.results.put(entry)
        return Path(self.results.path(entry))

    def damaged(self) -> list[str]:
        """What was put away."""
        folder = self.root / DAMAGED
        return sorted(os.listdir(folder)) if folder.is_dir() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """No results yet."""
    return Place(tmp_path)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A project and its cache."""
    return Box(tmp_path)


@pytest.mark.parametrize("task", ODD, ids=range(len(ODD)))
def test_what_is_put_is_found_by_task_and_key(place: Place, task: str) -> None:
    """Whatever the task is called; nothing is written outside the cache."""
    entry = entry_of(task, sha(b"key"))
    path = place.put(entry)
    assert place.results.get(task, sha(b"key"), OURS) == (entry, "", "")
    assert path.is_relative_to(place.root)
    assert os.listdir(place.root.parent) == ["cache"]


def test_tasks_share_no_directory(place: Place) -> None:
    """However alike or long their names are."""
    names = {*ODD, "T", "x" * 5001, "a_b:c d", "a/b:c_d", "a_b"}
    assert len({place.results.directory(name).casefold() for name in names}) == len(names)


def test_others_are_not_found(place: Place) -> None:
    """Neither another key nor another task; nor is anything said to be damaged."""
    place.put(entry_of("t", "k"))
    for task, key in (("t", "other"), ("other", "k"), ("t", "k@"), ("k", "t")):
        assert place.results.get(task, key, OURS).entry is None
    assert place.results.get("t", "other", OURS) == (None, "", "")
    assert place.damaged() == []


def test_the_last_one_put_counts(place: Place) -> None:
    """It takes the place of the one before, whole."""
    for size in (1, 100_000, 2):
        place.put(entry_of(manifest="m" * size))
    found = place.results.get("t", "k", OURS).entry
    assert found == entry_of(manifest="mm")


def test_a_bound_result_is_for_its_checkout(place: Place) -> None:
    """Others are told that there is one they cannot use."""
    place.put(entry_of(bound_to=OURS))
    assert place.results.get("t", "k", OURS) == (entry_of(bound_to=OURS), "", "")
    found = place.results.get("t", "k", THEIRS)
    assert found.entry is None
    assert found.why_not == "the cached result holds the path of another checkout"
    assert place.results.get("t", "other", THEIRS).why_not == ""
    place.put(entry_of(bound_to=THEIRS))
    for checkout in (OURS, THEIRS):
        entry = place.results.get("t", "k", checkout).entry
        assert entry is not None
        assert entry.bound_to == checkout


def test_a_bound_result_under_another_name_is_still_bound(place: Place) -> None:
    """What it says counts, not where somebody laid it."""
    path = place.put(entry_of(bound_to=OURS))
    for name in ("k", f"k@{THEIRS}"):
        path.with_name(name).write_bytes(path.read_bytes())
    assert place.results.get("t", "k", THEIRS).entry is None


# --- damaged


def _spoil(path: Path) -> None:
    spoil(path, path.read_bytes()[:-3])


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _other_key(path: Path) -> None:
    spoil(path, entry_of(key="other").dump())


def _other_task(path: Path) -> None:
    spoil(path, entry_of("other").dump())


DAMAGES = [_spoil, _directory, _link, _pipe, _other_key, _other_task]


@pytest.mark.parametrize("do", DAMAGES)
@pytest.mark.parametrize("bound_to", ["", OURS])
def test_a_damaged_result_is_put_away_and_told_once(
    place: Place, bound_to: str, do: Callable[[Path], None]
) -> None:
    """Then it is missing, until the next one is put."""
    path = place.put(entry_of(bound_to=bound_to))
    do(path)
    found = place.results.get("t", "k", OURS)
    assert (found.entry, found.why_not) == (None, "")
    assert found.damage.startswith(f"{path} is damaged: ")
    assert len(place.damaged()) == 1
    assert place.results.get("t", "k", OURS) == (None, "", "")
    place.put(entry_of())
    assert place.results.get("t", "k", OURS) == (entry_of(), "", "")


def test_behind_a_damaged_result_the_bound_one_is_found(place: Place) -> None:
    """And the damage is told all the same."""
    path = place.put(entry_of())
    place.put(entry_of(bound_to=OURS))
    _spoil(path)
    found = place.results.get("t", "k", OURS)
    assert found.entry == entry_of(bound_to=OURS)
    assert str(path) in found.damage


def test_in_a_cache_that_is_not_writable_damage_stays(place: Place, tmp_path: Path) -> None:
    """And is told each time; use is not noted."""
    path = place.put(entry_of())
    os.utime(path, (1, 1))
    reader = Place(tmp_path, writable=False)
    reader.results.used(entry_of())
    assert path.stat().st_mtime == 1
    _spoil(path)
    for _ in range(2):
        assert reader.results.get("t", "k", OURS).damage
    assert place.damaged() == []


def test_our_own_damaged_result_is_not_another_checkouts(place: Place, tmp_path: Path) -> None:
    """The reason that is told is the right one."""
    _spoil(place.put(entry_of(bound_to=OURS)))
    assert Place(tmp_path, writable=False).results.get("t", "k", OURS).why_not == ""


# --- recent


def test_recent_ones_come_newest_first(place: Place) -> None:
    """By their last use, as many as are wanted, of that task only; damaged ones are left out."""
    order = ["k3", "k1", "k4", "k2"]
    for at, key in enumerate(order):
        bound_to = OURS if at == 1 else ""
        os.utime(place.put(entry_of("t", key, bound_to=bound_to)), (10**9 - at * DAY_S,) * 2)
    place.put(entry_of("other", "k5"))
    assert [entry.key for entry in place.results.recent("t", 9)] == order
    assert [entry.key for entry in place.results.recent("t", 2)] == order[:2]
    place.results.used(entry_of("t", "k2"))
    assert [entry.key for entry in place.results.recent("t", 1)] == ["k2"]
    assert list(place.results.recent("none", 9)) == []


@pytest.mark.parametrize("do", DAMAGES)
def test_recent_ones_leave_out_the_damaged(place: Place, do: Callable[[Path], None]) -> None:
    """Without an error, and without putting them away."""
    for key in ("k1", "k", "k2"):
        place.put(entry_of(key=key))
    do(Path(place.results.path(entry_of())))
    assert sorted(entry.key for entry in place.results.recent("t", 9)) == ["k1", "k2"]


def test_recent_ones_are_not_hidden_by_one_that_is_gone(place: Place) -> None:
    """Somebody may clean up between the listing and the look."""
    path = place.put(entry_of())
    path.with_name("gone").symlink_to("nowhere")
    assert [entry.key for entry in place.results.recent("t", 9)] == ["k"]


# --- the cache as a whole


def test_what_was_kept_is_found_with_all_its_parts(box: Box) -> None:
    """Files with their permissions, what is removed, and the log."""
    (box.root / "x").write_bytes(b"tool")
    (box.root / "x").chmod(0o751)
    (box.root / "log").write_bytes(b"said")
    writes = {"x": "x:" + sha(b"tool"), "gone": ""}
    ran = Ran("t", "k", "m", writes, {"x": ""}, str(box.root / "log"), 0, 1.23456789)
    entry = box.cache.keep(ran)
    assert box.cache.find("t", "k").entry == entry
    assert entry.files == (KeptFile("x", 0o751, 4, sha(b"tool")),)
    assert (entry.removed, entry.before, entry.duration_s) == (("gone",), {"x": ""}, 1.234568)
    assert box.cache.log_of(entry) == b"said"
    assert entry.states() == writes


@pytest.mark.parametrize("data", [b"content", b"log"])
def test_a_result_without_one_of_its_parts_is_not_found(box: Box, data: bytes) -> None:
    """A missing one, or one of another size."""
    entry = box.keep("t", "k", {"a": b"content"}, log=b"log")
    spoil(box.blob(data), data + b"x")
    expected = (None, "a part of the cached result is missing", "")
    assert box.cache.find("t", "k") == expected
    box.blob(data).unlink()
    assert box.cache.find("t", "k") == expected
    assert box.cache.keep(Ran("t", "k", "m", {}, {}, "", 0, 1.0)).log == ""
    assert entry.log


def _set_user_id(path: Path) -> None:
    path.chmod(0o4755)


def _changed(path: Path) -> None:
    path.write_bytes(b"changed")


@pytest.mark.parametrize("do", [_set_user_id, _changed, _directory, _link, _pipe])
def test_what_nobody_could_restore_is_not_kept(box: Box, do: Callable[[Path], None]) -> None:
    """No result is written, nothing is aside."""
    (box.root / "a").write_bytes(b"a")
    do(box.root / "a")
    ran = Ran("t", "k", "m", {"a": "f:" + sha(b"a")}, {}, "", 0, 1.0)
    with pytest.raises(NotKeptError):
        box.cache.keep(ran)
    assert box.names("results") == box.names("tmp") == []


@pytest.mark.parametrize(
    ("text", "bound"), [("see {}/a", True), ("{}", True), ("nothing", False), ("", False)]
)
def test_a_result_that_holds_the_path_of_the_checkout_is_bound(
    box: Box, tmp_path: Path, text: str, bound: bool
) -> None:
    """It is found by that checkout, and by no other."""
    entry = box.keep("t", "k", {"a": text.format(box.root).encode(), "b": b"other"})
    assert bool(entry.bound_to) is bound
    assert box.cache.find("t", "k").entry == entry
    other = Box(tmp_path, name="elsewhere").cache.find("t", "k")
    assert (other.entry is None) is bound
    assert bool(other.why_not) is bound


def test_a_second_key_leads_to_the_same_files(box: Box) -> None:
    """With what the step left as what it found."""
    entry = box.keep("t", "k", {"a": b"content"})
    box.cache.keep_under(entry, "k2", "m2")
    second = box.cache.find("t", "k2").entry
    assert second == entry._replace(key="k2", manifest="m2", before={"a": "f:" + sha(b"content")})
    assert box.cache.find("t", "k").entry == entry


def test_a_rejected_result_is_out_of_use(box: Box) -> None:
    """That one, and no other of its task."""
    first, second = (box.keep("t", key, {"a": b"content"}) for key in ("k1", "k2"))
    box.cache.reject(first)
    assert box.cache.find("t", "k1").entry is None
    assert box.cache.find("t", "k2").entry == second
    assert len(box.names(DAMAGED)) == 1
