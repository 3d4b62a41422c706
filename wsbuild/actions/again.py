"""What a run looks at, so that the next one can see that all is as it was, where there was nothing to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.memory import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOIT_FILES = ("pyproject.toml", "doit.cfg", "dodo.py")
"""What says how doit answers, in the current directory."""


class Again:
    """One run, known by its `words`. It has to look at all that its answer depends on before it reads it;
    `watch` takes note of that. `render` gives what it prints.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.render: Callable[[], str] = str
        self.database: tuple[str, ...] = ()
        self.watch = Watch(lambda _: None)
        for name in DOIT_FILES:
            self.watch.note(os.path.abspath(name))

    def look_at_database(self, path: str) -> None:
        """Look at the history before anything is read from it."""
        real = os.path.realpath(path)  # SQLite has its log beside the file itself
        self.database = tuple(dict.fromkeys((path, real, f"{real}-wal")))
        for each in self.database:
            self.watch.note(each)

    def database_is_as_seen(self) -> bool:
        """Whether nobody has written to the history since; it counts as it is now."""
        seen = [self.watch.around[path] for path in self.database]
        for path in self.database:
            self.watch.look_again(path)
        return seen == [self.watch.around[path] for path in self.database]
