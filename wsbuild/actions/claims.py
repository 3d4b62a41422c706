"""Which workstreams look at a path: what a run has looked at, by who did so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild import patterns
from wsbuild.actions.words import paths_in
from wsbuild.cache.expand import GITIGNORE
from wsbuild.folders import below, chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wsbuild.plan.records import StepPlan
    from wsbuild.watch import Watch

Members = frozenset[int]


class Claims:
    """What workstreams, known by numbers, depend on: files by name, all below directories, and words of
    command lines that would be files if they were there.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._names: dict[str, set[int]] = {}
        self._below: dict[str, set[int]] = {}
        self._bases: list[str] = []
        self._words: dict[str, set[int]] = {}

    def add(self, number: int, steps: Iterable[StepPlan]) -> None:
        """What the steps of one workstream name."""
        for step in steps:
            for pattern in (*step.inputs, *step.outputs):
                if patterns.kind(pattern) == "glob":
                    self._below.setdefault(patterns.base(pattern), set()).add(number)
                else:
                    self._names.setdefault(pattern.rstrip("/"), set()).add(number)
            for word in paths_in(step):
                self._words.setdefault(word, set()).add(number)

    def readers(self, watch: Watch, common: frozenset[str]) -> dict[str, Members | None]:
        """Who depends on each path that was looked at; None: everybody may. `common` are directories that
        were looked at before anybody was asked.
        """
        # What is named, and is a directory or a link, means all below it.
        for folder in (*watch.folders, *watch.around):
            rel = self._rel(folder)
            if named := self._names.get(rel):
                self._below.setdefault(rel, set()).update(named)
        self._bases = sorted(self._below)
        found: dict[str, Members | None] = dict.fromkeys((*common, *watch.linked, *watch.known))
        for path in watch.around.keys() - found.keys():
            rel = self._rel(path)
            folder, _, name = rel.rpartition("/")
            found[path] = frozenset({*self._of(rel), *self._below_of(folder)}) if name == GITIGNORE else None
        for folder in watch.folders.keys() - found.keys():
            found[folder] = frozenset(self._of(self._rel(folder)))
        for path in watch.files.keys() - found.keys():
            found[path] = frozenset(self._of(self._rel(path))) or None
        return found

    def words(self) -> dict[str, list[int]]:
        """The words that may come to name files, and who names them."""
        return {word: sorted(numbers) for word, numbers in self._words.items()}

    def _of(self, rel: str) -> Iterator[int]:
        """Those who look at a path: it may come to be a file that a command line means."""
        yield from self._names.get(rel, ())
        yield from self._words.get(rel, ())
        for above in chain(rel):
            yield from self._below.get(above, ())

    def _below_of(self, folder: str) -> Iterator[int]:
        """Those who look at a directory below another, and may ask what git ignores there."""
        for base in below(self._bases, folder):
            yield from self._below[base]

    def _rel(self, path: str) -> str:
        return "" if path == self._root else path.removeprefix(self._root + "/")
