"""After a change a run asks those whom it concerns; all others are told as they were found."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from space import Space

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ALL = {f"ws-w{number}" for number in range(10)}
FORMS = {"run": ("wsbuild", "run"), "doit": ("doit", "run"), "one": ("wsbuild", "run", "ws:w*")}


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """Ten workstreams, each copying a file of its own; `w9` what `w0` makes."""
    space = Space(tmp_path / "project")
    (space.root / "out").mkdir()
    for number in range(9):
        space.write(f"in/{number}", f"{number}\n")
        space.copying(f"w{number}", f"in/{number}", f"out/{number}")
    space.copying("w9", "out/0", "out/9", depends_on=["ws-w0"])
    space.wsbuild("run")
    space.ran()
    return space


def asked(space: Space) -> set[str]:
    """The workstreams that the last run on record is about. Looking leaves nothing beside the history."""
    path = space.root / "state/pipeline_state.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as conn:
        last = "SELECT run_id FROM runs ORDER BY rowid DESC LIMIT 1"
        return {ws for (ws,) in conn.execute(f"SELECT ws_id FROM workstreams WHERE run_id = ({last})")}


def remember(space: Space, words: Iterable[str]) -> None:
    """Run until all is remembered."""
    for _ in range(3):
        space.run(*words, code=0)


@pytest.mark.parametrize("words", FORMS.values(), ids=FORMS)
def test_only_who_is_concerned_is_asked(space: Space, words: tuple[str, ...]) -> None:
    """Also right after a run that did something; what depends on it is asked too."""
    remember(space, words)
    for changed, concerned in (("3", {"w3"}), ("4", {"w4"}), ("0", {"w0", "w9"}), ("5", {"w5"})):
        space.write(f"in/{changed}", f"changed {changed}\n")
        done = space.run(*words, code=0)
        assert f"{len(concerned)} executed, {10 - len(concerned)} up to date" in done.out
        assert set(space.ran()) == concerned
        assert {f"ws-{name}" for name in concerned} <= asked(space) < ALL
    remember(space, words)
    assert "nothing to do: 10 steps up to date" in space.run(*words, code=0).out


def test_all_steps_are_told(space: Space) -> None:
    """Each once, whoever was asked."""
    remember(space, ("wsbuild", "run", "--json"))
    space.write("in/3", "changed\n")
    told: Any = space.wsbuild("run", "--json").json
    assert {step["task"]: step["status"] for step in told["steps"]} == {
        f"ws:w{number}:make": "executed" if number == 3 else "up_to_date" for number in range(10)
    }
    assert told["counts"]["up_to_date"] == len(told["steps"]) - 1
    assert asked(space) == {"ws-w3"}


def test_what_failed_is_asked_again(space: Space) -> None:
    """Until it is done; the others are not."""
    words = ("wsbuild", "run", "--continue")
    remember(space, words)
    (space.root / "in/3").unlink()
    for _ in range(2):
        assert "9 up to date, 1 failed" in space.run(*words, code=1).out
    assert asked(space) == {"ws-w3"}
    space.write("in/3", "back\n")
    assert "1 executed" in space.run(*words, code=0).out
    assert asked(space) == {"ws-w3"}


@pytest.mark.parametrize("how", ["forget", "ignore", "bundle", "setting", "history", "damage"])
def test_what_concerns_everybody(space: Space, how: str) -> None:
    """Then all are asked, and nothing that is stale is left out."""
    words = ("wsbuild", "run")
    remember(space, words)
    history = space.root / "state/pipeline_state.db"
    if how == "forget":
        space.doit("forget", "ws:w5")
    elif how == "ignore":
        space.doit("ignore", "ws:w5")
    elif how == "bundle":
        space.copying("w5", "in/6", "out/5")
    elif how == "setting":
        space.write("config/wsbuild.yaml", "timeout_sec: 7\n")
    elif how == "history":
        with contextlib.closing(sqlite3.connect(history)) as conn, conn:
            conn.execute("DELETE FROM clean WHERE task = 'ws:w5:make'")
    else:
        history.unlink()
    space.write("in/3", "changed\n")
    done = space.run(*words, code=0)
    assert ("restored" in done.out) == (how in {"history", "damage"})
    expected = {"forget": {"w3", "w5"}, "bundle": {"w3", "w5"}}
    assert set(space.ran()) >= expected.get(how, {"w3"})
    assert asked(space) == ALL


def test_a_failure_stops_what_is_left(space: Space) -> None:
    """What was not begun is asked by the next run."""
    words = ("wsbuild", "run")
    remember(space, words)
    (space.root / "in/0").unlink()
    space.write("in/3", "changed\n")
    assert space.run(*words, code=1).code == 1
    space.ran()
    space.write("in/0", "back\n")
    assert space.run(*words, code=0).code == 0
    assert space.read("out/3") == "changed\n"
    assert space.read("out/9") == "back\n"
