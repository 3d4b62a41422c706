"""Which files of a project there are to judge: those that git does not ignore, or tracks in spite of that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.detectors.selection import among
from wsbuild.errors import UserError
from wsbuild.looks import is_file
from wsbuild.root import is_outside
from wsbuild.worktrees.tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.cache.expand import Tree
    from wsbuild.watch import Watch

HELP = "name files and directories of the project"


class Listing:
    """The files in `tree`, which is the project at `home` or a copy of it; git is asked by the file `index`
    ('' for the usual one). A `watch` sees all that the answer depends on.

    After an answer, `tracked` are the files that git tracks although an ignore file names them (None: it does
    not say), and `indexes` what changes where these may have become others.
    """

    def __init__(
        self,
        tree: Tree,
        home: str,
        environ: Mapping[str, str],
        index: str = "",
        watch: Watch | None = None,
    ) -> None:
        self._tree = tree
        self._home = home
        self._environ = environ
        self._index = index
        self._watch = watch
        self.indexes: list[str] = []
        self.tracked: list[str] | None = []

    def files(self, wanted: Sequence[str] = ()) -> list[str]:
        """The files that paths name, sorted; all without any. Raises UserError for one that is not there, or
        lies outside.
        """
        for path in wanted:
            if is_outside(path):
                raise UserError(f"{path} is outside of the project {self._tree.root}", HELP)
            if not os.path.lexists(os.path.join(self._tree.root, path)):
                raise UserError(f"{path} is not there", HELP)
        if os.curdir in wanted:
            wanted = ()
        asked = Tracked(self._home, self._environ, self._index)
        for place in asked.places:
            self._note(place)
        found = self._tree.expand(wanted, gitignore=True) if wanted else self._tree.files()
        self.indexes, self.tracked = asked.indexes, asked.answer()
        if self.tracked is None and self._watch:
            for index in self.indexes:
                self._watch.doubt(index)
        more = [path for path in among(self.tracked or (), wanted) if self._is_there(path)]
        return sorted({*found, *more}) if more else found

    def _is_there(self, path: str) -> bool:
        """Whether a path that git tracks is a file that may count. The directory that it is in is not looked
        at.
        """
        if not self._tree.may_count(path):
            return False
        full = os.path.join(self._tree.root, path)
        if is_file(full):
            return True
        self._note(full)
        return False

    def _note(self, path: str) -> None:
        if self._watch:
            self._watch.note(path)
