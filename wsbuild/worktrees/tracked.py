"""Files that git tracks although a `.gitignore` names them. To git such a rule is for what it does not know
yet: they are part of the project like any other.

Part of the hot path: imports nothing heavy.
"""

from __future__ import annotations

import os

from wsbuild.root import upward
from wsbuild.worktrees.status import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARK, INDEX = ".git", "index"
_QUESTION = ("ls-files", "-z", "--cached", "--ignored", "--exclude-per-directory=.gitignore")
_LINK = "gitdir: "


class Tracked:
    """The question to git, of the project at `root`, by the file `index` ('' for the usual one). It looks
    while others work. `places` tell by their looks when to ask again; of these, `indexes` change with
    whatever git is told of any file.
    """

    def __init__(self, root: str, environ: Mapping[str, str], index: str = "") -> None:
        self.places = [*_places(root), *([index] if index else [])]
        self.indexes = [place for place in self.places if os.path.basename(place) != MARK]
        self._asked = Asked(root, environ, index, _QUESTION) if self.indexes else None

    def answer(self) -> list[str] | None:
        """Those files, from the root; nothing where there is no git, None where it does not say. To be read
        once.
        """
        if self._asked is None:
            return []
        said = self._asked.answer()
        return None if said is None else os.fsdecode(said).split("\0")[:-1]


def is_index(path: str) -> bool:
    """Whether a path is the file in which git notes what it tracks, where it usually is."""
    return path.endswith(f"{os.sep}{INDEX}") and f"{os.sep}{MARK}{os.sep}" in path


def _places(root: str) -> Iterator[str]:
    """The index of the repository around a directory, and what says where it is; and where a nearer one would
    appear.
    """
    for here in upward(root):
        mark = os.path.join(here, MARK)
        directory = _directory(mark)
        if directory != mark:
            yield mark
        if directory:
            yield os.path.join(directory, INDEX)
            if os.path.lexists(os.path.join(directory, "HEAD")):
                return


def _directory(mark: str) -> str:
    """Where the repository is that `.git` stands for, itself or by its words, see gitrepository-layout(5);
    '' where there is none.
    """
    if os.path.isdir(mark):
        return mark
    try:
        with open(mark, encoding="utf-8", errors="surrogateescape") as file:
            said = file.read()
    except OSError:
        return ""
    if not said.startswith(_LINK):
        return ""
    return os.path.normpath(os.path.join(os.path.dirname(mark), said[len(_LINK) :].rstrip("\n")))
