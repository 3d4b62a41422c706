"""Calls of tools that are started as soon as it is known which files have changed, before all is looked up
that tells whether, and how, they are to be judged.

Part of the way to the first tool: imports little. What is started here is a guess, by what the last run did.
It counts only where the run comes to the very same call, of files with the contents that were there before
the start, and all that keys are made of besides looks after the start as it did in the last run.
"""

from __future__ import annotations

import os
import stat

from wsbuild.detectors.batches import batches
from wsbuild.detectors.rooms import Room, Started, environment
from wsbuild.detectors.ways import FILES, Way, Ways, ending
from wsbuild.errors import StateError, UserError
from wsbuild.folders import chain
from wsbuild.looks import look_at
from wsbuild.tools import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wsbuild.detectors.calls import Call
    from wsbuild.memory import Memory
    from wsbuild.watch import Watch

MOST_FILES = 50
MOST_BYTES = 4 * 2**20
"""Of more, reading them takes longer than is won."""


class Early:
    """Calls that were started in the project at `root` for what is as it was in the run `old`, and what was
    there before. `ways` are those of that run.
    """

    def __init__(self, old: Memory, root: str, ways: Ways) -> None:
        self._old = old
        self._root = root
        self.ways = ways
        self._contents: dict[str, tuple[str, bytes]] = {}
        self._calls: dict[tuple[str, tuple[str, ...]], Started] = {}

    def start(self, paths: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start as many calls for files that have changed as may run at a time; none where there is any
        doubt. Whoever is interrupted ends what was started.
        """
        try:
            if len(paths) > MOST_FILES or not self._look(paths):
                return
            jobs = self.ways.jobs or os.cpu_count() or 1
            for way, files in sorted(self._wanted(jobs), key=lambda one: (-len(one[1]), one[0].id))[:jobs]:
                self._start(way, files, environ)
        except (OSError, StateError, UserError):
            self.end()  # whoever calls it again is told why
        except BaseException:
            self.end()
            raise

    def _look(self, paths: Sequence[str]) -> bool:
        """Note what is there now of those that were not only touched. Gives whether all are files of the
        project.
        """
        room, doubtful = MOST_BYTES, []
        for path in paths:
            full = os.path.join(self._root, path)
            st = os.lstat(full)
            if not stat.S_ISREG(st.st_mode) or st.st_size > room or path.startswith("/"):
                return False
            at = self._old.places.get(path)
            if at is not None and self._old.look(at)[2] == st.st_size:
                doubtful.append(path)
            room -= st.st_size
            with open(full, "rb") as file:
                self._contents[path] = "x" if st.st_mode & 0o111 else "f", file.read(MOST_BYTES)
        for path in self._touched(doubtful):
            del self._contents[path]
        folders = {folder for path in self._contents for folder in chain(os.path.dirname(path))}
        above = (os.path.join(self._root, folder) if folder else self._root for folder in folders)
        return all(self._looks_as_ever(folder, unseen=True) for folder in above)

    def _touched(self, paths: Sequence[str]) -> list[str]:
        """Those of noted files that have the contents that they had, as far as is known."""
        if not paths:
            return []
        from wsbuild.cache.digest import sha256_bytes
        from wsbuild.store.verdicts import last_read

        known = last_read(self._root, paths)
        return [path for path in paths if known.get(path) in {None, sha256_bytes(self._contents[path][1])}]

    def _looks_as_ever(self, path: str, *, unseen: bool) -> bool:
        """Whether a path looks as in the last run; `unseen` is the answer for one that it did not look at."""
        at = self._old.place(path)
        return unseen if at is None else self._old.look(at) == look_at(path)

    def _wanted(self, jobs: int) -> Iterator[tuple[Way, list[str]]]:
        for way in self.ways.ways:
            files = sorted(path for path in self._contents if ending(path) in way.endings)
            if len(files) == 1 or way.is_one_group:
                for batch in batches(way, files, jobs):
                    yield way, batch

    def _start(self, way: Way, files: Sequence[str], environ: Mapping[str, str]) -> None:
        room = Room()
        try:
            at = way.words.index(FILES)
            command = process.Command(
                argv=(way.program, *way.words[:at], *files, *way.words[at + 1 :]),
                env=environment(way, environ, way.path, room.folder),
                cwd=self._root,
                timeout_sec=way.timeout_sec,
            )
            started = Started(room, command, process.begin(command, room.errors))
        except BaseException:
            room.close()
            raise
        self._calls[way.id, tuple(files)] = started

    def adopt(
        self, calls: Sequence[Call], states: Mapping[str, Mapping[str, str]], watch: Watch
    ) -> list[Call]:
        """The `calls` to be made, with what was started of them; all other is ended. The keys of what is
        judged were made of the `states` of the files of each detector, and of what `watch` has seen.
        """
        found = list(calls)
        if self._calls and self._is_as_it_was(watch):
            found = [call._replace(started=self._take(call, states[call.detector.id])) for call in calls]
        self.end()
        return found

    def _take(self, call: Call, states: Mapping[str, str]) -> Started | None:
        """What was started of a call, if the files have the contents that were there before."""
        from wsbuild.cache.digest import sha256_bytes

        at = call.detector.id, tuple(call.files)
        if at not in self._calls:
            return None
        for path in call.files:
            letter, content = self._contents[path]
            if states[path] != f"{letter}:{sha256_bytes(content)}":
                return None
        return self._calls.pop(at)

    def _is_as_it_was(self, watch: Watch) -> bool:
        """Whether all around that `watch` has seen, of which keys were made after the start, still looks as
        in the last run.
        """
        return all(self._looks_as_ever(path, unseen=False) for path in (*watch.folders, *watch.around))

    def end(self) -> None:
        """End what nobody has taken."""
        while self._calls:
            _, started = self._calls.popitem()
            started.end()
