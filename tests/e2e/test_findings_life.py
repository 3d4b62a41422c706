"""What became of findings, from `wsbuild detect` to `wsbuild errors list`, `show` and `mark`."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from detecting import detect, own
from space import Space

if TYPE_CHECKING:
    from pathlib import Path

FIND = 'grep -l bad -- "$@"; test $? != 0'


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project in which something was found."""
    space = Space(tmp_path / "project")
    own(space, FIND, types=["markdown"])
    space.write("a.md", "bad\n")
    space.write("sub/b.md", "bad\n")
    detect(space, "-d", "own")
    return space


def listed(space: Space, *words: str) -> dict[str, str]:
    """Findings by path, with their states."""
    every = [word for state in ("new", "analyzed", "fixed", "verified") for word in ("--state", state)]
    rows = space.wsbuild("errors", "list", "--json", *(words or every)).json["items"]
    return {row["path"]: row["state"] for row in rows}


def judge(space: Space, *words: str) -> dict[str, Any]:
    """Judge again."""
    return detect(space, *(words or ("-d", "own")), code=None)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["."], ["a.md", "sub/b.md"]),
        (["sub/"], ["sub/b.md"]),
        (["./sub"], ["sub/b.md"]),
        (["./a.md", "sub"], ["a.md", "sub/b.md"]),
    ],
)
def test_files_are_named_in_any_way(space: Space, words: list[str], found: list[str]) -> None:
    assert sorted(listed(space, *words)) == found


def test_the_root_is_the_whole_project(space: Space) -> None:
    """What was found in a file that is gone is mended."""
    (space.root / "a.md").unlink()
    judge(space, "-d", "own", ".")
    assert listed(space) == {"a.md": "fixed", "sub/b.md": "new"}


def test_a_whole_life(space: Space) -> None:
    """Found, analyzed, fixed, verified, and found again."""
    assert listed(space) == {"a.md": "new", "sub/b.md": "new"}
    [row] = space.wsbuild("errors", "list", "--json", "a.md").json["items"]
    said = space.wsbuild(
        "errors", "mark", row["fingerprint"][:8], "--as", "analyzed", "--note", "next week"
    ).out
    assert "analyzed a.md:1:1 warning: bad  [own X]" in said
    judge(space)
    assert listed(space)["a.md"] == "analyzed"
    space.write("a.md", "good\n")
    judge(space)
    assert listed(space) == {"a.md": "fixed", "sub/b.md": "new"}
    told = judge(space)
    assert told["counts"]["tool_calls"] == 0
    assert listed(space)["a.md"] == "verified"
    space.write("a.md", "bad\n")
    judge(space)
    assert listed(space)["a.md"] == "new"
    shown = space.wsbuild("errors", "show", row["fingerprint"], "--json").json
    states = [one["state_after"] for one in shown["changes"]]
    assert states == ["new", "analyzed", "fixed", "verified", "new"]
    assert shown["changes"][1]["note"] == "next week"
    assert "analyzed (by user): next week" in space.wsbuild("errors", "show", row["fingerprint"]).out


def test_what_was_not_judged_stays(space: Space) -> None:
    """By a run of some files, of another detector, or of one that failed or was skipped."""
    space.write("a.md", "good\n")
    judge(space, "-d", "own", "sub")
    judge(space, "-d", "ruff", "a.md")
    assert listed(space)["a.md"] == "new"
    own(space, "exit 9", types=["markdown"])
    judge(space)
    assert listed(space)["a.md"] == "new"
    own(space, FIND, types=["markdown"], command="not-there")
    judge(space)
    assert listed(space)["a.md"] == "new"
    own(space, FIND, types=["markdown"])
    judge(space, "-d", "own", "a.md")
    assert listed(space) == {"a.md": "fixed", "sub/b.md": "new"}


def test_a_file_that_is_gone(space: Space) -> None:
    """Takes its findings with it; as does a line that takes them back."""
    (space.root / "a.md").unlink()
    space.write("sub/b.md", "bad <!-- wsbuild: ignore -->\n")
    judge(space)
    assert listed(space) == {"a.md": "fixed", "sub/b.md": "fixed"}


def test_what_is_staged_is_not_written_down(space: Space) -> None:
    """It is not what lies in the working tree."""
    space.git("init", "-q")
    space.git("add", "-A")
    space.write("a.md", "good\n")
    space.git("add", "a.md")
    space.write("a.md", "bad\n")
    judge(space, "-d", "own", "--staged")
    assert listed(space)["a.md"] == "new"


def test_marks_are_checked(space: Space) -> None:
    """And a wrong one is told, with what is right."""
    [row] = space.wsbuild("errors", "list", "--json", "a.md").json["items"]
    mark = row["fingerprint"]
    assert (
        "cannot be marked as verified"
        in space.wsbuild("errors", "mark", mark, "--as", "verified", code=2).err
    )
    assert "'gone' is none of" in space.wsbuild("errors", "mark", mark, "--as", "gone", code=2).err
    assert "is too short" in space.wsbuild("errors", "show", "ab", code=2).err
    assert "there is no finding" in space.wsbuild("errors", "show", "zzzz", code=2).err
    assert "'old' is none of" in space.wsbuild("errors", "list", "--state", "old", code=2).err


def test_the_errors_of_steps_are_as_they_were(space: Space) -> None:
    """`wsbuild errors` alone shows those."""
    assert space.wsbuild("errors", "--json").json == {"schema": "wsbuild/errors/1", "items": []}
    assert space.wsbuild("errors", "--limit", "3").out == ""


@pytest.mark.parametrize("trouble", ["a directory", "another version"])
def test_what_cannot_be_written_changes_no_answer(space: Space, trouble: str) -> None:
    """It is one warning."""
    database = space.root / "state/pipeline_state.db"
    space.write("a.md", "bad and worse\n")
    conn = sqlite3.connect(database, isolation_level=None)
    if trouble == "a directory":
        database.unlink()
        database.mkdir()
    else:
        conn.execute("PRAGMA user_version = 777")
    conn.close()
    result = space.wsbuild("detect", "--json", "-d", "own", code=1)
    assert len(result.json["findings"]) == 2
    assert result.err.count("what became of findings is not kept") == 1
    assert "Traceback" not in result.err


def test_many_at_a_time(space: Space) -> None:
    """Each finding is written once, whoever comes first."""
    for number in range(30):
        space.write(f"many/{number}.md", "bad\n")
    running = [
        space.start("wsbuild", "detect", "-d", "own", f"many/{number}.md") for number in range(0, 30, 3)
    ]
    running += [space.start("wsbuild", "detect", "-d", "own") for _ in range(2)]
    for one in running:
        _, err = one.communicate(timeout=120)
        assert (one.returncode, err) == (1, "")
    states = listed(space, "--limit", "99")
    assert len(states) == 32
    assert set(states.values()) == {"new"}
    with sqlite3.connect(space.root / "state/pipeline_state.db") as conn:
        assert conn.execute("SELECT count(*) FROM finding_changes").fetchone() == (32,)
