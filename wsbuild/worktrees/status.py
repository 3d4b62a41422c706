"""What git says of the index: asked for at once, read when it is there. Part of the hot path."""

from __future__ import annotations

import os

from wsbuild.tools.environment import tool_env
from wsbuild.worktrees.words import ENVIRON, OPTIONS, PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMMON = ("-z", "--no-renames", "--ignore-submodules=none")
ALL = ("status", "--porcelain=v2", "--branch", "--untracked-files=all", *_COMMON)
STAGED = ("diff-index", "--cached", "--raw", *_COMMON, "HEAD", "--")
WHERE = (
    *("rev-parse", "--is-inside-work-tree", "--show-toplevel", "--show-prefix", "--absolute-git-dir"),
    "--git-common-dir",
)
"""The questions: what `Status` reads, which takes a look at every file; its `index`, which does not; where
the repository is.
"""

_FIELDS_BEFORE_PATH = {"1": 8, "u": 10}
"""By the kind of an entry."""

_UNTRACKED = "?"


class Asked:
    """A process of git that was started in `root`, and looks at the file `index` ('' for the usual one)."""

    def __init__(
        self, root: str, environ: Mapping[str, str], index: str, question: Sequence[str] = ALL
    ) -> None:
        given = {"GIT_INDEX_FILE": index} if index else {}
        self._source, sink = os.pipe()
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        to = [(os.POSIX_SPAWN_DUP2, fd, stream) for stream, fd in enumerate((null, sink, null))]
        argv = [PROGRAM, "-C", root, *OPTIONS, *question]
        try:
            self._pid = os.posix_spawnp(
                PROGRAM, argv, tool_env(environ, {**ENVIRON, **given}), file_actions=to
            )
        except OSError:
            self._pid = 0
        finally:
            os.close(sink)
            os.close(null)

    @property
    def source(self) -> int:
        """A descriptor that can be read as soon as there is an answer."""
        return self._source

    def answer(self) -> bytes | None:
        """What git has said; None where it could not say it."""
        with open(self._source, "rb") as source:
            said = source.read()
        if not self._pid or os.waitpid(self._pid, 0)[1]:
            return None
        return said

    def end(self) -> None:
        """Nobody wants the answer any more."""
        from signal import SIGKILL

        os.close(self._source)
        if self._pid:
            os.kill(self._pid, SIGKILL)
            os.waitpid(self._pid, 0)


class Said:
    """What git has answered: what is staged (`status`), and `where` the repository is, if that was asked."""

    def __init__(self, status: bytes, where: bytes | None = None) -> None:
        self.status = status
        self.where = where


class Status:
    """What it has said of a repository, from below the directory `prefix` ('' or ending in `/`): the files
    that the next commit changes or adds, and whether the working tree is as it will be. `index` is what the
    commit would change anywhere, as git says it when it is asked for what is STAGED.
    """

    def __init__(self, said: bytes, prefix: str = "") -> None:
        self.staged: list[str] = []
        self.is_clean = True
        index = []
        for entry in os.fsdecode(said).split("\0")[:-1]:
            kind = entry[0]
            if kind == "#":
                continue
            if kind == _UNTRACKED:
                self.is_clean = self.is_clean and not entry.startswith(prefix, 2)
                continue
            *fields, path = entry.split(" ", _FIELDS_BEFORE_PATH[kind])
            self.is_clean = self.is_clean and entry[3] == "."
            if path.startswith(prefix) and (kind == "u" or entry[2] not in ".D"):
                self.staged.append(path[len(prefix) :])
            if kind == "1" and entry[2] != ".":
                _, _, _, old_mode, mode, _, old_id, content = fields
                index.append(f":{old_mode} {mode} {old_id} {content} {entry[2]}\0{path}\0")
        self.index = "".join(index)


def names_in_index(index: str, known: str = "") -> list[str]:
    """The files that the next commit changes or adds, from the top of the repository, by such an `index`;
    without those that are the same in the index that is `known`.
    """
    old = _contents(known)
    return [path for path, content in _contents(index).items() if old.get(path) != content]


def _contents(index: str) -> dict[str, list[str]]:
    """Mode and content of each file that is not removed."""
    rows = index.split("\0")[:-1]
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return {path: row.split(" ")[1:4:2] for row, path in pairs if row[-1] != "D"}
