"""The engine over one project, with what it remembers."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.expand import Tree
from wsbuild.cache.files import FileStates
from wsbuild.detectors import registry
from wsbuild.detectors.engine import Engine
from wsbuild.detectors.execution import Place
from wsbuild.errors import UserError
from wsbuild.identity import Tools, search_path
from wsbuild.statedir import STATE, make_dir
from wsbuild.store.verdicts import Verdicts
from wsbuild.tools.process import shutdown
from wsbuild.tools.redact import Redactor, secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wsbuild.config import Config
    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.engine import Report
    from wsbuild.model import Problem

DATABASE = f"{STATE}/detect.db"


class Project(NamedTuple):
    """The detectors in force, and what is wrong with others; `tree` knows the project's files."""

    detectors: list[Detector]
    problems: list[Problem]
    tree: Tree
    engine: Engine
    verdicts: Verdicts

    def choose(self, only: Sequence[str]) -> list[Detector]:
        """The detectors with these ids, all without any. Raises UserError for one that there is not."""
        known = {one.id: one for one in self.detectors}
        for name in only:
            if name not in known:
                raise UserError(f"there is no detector {name!r}", f"there are: {', '.join(sorted(known))}")
        return [known[name] for name in dict.fromkeys(only)] if only else self.detectors

    def files(self, wanted: Sequence[str]) -> list[str]:
        """The files that words name, all without any. Raises UserError for one that is not there."""
        if not wanted:
            return self.tree.files()
        for path in wanted:
            if not os.path.lexists(os.path.join(self.tree.root, path)):
                raise UserError(f"{path} is not there", "name files and directories of the project")
        return self.tree.expand(wanted, gitignore=True)

    def detect(self, detectors: Sequence[Detector], files: Sequence[str], jobs: int) -> Report:
        """Judge files, `jobs` calls at a time."""
        return self.engine.detect(detectors, files, jobs)


@contextmanager
def open_project(root: str, environ: Mapping[str, str], settings: Config) -> Iterator[Project]:
    """The project at `root`, with what was found out about its files earlier."""
    detectors, problems = registry.load(root)
    try:
        make_dir(root, STATE)
        verdicts = Verdicts(os.path.join(root, DATABASE))
    except OSError as error:
        verdicts = Verdicts(":memory:")
        verdicts.warning = f"results of detectors are not kept: {error}"
    try:
        states = FileStates(root, verdicts.seed, verdicts.files)
        tools = Tools(states, search_path(environ, sys.executable), sys.executable, verdicts.version)
        redactor = Redactor(secrets_of(environ, settings.secrets, []))
        place = Place(root, environ, tools.path, tools.find, redactor)
        engine = Engine(place, states, tools, verdicts)
        yield Project(detectors, problems, Tree(root, settings.ignore), engine, verdicts)
    finally:
        shutdown()
        verdicts.close()
