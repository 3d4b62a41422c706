"""The engine over one project, with what it remembers."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wsbuild.cache.expand import Tree
from wsbuild.cache.files import FileStates
from wsbuild.config import FILE
from wsbuild.detectors.engine import Engine, Surroundings
from wsbuild.detectors.execution import Place
from wsbuild.detectors.keys import Folders
from wsbuild.detectors.listing import Listing
from wsbuild.errors import UserError
from wsbuild.identity import NODE_TOOLS, Tools, search_path
from wsbuild.statedir import STATE, make_dir
from wsbuild.store.verdicts import DATABASE, Verdicts
from wsbuild.tools.process import shutdown
from wsbuild.tools.redact import Redactor, secrets_of
from wsbuild.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wsbuild.detectors.contract import Detector
    from wsbuild.filestat import FileRow


class Project:
    """What detectors need to know of the project at `home`, as it is at `root`, which is the same or a copy.
    It leaves out what is called as `ignore` says, and takes the values of secrets out of what tools say.
    Git is asked by the file `index` ('' for the usual one). Who is not `writing` leaves everything as it is.
    """

    def __init__(
        self,
        home: str,
        root: str,
        environ: Mapping[str, str],
        ignore: Sequence[str],
        redactor: Redactor,
        *,
        index: str = "",
        writing: bool = True,
    ) -> None:
        self.root = root
        self.environ = environ
        self.verdicts = _open_verdicts(home, writing=writing)
        self.tree = Tree(root, ignore, self._note)
        self.watch = Watch(self.tree.is_ignored)
        self.listing = Listing(self.tree, home, environ, index, self.watch)
        seed = self.verdicts.seed
        # What is remembered of files is of those at home.
        load = self.verdicts.files if root == home else _nothing
        states = FileStates(root, seed, load, stat_file=self.watch.lstat_file)
        around = FileStates(root, seed, load, stat_file=self.watch.lstat_around)
        path = os.pathsep.join([os.path.join(home, NODE_TOOLS), search_path(environ, sys.executable)])
        tools = Tools(around, path, sys.executable, self.verdicts.version)
        self.tools = tools
        self.place = place = Place(root, environ, tools.path, tools.find, redactor)
        surroundings = Surroundings(states, around, tools, self._folders, self.watch, is_copy=root != home)
        self.engine = Engine(place, surroundings, self.verdicts)

    def _note(self, path: str) -> None:
        self.watch.note(path)

    def _folders(self) -> Folders:
        return Folders(self.tree, self.watch.note)


def choose(detectors: Sequence[Detector], only: Sequence[str], usual: Sequence[str]) -> list[Detector]:
    """The detectors with the ids of `only`; without any, those that the settings name as `usual`, or all
    that are not on demand. Raises UserError for one that there is not.
    """
    known = {one.id: one for one in detectors}
    for name in only or usual:
        if name not in known:
            where = "" if only else f"{FILE}, detectors: "
            raise UserError(f"{where}there is no detector {name!r}", f"there are: {', '.join(sorted(known))}")
    if only or usual:
        return [known[name] for name in dict.fromkeys(only or usual)]
    return [one for one in detectors if not one.manifest.on_demand]


def _nothing(_: Iterable[str]) -> dict[str, FileRow]:
    return {}


def _open_verdicts(root: str, *, writing: bool) -> Verdicts:
    if not writing and not os.path.exists(os.path.join(root, DATABASE)):
        return Verdicts(":memory:")
    try:
        make_dir(root, STATE)
        return Verdicts(os.path.join(root, DATABASE))
    except OSError as error:
        verdicts = Verdicts(":memory:")
        verdicts.warning = f"results of detectors are not kept: {error}"
        return verdicts


@contextmanager
def open_project(
    home: str,
    environ: Mapping[str, str],
    ignore: Sequence[str],
    secrets: Sequence[str],
    root: str = "",
    index: str = "",
) -> Iterator[Project]:
    """The project at `home`, or a copy of it at `root`, by the file `index` of git; `secrets` are names of
    variables whose values nobody may see.
    """
    redactor = Redactor(secrets_of(environ, secrets, []))
    project = Project(home, root or home, environ, ignore, redactor, index=index)
    try:
        yield project
    finally:
        shutdown()
        project.verdicts.close()
