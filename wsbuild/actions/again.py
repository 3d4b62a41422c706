"""What a run looks at, so that the next one can see what is as it was.

Part of the hot path: it imports nothing heavy.
"""

from __future__ import annotations

import os
import stat

from wsbuild import memory
from wsbuild.watch import UNSURE, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wsbuild.actions.tally import Tally
    from wsbuild.actions.trace import Trace
    from wsbuild.looks import Look
    from wsbuild.memory import Memory

DOIT_FILES = ("pyproject.toml", "doit.cfg", "dodo.py")
"""What says how doit answers, in the current directory."""

MANY = 50
"""To compare so many files once more takes about as long as to write down that they are the same."""


class Before:
    """An earlier run of the same words, and the places of its memory that are not as they were."""

    def __init__(self, old: Memory, moved: list[int]) -> None:
        self.memory = old
        self.moved = moved
        self._places = frozenset(moved)

    @property
    def answer(self) -> tuple[int, str, str] | None:
        """What it answered, where that is still right."""
        return None if self.moved or is_undecided(self.memory) else self.memory.answer

    def look(self, path: str) -> Look | None:
        """What a regular file looks like that is as it was; None for all else."""
        place = self.memory.place(path)
        if place is None or place in self._places:
            return None
        seen = self.memory.look(place)
        return seen if stat.S_ISREG(seen[4]) and seen[3] != UNSURE else None


def is_undecided(old: Memory) -> bool:
    """Whether something was left that is to be asked."""
    return old.answer[0] == memory.UNDECIDED


def recall(root: str, words: Sequence[str], environ: Mapping[str, str]) -> Before | None:
    """The earlier run; None where it tells nothing. What only looks otherwise is taken as it is."""
    old = memory.load(memory.RUN, root, words)
    moved = None if old is None else old.moved(environ)
    if old is None or moved is None or ((moved or is_undecided(old)) and not old.complete()):
        return None
    rest = moved and old.unlike(moved)
    if rest:
        from wsbuild.cache.unmoved import take_as_seen

        rest = take_as_seen(old, rest, int(old.first))
    known = len(moved) - len(rest)
    if known > (MANY if rest else 0):  # what is run now is remembered anyway
        keep(root, words, old)
    return Before(old, rest)


def keep(root: str, words: Sequence[str], new: Memory) -> None:
    """Let the next run know."""
    from wsbuild.statedir import keep_file

    def write(path: str, data: bytes) -> None:
        keep_file(root, os.path.relpath(path, root), data)

    memory.save(memory.RUN, root, words, new, write)


class Again:
    """One run, known by its `words`, and what it was `before`. It has to look at all that its answer depends
    on before it reads it; `watch` takes note of that. `render` gives what it prints where all is done.
    `trace` is that of the earlier run, where this one goes by it. It is spoiled where somebody else has
    recorded something meanwhile.
    """

    def __init__(self, words: Sequence[str], before: Before | None = None) -> None:
        self.words = words
        self.before = before
        self.render: Callable[[Tally], str] = lambda _: ""
        self.database: tuple[str, ...] = ()
        self.common: frozenset[str] = frozenset()
        self.trace: Trace | None = None
        self.is_spoiled = False
        self.watch = Watch(lambda _: None, before.look) if before else Watch(lambda _: None)
        for name in DOIT_FILES:
            self.watch.note(os.path.abspath(name))

    def look_at_database(self, path: str) -> None:
        """Look at the history before anything is read from it."""
        real = os.path.realpath(path)  # SQLite has its log beside the file itself
        self.database = tuple(dict.fromkeys((path, real, f"{real}-wal")))
        for each in self.database:
            self.watch.note(each)

    def has_looked_at_all(self) -> None:
        """The directories that were looked at by now are what every step depends on, as all that lies around
        is at any time.
        """
        self.common = frozenset(self.watch.folders)

    def look_at_database_again(self) -> bool:
        """Whether nobody has written to the history since; it counts as it is now."""
        seen = self._database_looks()
        for path in self.database:
            self.watch.look_again(path)
        return seen == self._database_looks()

    def _database_looks(self) -> list[Look | None]:
        return [self.watch.around.get(path) for path in self.database]
