"""Files of data that users write, read strictly. What a document means is not known here."""

from __future__ import annotations

import codecs
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.documents.document import Builder, Document, RefusedError
from wsbuild.documents.json_text import read_json
from wsbuild.documents.yaml_text import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsbuild.model import Problem

_READERS = {".json": read_json, ".yaml": read_yaml, ".yml": read_yaml}


class Source(NamedTuple):
    """A file of text: its bytes, and what they say, without a byte order mark."""

    data: bytes
    text: str


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise RefusedError("too-large", f"has {size} bytes; at most {limit} are read")


def _check_kind(info: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise RefusedError("not-a-file", "is not a regular file")
    _check_size(info.st_size, limit)


def read_bytes(path: str, limit: int) -> bytes:
    """What a regular file of at most `limit` bytes holds. Raises RefusedError."""
    try:
        _check_kind(os.stat(path), limit)
        # The name may mean something else by now: a FIFO must not block, nor a terminal take over.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with open(handle, "rb", buffering=0) as file:
            _check_kind(os.fstat(handle), limit)
            data = file.readall()
    except OSError as error:
        dangling = isinstance(error, FileNotFoundError) and os.path.islink(path)
        why = "the link leads nowhere" if dangling else str(error.strerror).lower()
        raise RefusedError("unreadable", f"cannot be read: {why}") from error
    _check_size(len(data), limit)
    return data


def decode(data: bytes) -> str:
    """The text that bytes are in UTF-8, without a byte order mark. Raises RefusedError."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"holds the byte 0x{data[error.start]:02x}, which is not UTF-8"
        raise RefusedError("not-utf8", message, "save the file as UTF-8", line) from error


def _decode_document(data: bytes) -> str:
    text = decode(data)
    if not text.strip():
        raise RefusedError("empty", "is empty")
    return text


def _reader(path: str) -> Callable[[str, Builder], Document]:
    reader = _READERS.get(os.path.splitext(path)[1].lower())
    if reader is None:
        raise RefusedError("unknown-format", "is neither .json nor .yaml nor .yml")
    return reader


def read_document(path: str, rel: str, limit: int = 16 * 2**20) -> tuple[Document | None, list[Problem]]:
    """Read the JSON or YAML file `path`, which problems call `rel`; `limit` is in bytes.

    Gives no document when there is a problem; never raises for what a file is or holds. YAML means
    the core schema of YAML 1.2 without tags, aliases and merge keys: `yes` and dates are text.
    """
    return _read(path, rel, lambda: read_bytes(path, limit))


def parse_document(data: bytes, name: str, rel: str) -> tuple[Document | None, list[Problem]]:
    """The same of what was read already: `name` tells by its ending what it is."""
    return _read(name, rel, lambda: data)


def _read(name: str, rel: str, content: Callable[[], bytes]) -> tuple[Document | None, list[Problem]]:
    build = Builder(rel)
    document = None
    try:
        read = _reader(name)
        document = read(_decode_document(content()), build)
    except RefusedError as error:
        build.refuse(error.refusal, error.line, "")
    return (None if build.problems else document), build.problems


def read_text(path: str, rel: str, limit: int) -> tuple[Source | None, list[Problem]]:
    """Read the text file `path`, which problems call `rel`; `limit` is in bytes.

    Gives nothing when there is a problem; never raises for what a file is or holds. It may be empty.
    """
    build = Builder(rel)
    try:
        data = read_bytes(path, limit)
        text = decode(data)
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise RefusedError("control-character", "holds a NUL character", "is it a text?", line)
    except RefusedError as error:
        build.refuse(error.refusal, error.line, "")
        return None, build.problems
    return Source(data, text), []
