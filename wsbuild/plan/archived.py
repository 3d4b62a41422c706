"""Which workstreams were archived: asked when bundles are compiled, and never on the way to a run.

The archives say it themselves; an index beside them, made from them, saves reading all of them.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import config
from wsbuild.atomic import write_atomic
from wsbuild.documents.zip_file import BadZipError, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.documents.document import Document
    from wsbuild.model import Workstream

INDEX = "index.json"
INDEX_SCHEMA, SCHEMA = "wsbuild/archive-index/1", "wsbuild/archive/1"
MANIFEST = "manifest.json"


class Archived(NamedTuple):
    """A workstream in an archive.

    `bundle` is the sha256 of the file that declared it, as that was; `result` the digest of what it came
    to, as those that depend on it have it; it was `done`, or given up. One that was `restored` is not
    archived any more.
    """

    id: str
    done: bool
    result: str
    bundle: str
    restored: bool = False


class Archive(NamedTuple):
    """An archive: `file` is its path from the root (or an absolute one), `size` in bytes, `at` when it was
    made (UTC).
    """

    file: str
    size: int
    at: str
    workstreams: tuple[Archived, ...]


class Shelved(NamedTuple):
    """Where a workstream is that no bundle declares: in the archive `file`."""

    file: str
    at: str
    record: Archived


def folder_of(root: str) -> str:
    """The absolute path of the directory of archives, as the settings name it."""
    settings, _ = config.load(root)
    return os.path.normpath(os.path.join(root, os.path.expanduser(settings.archive_dir)))


def spec_paths(root: str) -> list[str]:
    """What says which workstreams are archived: the index, and the names beside it."""
    folder = folder_of(root)
    return [folder, os.path.join(folder, INDEX)]


def path_from(root: str, path: str) -> str:
    """How an archive is called: by its path from the root where it is below it."""
    rel = os.path.relpath(path, root)
    return path if rel.startswith("..") else rel.replace(os.sep, "/")


def read(root: str, folder: str) -> list[Archive]:
    """All archives, the oldest first: what the index says, as far as it is right, and the rest from the
    archives in the directory `folder`. What is damaged, or no archive, is left out.
    """
    known = {each.file: each for each in _index(folder)}
    places = {file: os.path.dirname(os.path.join(root, file)) for file in known}
    found = {file: each for file, each in known.items() if places[file] != folder}
    for name, size in _zips(folder):
        file = path_from(root, os.path.join(folder, name))
        each = known.get(file)
        if each is None or each.size != size:
            each = _of_zip(os.path.join(folder, name), file, size)
        if each is not None:
            found[file] = each
    return sorted(found.values(), key=lambda each: (each.at, len(each.file), each.file))


def shelved(archives: Iterable[Archive]) -> dict[str, Shelved]:
    """By id what is archived now: of several records the latest counts."""
    found: dict[str, Shelved] = {}
    for archive in archives:
        for each in archive.workstreams:
            if not each.restored:
                found[each.id] = Shelved(archive.file, archive.at, each)
    return found


def needed(root: str, workstreams: Iterable[Workstream]) -> dict[str, Shelved]:
    """Of the workstreams that some of `workstreams` depend on and that are none of them, those that are
    archived.
    """
    known = list(workstreams)
    lacking = {one for ws in known for one in ws.depends_on} - {ws.id for ws in known}
    if not lacking:
        return {}
    found = shelved(read(root, folder_of(root)))
    return {ws_id: found[ws_id] for ws_id in sorted(lacking) if ws_id in found}


def write_index(folder: str, archives: Iterable[Archive]) -> None:
    """Write the index. Raises OSError."""
    rows = [
        {**each._asdict(), "workstreams": [one._asdict() for one in each.workstreams]} for each in archives
    ]
    text = json.dumps({"schema": INDEX_SCHEMA, "archives": rows}, indent=1) + "\n"
    path = os.path.join(folder, INDEX)
    try:
        with open(path, "rb") as file:
            if file.read() == text.encode():
                return
    except OSError:
        pass
    write_atomic(path, text.encode())


def archive_of(manifest: Mapping[str, Any], file: str, size: int) -> Archive:
    """What the index says of an archive with that manifest."""
    members = manifest["members"]
    rows = [
        Archived(each["id"], each["done"], each["result"], members.get(each["bundle"], ""))
        for each in manifest["workstreams"]
    ]
    return Archive(file, size, manifest["made_at"], tuple(rows))


def _zips(folder: str) -> list[tuple[str, int]]:
    """The names of the zip files of a directory, sorted, and their sizes."""
    try:
        with os.scandir(folder) as entries:
            found = [each for each in entries if each.name.endswith(".zip") and each.name[0] != "."]
        return sorted((each.name, each.stat().st_size) for each in found if each.is_file())
    except OSError:
        return []


def _index(folder: str) -> list[Archive]:
    from wsbuild.schemas import read_document

    document, _ = read_document(os.path.join(folder, INDEX), INDEX)
    if document is None or not _fits(document, "archive_index"):
        return []
    return [
        Archive(**{**row, "workstreams": tuple(Archived(**each) for each in row["workstreams"])})
        for row in document.data["archives"]
    ]


def _of_zip(path: str, file: str, size: int) -> Archive | None:
    from wsbuild.documents.read import parse_document

    try:
        data = unpack(path, [MANIFEST]).get(MANIFEST)
    except (BadZipError, OSError):
        return None
    document, _ = parse_document(data or b"", MANIFEST, file)
    if document is None or not _fits(document, "archive"):
        return None
    return archive_of(document.data, file, size)


def _fits(document: Document, schema: str) -> bool:
    from wsbuild.schemas import check

    return not check(document, schema, "")
