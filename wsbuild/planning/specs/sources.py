"""Where specifications are: the directories that hold them, their pages, and the sidecars beside these."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.paths import BadPathError, canonical, is_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL = ("docs/source", "openspec/specs", "specs")
ENDING = ".md"
SIDECAR = ".sidecar.yaml"


class Found(NamedTuple):
    """What is in the directories, as paths from the root, sorted; `problems` say what cannot be used."""

    sources: tuple[str, ...]
    pages: tuple[str, ...]
    sidecars: tuple[str, ...]
    """Those that are beside a page, and those that have lost theirs."""
    problems: tuple[Problem, ...]

    @property
    def orphans(self) -> list[str]:
        """The sidecars without a page."""
        pages = set(self.pages)
        return [path for path in self.sidecars if path.removesuffix(SIDECAR) not in pages]


def keys(page: str) -> tuple[str, str]:
    """Volume and section of a page: its directory, and its name without the ending."""
    directory, name = os.path.split(page)
    return directory or ".", name.removesuffix(ENDING)


def choose(root: str, given: Sequence[str], settings: Sequence[str]) -> tuple[str, ...]:
    """The directories to look into, from the root: those given, else those of the settings, else those of
    USUAL that are there. Raises UserError for what is no directory of the project, and for none at all.
    """
    chosen = tuple(dict.fromkeys(os.path.normpath(one) for one in given or settings))
    for one in chosen:
        path = os.path.join(root, one)
        if os.path.isabs(one) or not (os.path.realpath(path) == root or is_inside(root, one)):
            raise UserError(f"{one} is not below the root of the project", "name a directory in it")
        if not os.path.isdir(path):
            why = "is not a directory" if os.path.lexists(path) else "is not there"
            raise UserError(f"{one} {why}", "name a directory that holds specifications")
    usual = tuple(one for one in USUAL if os.path.isdir(os.path.join(root, one)) and is_inside(root, one))
    if not chosen and not usual:
        told = f"there is none of {', '.join(USUAL)}"
        raise UserError(told, "name a directory with --source, or `spec_sources` in config/wsbuild.yaml")
    return chosen or usual


def _flaw(root: str, rel: str) -> Problem | None:
    try:
        canonical(rel)
    except BadPathError as error:
        name = rel.encode(errors="backslashreplace").decode()
        return Problem(name, "", 0, "bad-name", str(error), "give it another name")
    if not is_inside(root, rel):
        hint = "remove the link, or put the page itself there"
        return Problem(rel, "", 0, "outside", "leads out of the project", hint)
    return None


def find(root: str, sources: Sequence[str], ignore: Sequence[str]) -> Found:
    """What the directories hold, and those within them; links to directories are not followed.

    Left out are names that begin with a dot, and those that a pattern of `ignore` fits.
    """
    found: set[str] = set()
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        rel = os.path.relpath(os.fsdecode(error.filename), root)
        hint = "make it readable, or leave it out"
        problems.append(Problem(rel, "", 0, "unreadable", f"cannot be read: {error.strerror}", hint))

    def wanted(name: str) -> bool:
        return name[0] != "." and not any(fnmatchcase(name, pattern) for pattern in ignore)

    for source in sources:
        for directory, names, files in os.walk(os.path.join(root, source), onerror=unreadable):
            names[:] = filter(wanted, names)
            inside = os.path.relpath(directory, root)
            there = [name for name in files if name.endswith((ENDING, ENDING + SIDECAR)) and wanted(name)]
            found.update(os.path.normpath(os.path.join(inside, name)) for name in there)
    flaws = {rel: flaw for rel in sorted(found) if (flaw := _flaw(root, rel))}
    good = sorted(found - flaws.keys())
    pages = tuple(rel for rel in good if rel.endswith(ENDING))
    sidecars = tuple(rel for rel in good if rel.endswith(SIDECAR))
    return Found(tuple(sources), pages, sidecars, (*problems, *flaws.values()))
