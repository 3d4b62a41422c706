"""`wsbuild detect --fix`: what can be mended is, where something was found; and nothing is lost."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from detecting import detect, own
from space import Space

if TYPE_CHECKING:
    from pathlib import Path

FIND = 'grep -l bad -- "$@"; test $? != 0'
MEND = 'for file in "$@"; do sed -i s/bad/good/ "$file"; done'


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project with a detector of its own."""
    space = Space(tmp_path / "project")
    space.write("a b.md", "bad a\nfine\n")
    space.write("clean.md", "clean\n")
    space.write("sub/c.md", "bad c\n")
    fixer(space, MEND)
    return space


def fixer(space: Space, script: str, name: str = "own", find: str = FIND, **fields: object) -> None:
    """Give the project a detector that can mend by a script."""
    own(space, find, name=name, types=["markdown"], **{"fixed": [0], **fields})
    path = f"config/detectors/{name}/plugin.py"
    argv = ["sh", "-c", script, name]
    space.write(path, space.read(path) + f"\ndef fix(files):\n    return [*{argv!r}, *files]\n")


def test_only_what_is_wrong_is_written(space: Space) -> None:
    """The fixer is not even told of other files."""
    fixer(space, MEND + '; printf "%s\\n" "$@" > ../told')
    (space.root / "a b.md").chmod(0o755)
    told = detect(space, "--fix", "-d", "own", code=0)
    assert told["fixed"] == [{"detector": "own", "path": "a b.md"}, {"detector": "own", "path": "sub/c.md"}]
    assert (told["findings"], told["counts"]["fixed"]) == ([], 2)
    assert (space.read("a b.md"), space.read("sub/c.md")) == ("good a\nfine\n", "good c\n")
    assert (space.root / "a b.md").stat().st_mode & 0o777 == 0o755
    assert (space.root.parent / "told").read_text() == "a b.md\nsub/c.md\n"
    again = detect(space, "--fix", "-d", "own", code=0)
    assert (again["fixed"], again["counts"]["tool_calls"]) == ([], 0)
    assert detect(space, "-d", "own", code=0)["counts"]["tool_calls"] == 0


def test_what_cannot_be_mended_is_still_found(space: Space) -> None:
    """And the exit code says so; a person sees what was mended."""
    fixer(space, MEND.replace("s/bad/good/", "s/fine/found/"))
    result = space.wsbuild("detect", "--fix", "-d", "own", "a b.md", code=1)
    assert "fixed     own: a b.md\n" in result.out
    assert space.read("a b.md") == "bad a\nfound\n"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('for f in "$@"; do echo half > "$f"; done; echo \'error: no more\' >&2; exit 9', "error: no more"),
        ('rm -- "$@"; exit 1', "sh ended with 1"),
        ('for f in "$@"; do echo half > "$f"; done; sleep 60', "sh took longer than 1 s"),
        ('for f in "$@"; do echo half > "$f"; done; kill -KILL $$', "sh was crashed"),
    ],
)
def test_a_fixer_that_fails_leaves_files_as_they_were(space: Space, script: str, told: str) -> None:
    """Each byte of them; others go on."""
    fixer(space, script, timeout_sec=1)
    fixer(space, MEND.replace("bad", "clean"), name="zother", find=FIND.replace("bad", "clean"))
    found = detect(space, "--fix", "-d", "own", "-d", "zother")
    assert told in found["errors"][0]["message"]
    assert (space.read("a b.md"), space.read("sub/c.md")) == ("bad a\nfine\n", "bad c\n")
    assert found["fixed"] == [{"detector": "zother", "path": "clean.md"}]
    assert {one["path"] for one in found["findings"]} == {"a b.md", "sub/c.md"}


def test_an_interrupt_leaves_files_as_they_were(space: Space) -> None:
    """What the fixer has begun is taken back."""
    fixer(space, 'for f in "$@"; do echo half > "$f"; done; touch ../begun; sleep 60')
    with space.start("wsbuild", "detect", "--fix", "-d", "own") as running:
        while not (space.root.parent / "begun").exists():
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert (running.returncode, "Traceback" in err) == (130, False)
    assert (space.read("a b.md"), space.read("sub/c.md")) == ("bad a\nfine\n", "bad c\n")


def test_two_that_undo_each_other_end(space: Space) -> None:
    """After three rounds; what is left is told."""
    fixer(space, 'sed -i s/bad/worse/ "$@"')
    fixer(space, 'sed -i s/worse/bad/ "$@"', name="zother", find=FIND.replace("bad", "worse"))
    found = detect(space, "--fix", "-d", "own", "-d", "zother")
    assert {one["path"] for one in found["findings"]} == {"a b.md", "sub/c.md"}


def test_real_fixers_together(space: Space) -> None:
    """What Ruff, isort, Black and codespell mend of a file, in whatever order, is clean for all."""
    space.write("src/app.py", "import sys, os\nx = { 'a':1 }   # teh end\nprint(sys.argv, x)\n")
    space.write("src/broken.py", "def f(:\n")
    names = ("ruff", "isort", "black", "codespell")
    options = [word for name in names for word in ("-d", name)]
    found = detect(space, "--fix", *options, "src")
    assert {one["path"] for one in found["findings"]} == {"src/broken.py"}
    assert space.read("src/app.py") == 'import sys\n\nx = {"a": 1}  # the end\nprint(sys.argv, x)\n'
    assert space.read("src/broken.py") == "def f(:\n"


def test_a_detector_without_a_fixer_mends_nothing(space: Space) -> None:
    """Nor is one called that is said to be there and is not."""
    own(space, FIND, types=["markdown"])
    found = detect(space, "--fix", "-d", "own")
    assert found["fixed"] == []
    own(space, FIND, types=["markdown"], fixed=[0])
    assert "has no attribute 'fix'" in space.wsbuild("detect", "--fix", code=2).err
