"""What a command saw, so that the next one can tell what has changed since; mostly nothing.

Part of the hot path: it imports nothing that is not there already. A memory is a file below the state
directory, one for each form of a command. It is believed only if it is whole and of the same program, and
tells nothing where any doubt is left: then all is looked at.
"""

from __future__ import annotations

import os
import stat
import sys
import time
import zlib
from array import array

from wsbuild import __version__
from wsbuild.looks import FIELDS, GONE, MOST_LINKS, Look, differing, look_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DETECT, RUN = "detect", "run"
"""The kinds of commands; each has a directory of that name below STATE."""

STATE = ".wsbuild"
MOST = 16
"""Memories that are kept of each kind."""

FORMAT = 5
FINE_MARGIN_NS = 100_000_000
COARSE_MARGIN_NS = 2_000_000_000
DAY_S = 86_400

NO_FOLDER = "/"
"""In the place of the names in a directory; one without any is another thing."""

HIDDEN = "#"
"""Before the name of a variable whose value is kept as its digest."""

UNSURE: Look = (-1, 0, 0, 0, 0)
"""What is noted of a file that changed as it was looked at, or just before: equal to nothing."""


class Watch:
    """Looks at paths, and remembers what it saw first of each: of the `files` that are judged, of what lies
    `around` them, and of `folders`, with the names in them: all (`names`), and those that count (`listings`).
    """

    def __init__(self, is_ignored: Callable[[str], object]) -> None:
        self.began_ns = time.time_ns()
        self.files: dict[str, Look] = {}
        self.around: dict[str, Look] = {}
        self.folders: dict[str, Look] = {}
        self.names: dict[str, str] = {}
        self.listings: dict[str, str] = {}
        self._is_ignored = is_ignored

    def lstat_file(self, path: str) -> os.stat_result:
        """Look at a file that is judged. Raises OSError."""
        return _lstat(path, self.files)

    def lstat_around(self, path: str) -> os.stat_result:
        """Look at something that what is found depends on. Raises OSError."""
        return _lstat(path, self.around)

    def note(self, path: str) -> None:
        """Look at a place where files are looked for: a directory, or something that says which count; and
        at where that leads.
        """
        for _ in range(MOST_LINKS):
            if path in self.listings or path in self.around:
                return
            try:
                st = os.lstat(path)
                target = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
            except OSError:
                self.around[path] = GONE
                return
            if stat.S_ISDIR(st.st_mode):
                self._note_folder(path, st)
            else:
                self.around[path] = look_of(st)
            if not target:
                return
            path = os.path.join(os.path.dirname(path), target)

    def _note_folder(self, path: str, st: os.stat_result) -> None:
        self.folders[path] = look_of(st)
        self.names[path] = names_in(path)
        rows = self.names[path].split("\0")
        self.listings[path] = "\0".join(row for row in rows if not self._is_ignored(row[:-3]))

    def look_again(self, path: str) -> None:
        """Look at something around anew: it counts as it is now."""
        self.around.pop(path, None)
        self.note(path)

    def stats(self) -> dict[str, Look]:
        """All that was seen; UNSURE where the clock of the file system may hide a later change."""
        seen = {**self.files, **self.folders, **self.around}
        return {path: self._settled(was) for path, was in seen.items()}

    def _settled(self, seen: Look) -> Look:
        last = max(seen[0], seen[1])
        coarse = not seen[0] % 1_000_000_000 and not seen[1] % 1_000_000_000
        margin = COARSE_MARGIN_NS if coarse else FINE_MARGIN_NS
        return seen if seen == GONE or self.began_ns - last > margin else UNSURE


def _lstat(path: str, seen: dict[str, Look]) -> os.stat_result:
    try:
        st = os.lstat(path)
    except OSError:
        seen.setdefault(path, GONE)
        raise
    if path not in seen:
        seen[path] = look_of(st)
    return st


class Memory:
    """One run: the `answer` it gave (exit code, stdout, stderr), all `paths` it looked at (absolute, or from
    `root`), with what it has `seen` of each (`wsbuild.looks`), the `environ` it depended on, and in `details`
    what one needs to answer where only files have changed, as JSON.
    """

    def __init__(
        self,
        root: str,
        answer: tuple[int, str, str],
        paths: Sequence[str],
        seen: array[int],
        environ: Mapping[str, str | None],
        details: bytes,
    ) -> None:
        self.root = root
        self.answer = answer
        self.paths = paths
        self.seen = seen
        self.environ = environ
        self.details = details

    @property
    def stats(self) -> dict[str, Look]:
        """What was seen, by absolute path."""
        numbers = iter(self.seen)
        looks = zip(*[numbers] * FIELDS, strict=True)
        return {os.path.join(self.root, path): look for path, look in zip(self.paths, looks, strict=True)}

    def changed(self, environ: Mapping[str, str]) -> list[str] | None:
        """The paths that are not as they were, absolute; None where something else is not."""
        if any(_value(environ, name) != value for name, value in self.environ.items()):
            return None
        here = os.getcwd()
        os.chdir(self.root)  # the way to each file is shorter from there
        try:
            return [os.path.join(self.root, self.paths[at]) for at in differing(self.paths, self.seen)]
        finally:
            os.chdir(here)

    def holds(self, environ: Mapping[str, str]) -> bool:
        """Whether the answer is still right where `details` are names in directories: these change with a
        file that is written anew, and matter only with a name.
        """
        changed = self.changed(environ)
        if not changed:
            return changed is not None
        import json

        names = json.loads(self.details)
        return all(path in names and names_in(path) == names[path] for path in changed)


def _value(environ: Mapping[str, str], name: str) -> str | None:
    if name[0] != HIDDEN:
        return environ.get(name)
    value = environ.get(name[1:])
    if value is None:
        return None
    from hashlib import sha256

    return sha256(_encode(value)).hexdigest()


def hidden(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str | None]:
    """Variables that may be secret, as they may be kept: by their digests."""
    return {HIDDEN + name: _value(environ, HIDDEN + name) for name in names}


def of_run(
    root: str,
    answer: tuple[int, str, str],
    stats: Mapping[str, Look],
    environ: Mapping[str, str | None],
    details: str,
) -> Memory:
    """What is to be remembered of a run in `root` that has looked at `stats`."""
    seen = array("q", [number for look in stats.values() for number in look])
    above = os.path.join(root, "")
    paths = [path.removeprefix(above) or path for path in stats]
    return Memory(root, answer, paths, seen, environ, _encode(details))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(data: bytes | memoryview) -> str:
    return str(data, "utf-8", "surrogateescape")


def _about(kind: str, root: str, words: Sequence[str]) -> bytes:
    """What a memory must be of: this program, this day, this command."""
    day = int(time.time() // DAY_S)
    program = f"wsbuild {kind} {FORMAT} {__version__} {sys.hexversion:x} {sys.executable} {day}"
    return _encode("\0".join((program, root, *words)))


def _file(kind: str, root: str, words: Sequence[str]) -> str:
    return os.path.join(root, STATE, kind, f"{zlib.crc32(_encode(chr(0).join(words))):08x}")


def load(kind: str, root: str, words: Sequence[str]) -> Memory | None:
    """What is remembered of the command `words`; None where there is nothing to be believed."""
    try:
        with open(_file(kind, root, words), "rb") as file:
            return _parse(file.read(), _about(kind, root, words), root)
    except (OSError, ValueError):
        return None


def _parse(data: bytes, wanted: bytes, root: str) -> Memory | None:
    """The memory that `save` wrote of what is `wanted`. Raises ValueError for what it did not write."""
    body = memoryview(data)[4:]
    if int.from_bytes(data[:4]) != zlib.crc32(body):
        raise ValueError("it is damaged")
    parts = []
    while body:
        end = 8 + int.from_bytes(body[:8])
        parts.append(body[8:end])
        body = body[end:]
    about, environ, code, out, err, paths, stats, details = parts
    if about != wanted:
        return None
    names, seen = _decode(paths).split("\0"), array("q", bytes(stats))
    if len(names) * FIELDS != len(seen):
        raise ValueError("it is damaged")
    return Memory(
        root,
        (int(code), _decode(out), _decode(err)),
        names,
        seen,
        dict(_setting(entry) for entry in _decode(environ).split("\0")),
        bytes(details),
    )


def _setting(entry: str) -> tuple[str, str | None]:
    name, given, value = entry.partition("=")
    return name, value if given else None


def save(
    kind: str, root: str, words: Sequence[str], memory: Memory, write: Callable[[str, bytes], object]
) -> None:
    """Keep a memory: `write` puts a file in place whole. The oldest of too many goes. Raises OSError."""
    code, out, err = memory.answer
    environ = (name if value is None else f"{name}={value}" for name, value in memory.environ.items())
    parts = (
        _about(kind, root, words),
        _encode("\0".join(environ)),
        str(code).encode(),
        _encode(out),
        _encode(err),
        _encode("\0".join(memory.paths)),
        memory.seen.tobytes(),
        memory.details,
    )
    body = b"".join(len(part).to_bytes(8) + part for part in parts)
    path = _file(kind, root, words)
    write(path, zlib.crc32(body).to_bytes(4) + body)
    for _, other in sorted(_by_age(os.path.dirname(path)), reverse=True)[MOST:]:
        os.unlink(other)


def forget(kind: str, root: str, words: Sequence[str]) -> None:
    """Keep no memory of the command `words`."""
    try:
        os.unlink(_file(kind, root, words))
    except OSError:
        return


def _by_age(folder: str) -> Iterable[tuple[int, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.stat().st_mtime_ns, entry.path


def names_in(folder: str) -> str:
    """The names in a directory with what each is, in order; NO_FOLDER where none can be read. (`/` is in no
    name.)
    """
    try:
        with os.scandir(folder) as entries:
            found = [
                f"{entry.name}/{entry.is_dir(follow_symlinks=False):d}{entry.is_symlink():d}"
                for entry in entries
            ]
    except OSError:
        return NO_FOLDER
    return "\0".join(sorted(found))
