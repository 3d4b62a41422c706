"""`wsbuild detect --staged` where the same was staged before: the answer is remembered, and right."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from detecting import own
from space import Space

from wsbuild.watch import FINE_MARGIN_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLOW_GIT = """\
#!/bin/sh
case "$*" in *diff-index*) if test -f {before}; then exec cat {before}; fi;; esac
exec {git} "$@"
"""
"""Says of the index what it was before."""

ENGINE = "wsbuild.detectors.engine"
FINDS_BAD = 'for f; do if grep -q BAD "$f"; then echo "$f"; bad=1; fi; done; exit ${bad:-0}'


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A repository in which a file is bad where it says so."""
    space = Space(tmp_path / "project")
    (space.root / "workstreams").rmdir()
    own(space, FINDS_BAD, config_files=["own.cfg"], neighborhood=True)
    own(space, "exit 0", name="two", command="two", version_command=[])
    _two(space)
    space.env["PATH"] += f":{tmp_path}"
    space.write(".gitattributes", "* text=auto\n")
    space.write(".gitignore", "state/\nmade/\n.wsbuild/\n__pycache__/\n")
    space.write("config/wsbuild.yaml", "---\ndetectors: [own, two]\n")
    for path in ("a.txt", "sub/b.txt"):
        space.write(path, "good\n")
    space.git("init", "-q", "-b", "main")
    space.git("add", "-A")
    space.git("commit", "-qm", "first")
    space.env["PYTHONPROFILEIMPORTTIME"] = "1"
    return space


def _two(space: Space, *more: str) -> None:
    """A tool that lies elsewhere."""
    tool = space.root.parent / "two"
    tool.write_text("\n".join(("#!/bin/sh", *more)))
    tool.chmod(0o755)


def _tool(space: Space) -> None:
    _two(space, "# upgraded")


def stage(space: Space, path: str, text: str) -> None:
    """As an editor does that writes a new file in the place of the old one."""
    (space.root / path).unlink(missing_ok=True)
    space.write(path, text)
    space.git("add", path)


def _hesitate(space: Space) -> None:
    """Have git take its time: whoever waits may do something meanwhile."""
    git = space.root.parent / "git"
    git.write_text(f'#!/bin/sh\nsleep 0.3\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    space.env["PATH"] = f"{space.root.parent}:{space.env['PATH']}"


def wait() -> None:
    """Until what was just written is old enough to be believed by what it looks like."""
    time.sleep(1.5 * FINE_MARGIN_NS / 1e9)


def asked(space: Space, *words: str) -> tuple[int, bool]:
    """Whether something is found, and whether that was known without asking the engine."""
    done = space.wsbuild("detect", "--staged", *words, code=None)
    assert done.code in {0, 1}, done.err
    assert ("\n0 findings in 0 of " in f"\n{done.out}") == (done.code == 0)
    return done.code, ENGINE not in done.err


def test_what_was_staged_before_is_known_at_once(space: Space) -> None:
    """Each of two contents, from the second time on, with the same exit code and text."""
    for known in (False, True, True):
        for bad, text in enumerate(("good again\n", "BAD\n")):
            stage(space, "a.txt", text)
            assert asked(space) == (bad, known)


def test_nothing_staged_is_nothing_found(space: Space) -> None:
    """Also where something was before."""
    stage(space, "a.txt", "BAD\n")
    assert asked(space) == (1, False)
    stage(space, "a.txt", "good\n")
    _hesitate(space)
    done = space.wsbuild("detect", "--staged")
    assert done.out == "nothing is staged that is to be judged\n"
    assert (ENGINE in done.err, "wsbuild.detectors" in done.err) == (False, False)


def test_nothing_staged_is_told_in_every_form(space: Space) -> None:
    """A reader of JSON gets a report; what is not known is an error all the same."""
    told = space.wsbuild("detect", "--staged", "--json").json
    assert told["findings"] == []
    assert {one["status"] for one in told["detectors"]} == {"cached"}
    assert "No such option" in space.wsbuild("detect", "--staged", "--stagd", code=2).err
    space.git("rm", "-q", "sub/b.txt")
    assert "nothing is staged" in space.wsbuild("detect", "--staged").out


def _config(space: Space) -> None:
    space.write("own.cfg", "other\n")
    space.git("add", "own.cfg")


def _plugin(space: Space) -> None:
    own(space, "exit 0", config_files=["own.cfg"], neighborhood=True)
    space.git("add", "-A")


def _environment(space: Space) -> None:
    space.env["PATH"] += ":/nowhere"


def _ignored_package(space: Space) -> None:
    space.write("made/x.py", "")


def _line_ends(space: Space) -> None:
    (space.root / "a.txt").write_bytes(b"BAD\r\n")


def _another(space: Space) -> None:
    stage(space, "sub/b.txt", "BAD too\n")


def _unstaged(space: Space) -> None:
    space.write("sub/b.txt", "not staged\n")


def _unstaged_first(space: Space) -> None:
    space.write(".gitattributes", "* text=auto eol=lf\n")


def _untracked(space: Space) -> None:
    space.write("new.txt", "")


def _untracked_untold(space: Space) -> None:
    space.git("config", "status.showUntrackedFiles", "no")
    _untracked(space)


def _commit(space: Space) -> None:
    stage(space, "sub/b.txt", "BAD\n")
    space.git("commit", "-qm", "b", "--", "sub/b.txt")


@pytest.mark.parametrize(
    "change",
    [
        *(_config, _plugin, _tool, _environment, _ignored_package, _line_ends),
        *(_another, _unstaged, _untracked, _untracked_untold),
    ],
)
def test_what_else_counts_is_noticed(space: Space, change: Callable[[Space], None]) -> None:
    """All is looked at again."""
    stage(space, "a.txt", "BAD\n")
    asked(space)
    assert asked(space) == (1, True)
    change(space)
    assert not asked(space)[1]


def test_the_index_may_change_while_it_is_asked_for(space: Space) -> None:
    """What git says last is what counts; but where nothing was staged as it began, there is nothing to do."""
    shims = space.root.parent / "shims"
    shims.mkdir()
    (shims / "git").write_text(SLOW_GIT.format(git=shutil.which("git"), before=shims / "before"))
    (shims / "git").chmod(0o755)
    space.env["PATH"] = f"{shims}:{space.env['PATH']}"
    stage(space, "a.txt", "good too\n")
    wait()
    for known in (False, True):
        assert asked(space) == (0, known)
    (shims / "before").write_text(space.git("diff-index", "--cached", "--raw", "-z", "HEAD"))
    stage(space, "a.txt", "BAD\n")
    for known in (False, True):
        assert asked(space) == (1, known)
    stage(space, "a.txt", "good and new\n")
    assert asked(space) == (0, False)
    (shims / "before").write_text("")
    assert "nothing is staged" in space.wsbuild("detect", "--staged").out
    (shims / "before").unlink()
    stage(space, "a.txt", "BAD\n")
    assert asked(space)[0] == 1


def test_a_commit_of_something_else_changes_nothing(space: Space) -> None:
    """What is staged is judged as it was."""
    stage(space, "a.txt", "BAD\n")
    asked(space)
    _commit(space)
    assert asked(space) == (1, True)


def test_a_commit_counts_for_who_judges_all(space: Space) -> None:
    """What it is about is no part of what is staged."""
    own(space, "! grep BAD sub/b.txt", granularity="project", findings=[1])
    space.git("add", "-A")
    space.git("commit", "-qm", "own")
    stage(space, "a.txt", "good too\n")
    wait()
    for known in (False, True):
        assert asked(space) == (0, known)
    _commit(space)
    wait()
    for known in (False, True):
        assert asked(space) == (1, known)


@pytest.mark.parametrize("change", [_unstaged, _unstaged_first, _untracked, _untracked_untold])
def test_what_is_not_committed_is_looked_at_each_time(space: Space, change: Callable[[Space], None]) -> None:
    """What git says does not tell its content."""
    change(space)
    stage(space, "a.txt", "BAD\n")
    for _ in range(3):
        assert asked(space) == (1, False)


def test_an_error_is_not_remembered(space: Space) -> None:
    """What could not be judged is judged again, until it can be."""
    flag = space.root.parent / "flag"
    own(space, f"test -f {flag} || exit 9")
    space.git("add", "-A")
    for _ in range(3):
        assert "sh ended with 9" in space.wsbuild("detect", "--staged", code=1).out
    flag.touch()
    assert asked(space)[0] == 0


def test_paths_are_another_question(space: Space) -> None:
    """As is any other form of the command."""
    stage(space, "a.txt", "BAD\n")
    stage(space, "sub/b.txt", "good too\n")
    assert asked(space) == (1, False)
    assert asked(space, "sub") == (0, False)
    assert asked(space, "sub") == (0, True)
    assert asked(space) == (1, True)


def test_a_hooks_index_counts(space: Space) -> None:
    """`git commit -- PATH` has an index of its own, named from the top of the work tree."""
    stage(space, "a.txt", "BAD\n")
    assert asked(space) == (1, False)
    (space.root / ".git/other").write_bytes((space.root / ".git/index").read_bytes())
    space.git("reset", "-q", "--hard")
    space.write("a.txt", "BAD\n")
    space.env["GIT_INDEX_FILE"] = ".git/other"
    assert asked(space)[0] == 1
    del space.env["GIT_INDEX_FILE"]
    assert "nothing is staged" in space.wsbuild("detect", "--staged").out
