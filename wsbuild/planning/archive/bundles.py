"""Bundle files as they are on disk, and without some of their workstreams: every other byte stays."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import sync_directory, write_atomic
from wsbuild.cache.digest import sha256_bytes
from wsbuild.documents.items import UncuttableError, without
from wsbuild.documents.read import parse_document
from wsbuild.errors import UserError
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Place(NamedTuple):
    """Where a workstream stands in its file: `at` in its list, from 0 (None where it is all of the file)."""

    at: int | None
    line: int


class Bundle(NamedTuple):
    """A bundle file: its `name` in the directory of bundles, what it holds, its permissions, and where its
    workstreams are.
    """

    name: str
    data: bytes
    mode: int
    places: Mapping[str, Place]

    @property
    def sha256(self) -> str:
        """The digest of what it holds."""
        return sha256_bytes(self.data)

    def without(self, gone: Collection[str]) -> bytes | None:
        """What the file holds without some workstreams; None where it holds no other. Raises UserError
        where that cannot be done without touching more.
        """
        leaving = {place.at for ws_id, place in self.places.items() if ws_id in gone}
        if len(leaving) == len(self.places):
            return None
        if not leaving:
            return self.data
        indexes = [index for index in leaving if index is not None]
        try:
            text = without(self.data.decode(), is_json=self.name.lower().endswith(".json"), gone=indexes)
        except UncuttableError as error:
            raise UserError(
                f"{self.name} {error}: {', '.join(sorted(gone))} cannot be taken out byte for byte",
                "archive all of the file together, or begin each entry with a dash on a line of its own",
            ) from error
        return text.encode()


def parse(name: str, data: bytes, mode: int = 0o644) -> Bundle:
    """The bundle file with that content. Raises ProblemsError for what is no document."""
    document, problems = parse_document(data, name, name)
    if document is None:
        raise ProblemsError(problems)
    several = isinstance(document.data, list)
    places = {
        one["id"]: Place(at if several else None, document.line(f"/{at}" if several else ""))
        for at, one in enumerate(document.data if several else [document.data])
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }
    return Bundle(name, data, mode, places)


def read(folder: str, name: str) -> Bundle | None:
    """The bundle file of that name; None where there is none. Raises UserError for what is no regular
    file, or cannot be read.
    """
    path = os.path.join(folder, name)
    try:
        info = os.lstat(path)
        if not stat.S_ISREG(info.st_mode):
            hint = "put the file itself in its place"
            raise UserError(f"{path} is no regular file: it is left as it is", hint)
        with open(path, "rb") as file:
            return parse(name, file.read(), stat.S_IMODE(info.st_mode) & 0o777)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "make it readable") from error


def replace(folder: str, before: Bundle | None, name: str, data: bytes | None, mode: int) -> bool:
    """Put `data` in the place of a bundle file (None: remove it), unless it is not as `before` any more;
    gives whether that was done. Raises OSError.
    """
    path = os.path.join(folder, name)
    now = read(folder, name)
    if (now and now.data) != (before and before.data):
        return False
    if data is None:
        os.unlink(path)
        sync_directory(folder)
    else:
        os.makedirs(folder, exist_ok=True)
        write_atomic(path, data, mode)
    return True
