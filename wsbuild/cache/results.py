"""Recorded results by step and key: one small file each, in a directory for each step."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.cache.entry import DamagedEntryError, parse
from wsbuild.cache.shelf import NO_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.cache.entry import Entry
    from wsbuild.cache.shelf import Shelf

FOLDER = "results"
NAME_LENGTH = 32
"""Of the directory of a step's results."""

BOUND = "@"
"""Stands between key and checkout in the name of a result that is of use in that checkout only."""


def checkout_id(root: str) -> str:
    """What a result that only the checkout at `root` can use is marked with."""
    return sha256_text(root)[:16]


class Found(NamedTuple):
    """The answer to a look-up: the entry, or why there is none for us ('' when there is none at all);
    `damage` says what was found damaged and put out of use.
    """

    entry: Entry | None
    why_not: str = ""
    damage: str = ""


class Results:
    """The results in one cache."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def directory(self, task: str) -> str:
        """Where the results of a step are."""
        name = sha256_text(task)[:NAME_LENGTH]
        return self._shelf.path(FOLDER, name[:2], name)

    def path(self, entry: Entry) -> str:
        """Where a result is kept."""
        name = entry.key + (BOUND + entry.bound_to if entry.bound_to else "")
        return os.path.join(self.directory(entry.task), name)

    def put(self, entry: Entry) -> None:
        """Keep a result. Raises OSError."""
        with self._shelf.writing(self.path(entry)) as fd:
            view = memoryview(entry.dump())
            while view:
                view = view[os.write(fd, view) :]

    def get(self, task: str, key: str, checkout: str) -> Found:
        """The result of a step for a key, as the checkout with that id can use it."""
        damage = ""
        for name in (key, key + BOUND + checkout):
            path = os.path.join(self.directory(task), name)
            try:
                entry = self._read(path, task, key)
            except FileNotFoundError:
                continue
            except (OSError, DamagedEntryError) as error:
                is_damaged = isinstance(error, DamagedEntryError) or error.errno in NO_FILE
                if is_damaged:
                    self._shelf.put_away(path)
                damage = f"{path} {'is damaged' if is_damaged else 'cannot be read'}: {error}"
                continue
            if entry.bound_to not in {"", checkout}:
                continue
            return Found(entry, damage=damage)
        return Found(None, self._elsewhere(task, key, checkout), damage)

    def used(self, entry: Entry) -> None:
        """Note that a result was of use."""
        self._shelf.used(self.path(entry))

    def recent(self, task: str, limit: int | None) -> Iterator[Entry]:
        """The results of a step that were used last (None: all), whatever their keys; damaged ones left
        out.
        """
        directory = self.directory(task)
        with suppress(OSError):
            found = []
            for name in os.listdir(directory):
                with suppress(OSError):
                    found.append((os.lstat(os.path.join(directory, name)).st_mtime_ns, name))
            for _, name in sorted(found, reverse=True)[:limit]:
                with suppress(OSError, DamagedEntryError):
                    yield self._read(os.path.join(directory, name), task, name.partition(BOUND)[0])

    def _read(self, path: str, task: str, key: str) -> Entry:
        return parse(self._shelf.read(path), task, key)

    def _elsewhere(self, task: str, key: str, checkout: str) -> str:
        """Whether only other checkouts can use what is there."""
        with suppress(OSError):
            names = set(os.listdir(self.directory(task))) - {key + BOUND + checkout}
            if any(name.startswith(key + BOUND) for name in names):
                return "the cached result holds the path of another checkout"
        return ""
