"""Routing over one project, with what it needs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wsbuild import config
from wsbuild.aim import audit
from wsbuild.aim.audit import Trail
from wsbuild.aim.invoke import Where
from wsbuild.aim.load import Aim, load
from wsbuild.aim.lookup import Lookup
from wsbuild.aim.routing import Router
from wsbuild.aim.turns import turns_dir
from wsbuild.atomic import write_atomic
from wsbuild.detectors.project import Project, open_project
from wsbuild.problems import ProblemsError
from wsbuild.tools import profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wsbuild.tools.redact import Redactor

DAY_S = 86_400


class Opened:
    """What routing goes by in a project (`known`), and where its tools are."""

    def __init__(self, root: str, known: Aim, settings: config.Config, project: Project) -> None:
        self.root = root
        self.known = known
        self.lookup = Lookup(project.tools, project.environ, known.folder)
        self.redactor: Redactor = project.place.redactor
        self._grace_sec = settings.grace_sec
        self._environ = project.environ

    def router(self, cwd: str, tell: Callable[[str], None] | None = None) -> Router:
        """What has requests served in `cwd`."""
        trail = Trail(self.root, self.redactor, enabled=self.known.settings.enable_audit_logging)
        where = Where(self.root, cwd, self._environ, self._grace_sec)
        return Router(self.known, self.lookup, where, trail, tell or (lambda _: None))

    def keep_tidy(self) -> None:
        """Remove old entries of the audit trail, once a day; what cannot be is left for another time."""
        try:
            mark = f"{turns_dir(self.root)}/pruned"
            today = str(int(time.time() // DAY_S))
            if _text(mark) == today:
                return
            audit.prune(self.root, self.known.settings.audit_log_retention_days)
            write_atomic(mark, today.encode())
        except OSError:
            return


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


@contextmanager
def opened(root: str, environ: Mapping[str, str]) -> Iterator[Opened]:
    """Routing in the project at `root`. Raises UserError with all that is wrong with its files."""
    settings, problems = config.load(root)
    known_profiles, profile_problems = profiles.load(root)
    known, aim_problems = load(root, environ, known_profiles)
    problems = [*problems, *profile_problems, *aim_problems]
    if problems:
        raise ProblemsError(problems)
    with open_project(root, environ, settings.ignore, settings.secrets) as project:
        try:
            yield Opened(root, known, settings, project)
        finally:
            project.verdicts.remember({}, project.tools.take_unsaved())
