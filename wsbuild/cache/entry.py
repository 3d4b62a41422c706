"""One recorded result of a step, and its form on disk: a line of JSON, and the digest that proves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_bytes
from wsbuild.cache.files import MISSING
from wsbuild.paths import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = 1
SPECIAL_BITS = 0o7000
"""Set-user-ID, set-group-ID and sticky: no file of a cache has them."""


class DamagedEntryError(ValueError):
    """A result that is not as it was written, or that must not be restored; the message says why."""


class KeptFile(NamedTuple):
    """A file that the step left: permission bits, size in bytes, content."""

    path: str
    mode: int
    size: int
    sha256: str

    @property
    def state(self) -> str:
        """Its state as `cache.files` tells them."""
        return ("x:" if self.mode & 0o111 else "f:") + self.sha256


class Entry(NamedTuple):
    """What a step with this key once did.

    `manifest` is what the key was made of. `files` it left, `removed` it took away; `before` is, for
    a step that edits, what those paths were (others start without their outputs). `log` is the
    sha256 of what it printed ('' for nothing), `made_at` UTC, `duration_s` what running it cost.
    `bound_to` names the checkout whose path is in its outputs; empty where any can use it.
    """

    task: str
    key: str
    manifest: str
    files: tuple[KeptFile, ...]
    removed: tuple[str, ...]
    before: Mapping[str, str]
    log: str
    log_size: int
    exit_code: int
    duration_s: float
    made_at: str
    bound_to: str = ""

    def states(self) -> dict[str, str]:
        """What the step leaves at each path that it writes."""
        return {**dict.fromkeys(self.removed, MISSING), **{kept.path: kept.state for kept in self.files}}

    def dump(self) -> bytes:
        """The form on disk."""
        data = {**self._asdict(), "format": FORMAT, "files": [list(kept) for kept in self.files]}
        # Names of files that are not UTF-8 hold lone surrogates: escaped, they survive.
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
        return b"%s\n%s\n" % (text, sha256_bytes(text).encode())


def parse(data: bytes, task: str, key: str) -> Entry:
    """The entry for `task` and `key` that `dump` wrote. Raises DamagedEntryError, also for another one."""
    entry = parse_any(data)
    if (entry.task, entry.key) != (task, key):
        raise DamagedEntryError("it belongs to another step")
    return entry


def parse_any(data: bytes) -> Entry:
    """The entry that `dump` wrote.

    Raises DamagedEntryError where it was changed, or names places where no step writes: then nothing
    of it can be trusted.
    """
    text, _, rest = data.partition(b"\n")
    if rest != sha256_bytes(text).encode() + b"\n":
        raise DamagedEntryError("its digest is wrong")
    try:
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise DamagedEntryError("it is of another version")
        entry = _entry(fields)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise DamagedEntryError(f"it is not an entry: {error}") from error
    _check(entry)
    return entry


_HEX = frozenset("0123456789abcdef")


def _is_hex(value: Any, length: int) -> bool:
    return type(value) is str and len(value) == length and not set(value) - _HEX


def _is_word(value: Any) -> bool:
    """Whether a value can be part of a file's name."""
    return type(value) is str and value.isascii() and value.isalnum()


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


_SOUND: dict[str, Callable[[Any], bool]] = {
    "task": lambda value: type(value) is str,
    "key": _is_word,
    "manifest": lambda value: type(value) is str,
    "files": lambda value: type(value) is list,
    "removed": lambda value: type(value) is list,
    "before": lambda value: type(value) is dict and all(type(state) is str for state in value.values()),
    "log": lambda value: value == "" or _is_hex(value, 64),
    "log_size": _is_count,
    "exit_code": lambda value: type(value) is int,
    "duration_s": lambda value: type(value) in {int, float} and 0 <= value < float("inf"),
    "made_at": lambda value: type(value) is str,
    "bound_to": lambda value: value == "" or _is_word(value),
}
"""Of each field, whether a value is one that `dump` writes."""


def _entry(fields: dict[str, Any]) -> Entry:
    if fields.keys() != _SOUND.keys():
        raise ValueError("it has other fields")
    for name, is_sound in _SOUND.items():
        if not is_sound(fields[name]):
            raise ValueError(f"`{name}` is {fields[name]!r:.40}")
    files = tuple(KeptFile(path, mode, size, digest) for path, mode, size, digest in fields["files"])
    return Entry(**{**fields, "files": files, "removed": tuple(fields["removed"])})


def _check(entry: Entry) -> None:
    """Refuse what a step could not have left: it would be written over what it must not."""
    paths = [kept.path for kept in entry.files] + list(entry.removed)
    for path in paths:
        if type(path) is not str or not is_within(path):
            raise DamagedEntryError(f"{path!r:.80} is no path within a project")
    if len(set(paths)) != len(paths):
        raise DamagedEntryError("a path is there twice")
    directories = {path[:at] for path in paths for at, char in enumerate(path) if char == "/"}
    if clash := directories & set(paths):
        raise DamagedEntryError(f"{min(clash)!r:.80} is a file and a directory")
    for kept in entry.files:
        if type(kept.mode) is not int or kept.mode & ~0o777:
            raise DamagedEntryError(f"{kept.path!r:.80} has special permissions")
        if not _is_count(kept.size) or not _is_hex(kept.sha256, 64):
            raise DamagedEntryError(f"{kept.path!r:.80} has no content")


def manifest_lines(entry: Entry) -> dict[tuple[str, str], str]:
    """The lines of the entry's manifest. Raises ValueError."""
    return {(kind, name): value for kind, name, value in json.loads(entry.manifest)}
