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

from wsbuild import __version__
from wsbuild.looks import FIELDS, GONE, Look, differing, look_at, names_in
from wsbuild.watch import settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

DETECT, RUN = "detect", "run"
"""The kinds of commands; each has a directory of that name below STATE."""

STATE = ".wsbuild"
MOST = 16
"""Memories that are kept of each kind."""

MORE = ".more"
"""Behind the name of the file with what is only needed where something has changed."""

FORMAT = 11
DAY_S = 86_400

HIDDEN = "#"
"""Before the name of a variable whose value is kept as its digest."""

UNDECIDED = -1
"""The exit code of an answer that is right only when all that was left has been decided."""

NUMBER = 8
"""Bytes of each number of a look."""

NO_MARK = bytes(16)
"""Of what has no content that could be told again."""


class Memory:
    """One run: the `answer` it gave (exit code, stdout, stderr), all `paths` it looked at (absolute, or from
    `root`), with what it has `seen` of each (`wsbuild.looks`), and the `environ` it depended on.

    What one needs where files have changed is in `details`, as JSON (in `names` those in directories), in
    `found`, which each run makes anew, and in `marks`, of the contents of files (one behind the other, or
    none at all); of a memory that was loaded, when it is `complete`: `more` is the file that holds them, with
    its checksum. What is needed as soon as something has changed is in `first`.
    """

    def __init__(
        self,
        root: str,
        answer: tuple[int, str, str],
        paths: Sequence[str],
        seen: array[int] | memoryview,
        environ: Mapping[str, str | None],
        details: bytes = b"",
        marks: bytes = b"",
        more: tuple[str, int] | None = None,
        first: bytes = b"",
        found: bytes = b"",
    ) -> None:
        self.root = root
        self.answer = answer
        self.paths = paths
        self.seen = seen
        self.environ = environ
        self.details = details
        self.marks = marks
        self.first = first
        self.found = found
        self.more = more
        self._is_complete = more is None
        self._known: Any = None
        self._places: dict[str, int] | None = None

    @property
    def places(self) -> dict[str, int]:
        """Where each of the `paths` stands among them."""
        if self._places is None:
            self._places = {path: at for at, path in enumerate(self.paths)}
        return self._places

    def place(self, path: str) -> int | None:
        """Where an absolute path stands; None for one that was not looked at."""
        return self.places.get(path.removeprefix(os.path.join(self.root, "")) or path)

    @property
    def known(self) -> Any:
        """What `details` say; read once."""
        if self._known is None:
            import json

            self._known = json.loads(self.details)
        return self._known

    def complete(self) -> bool:
        """Get the rest of it; gives whether that is there."""
        if self.more is not None and not self._is_complete:
            path, checksum = self.more
            try:
                with open(path, "rb") as file:
                    data = file.read()
                if zlib.crc32(data) != checksum:
                    return False
                self.details, self.marks, self.found = map(bytes, _split(memoryview(data)))
            except (OSError, ValueError):
                return False
            self._is_complete = True
        return True

    @property
    def stats(self) -> dict[str, Look]:
        """What was seen, by absolute path."""
        numbers = iter(self.seen)
        looks = zip(*[numbers] * FIELDS, strict=True)
        return {os.path.join(self.root, path): look for path, look in zip(self.paths, looks, strict=True)}

    def look(self, place: int) -> Look:
        """What was seen of one path."""
        mtime, ctime, size, ino, mode = self.seen[place * FIELDS : place * FIELDS + FIELDS]
        return mtime, ctime, size, ino, mode

    def saw(self, place: int, look: Look) -> None:
        """Note that it looks so now, and is what it was."""
        for at, number in enumerate(look, place * FIELDS):
            self.seen[at] = number

    def renewed(self, answer: tuple[int, str, str], looks: Mapping[str, Look], found: bytes) -> Memory:
        """The memory of a run that gave this answer, and has seen something else of some (absolute) paths."""
        for path, look in looks.items():
            place = self.place(path)
            assert place is not None
            self.saw(place, look)
        rest = self.environ, self.details, self.marks
        return Memory(self.root, answer, self.paths, self.seen, *rest, first=self.first, found=found)

    def moved(self, environ: Mapping[str, str]) -> list[int] | None:
        """The places of paths that do not look as they did; None where something else is not as it was."""
        if any(_value(environ, name) != value for name, value in self.environ.items()):
            return None
        here = os.getcwd()
        os.chdir(self.root)  # the way to each file is shorter from there
        try:
            return differing(self.paths, self.seen)
        finally:
            os.chdir(here)

    def changed(self, environ: Mapping[str, str]) -> list[str] | None:
        """The same as absolute paths."""
        moved = self.moved(environ)
        return None if moved is None else [os.path.join(self.root, self.paths[at]) for at in moved]

    def unlike(self, places: Sequence[int]) -> list[int]:
        """Those of `places` that are no directories with the names in them that were there: these look
        otherwise with each file that is written anew.
        """
        began_ns = time.time_ns()
        rest = []
        for place in places:
            path = os.path.join(self.root, self.paths[place])
            look = look_at(path) if stat.S_ISDIR(self.look(place)[-1]) else GONE
            # A link to a directory is none: it looks as ever.
            if stat.S_ISDIR(look[-1]) and names_in(path) == self.known["names"].get(path):
                self.saw(place, settled(look, began_ns))
            else:
                rest.append(place)
        return rest

    def holds(self, environ: Mapping[str, str]) -> bool:
        """Whether the answer is still right where `details` are names in directories."""
        moved = self.moved(environ)
        return moved is not None and not (moved and (not self.complete() or self.unlike(moved)))


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
    marks: Mapping[str, bytes] | None = None,
    first: bytes = b"",
    found: bytes = b"",
) -> Memory:
    """What is to be remembered of a run in `root` that has looked at `stats`, by absolute path as `marks`."""
    from array import array

    seen = array("q", [number for look in stats.values() for number in look])
    above = os.path.join(root, "")
    paths = [path.removeprefix(above) or path for path in stats]
    told = b"".join(marks.get(path, NO_MARK) for path in stats) if marks else b""
    return Memory(root, answer, paths, seen, environ, _encode(details), told, first=first, found=found)


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
    path = _file(kind, root, words)
    try:
        with open(path, "rb") as file:
            return _parse(file.read(), _about(kind, root, words), root, path)
    except (OSError, ValueError):
        return None


def _parse(data: bytes, wanted: bytes, root: str, path: str) -> Memory | None:
    """The memory that `save` wrote of what is `wanted`. Raises ValueError for what it did not write."""
    body = memoryview(data)[4:]
    if int.from_bytes(data[:4]) != zlib.crc32(body):
        raise ValueError("it is damaged")
    about, environ, code, out, err, paths, stats, more, first = _split(body)
    if about != wanted:
        return None
    names = _decode(paths).split("\0")
    if len(names) * FIELDS * NUMBER != len(stats):
        raise ValueError("it is damaged")
    seen = memoryview(bytearray(stats)).cast("q")
    return Memory(
        root,
        (int(code), _decode(out), _decode(err)),
        names,
        seen,
        dict(_setting(entry) for entry in _decode(environ).split("\0")),
        more=(path + MORE, int.from_bytes(more)),
        first=bytes(first),
    )


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8) + part for part in parts)


def _split(body: memoryview) -> list[memoryview]:
    parts = []
    while body:
        end = 8 + int.from_bytes(body[:8])
        parts.append(body[8:end])
        body = body[end:]
    return parts


def _setting(entry: str) -> tuple[str, str | None]:
    name, given, value = entry.partition("=")
    return name, value if given else None


def save(
    kind: str, root: str, words: Sequence[str], memory: Memory, write: Callable[[str, bytes], object]
) -> None:
    """Keep a memory: `write` puts a file in place whole. The oldest of too many goes. Raises OSError."""
    code, out, err = memory.answer
    environ = (name if value is None else f"{name}={value}" for name, value in memory.environ.items())
    path = _file(kind, root, words)
    more = _joined(memory.details, memory.marks, memory.found)
    kept = path + MORE, zlib.crc32(more)
    body = _joined(
        _about(kind, root, words),
        _encode("\0".join(environ)),
        str(code).encode(),
        _encode(out),
        _encode(err),
        _encode("\0".join(memory.paths)),
        memory.seen.tobytes(),
        kept[1].to_bytes(4),
        memory.first,
    )
    if memory.more != kept:  # else it is there, or is not believed
        write(path + MORE, more)
    write(path, zlib.crc32(body).to_bytes(4) + body)
    for _, other in sorted(_by_age(os.path.dirname(path)), reverse=True)[MOST:]:
        _remove(other)


def forget(kind: str, root: str, words: Sequence[str]) -> None:
    """Keep no memory of the command `words`."""
    _remove(_file(kind, root, words))


def _remove(path: str) -> None:
    for each in (path, path + MORE):
        try:
            os.unlink(each)
        except OSError:
            continue


def _by_age(folder: str) -> Iterable[tuple[int, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(MORE):
                yield entry.stat().st_mtime_ns, entry.path
