"""Putting workstreams away. At each moment a workstream is in its bundle file, in an archive, or in both:
the archive is in its place, read back and known to the index, before the bundle file is touched.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import sync_directory
from wsbuild.cache.digest import sha256_bytes
from wsbuild.documents.zip_file import BadZipError, pack
from wsbuild.errors import StateError, UserError
from wsbuild.plan import archived
from wsbuild.planning.archive import bundles
from wsbuild.planning.archive.contents import members
from wsbuild.planning.archive.opening import open_archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.planning.archive.bundles import Bundle
    from wsbuild.planning.archive.contents import Report, Stamp

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class Refused(NamedTuple):
    """A workstream that stays where it is, and why."""

    id: str
    reason: str
    hint: str


class Where(NamedTuple):
    """Directories, all absolute: the project, its bundles, where archives go, and where their index is."""

    root: str
    workstreams: str
    archives: str
    shelf: str


class Stored(NamedTuple):
    """What became of workstreams: the `file` of the new archive ('' for none) and who is in it; who was in
    an archive already, and only had to be taken out of its bundle file; who was refused.
    """

    file: str
    ids: tuple[str, ...]
    finished: tuple[str, ...]
    refused: tuple[Refused, ...]


class Foreseen(NamedTuple):
    """What would become of workstreams: those that would be archived, those that an archive has just so and
    that only have to be taken out of their bundle files, and those that stay; by name the files of the
    first two.
    """

    new: list[Report]
    known: list[Report]
    refused: list[Refused]
    bundles: dict[str, Bundle]


def foresee(where: Where, reports: Sequence[Report]) -> Foreseen:
    """What `store` would do. Nothing is written."""
    records = archived.shelved(archived.read(where.root, where.shelf))
    found = Foreseen([], [], [], {})
    for name, group in _by_source(reports).items():
        try:
            bundle = bundles.read(where.workstreams, name)
            if bundle is None or not bundle.places.keys() >= {report.id for report in group}:
                raise UserError(f"{name} was changed meanwhile", "try again")
            bundle.without([report.id for report in group])
        except UserError as error:
            found.refused.extend(Refused(report.id, error.message, error.hint) for report in group)
            continue
        found.bundles[name] = bundle
        for report in group:
            is_known = report.id in records and _holds(where, records[report.id], report, bundle)
            (found.known if is_known else found.new).append(report)
    return found


def _holds(where: Where, shelved: archived.Shelved, report: Report, bundle: Bundle) -> bool:
    """Whether an archive has a workstream as it is now, and can be read."""
    now = archived.Archived(report.id, not report.why, report.result, bundle.sha256)
    if shelved.record != now:
        return False
    try:
        opened = open_archive(os.path.join(where.root, shelved.file))
    except UserError:
        return False
    return bundle.name in opened.bundles and opened.bundles[bundle.name].data == bundle.data


def store(where: Where, reports: Sequence[Report], stamp: Stamp) -> Stored:
    """Archive workstreams, for who holds the tree's lock. Raises StateError; then all is in its place."""
    try:
        os.makedirs(where.archives, exist_ok=True)
        _tidy(where)
        before = foresee(where, reports)
        refused = _take_out(where, before.known, before.bundles)
        known = {report.id for report in before.known}
        rest = foresee(where, [report for report in reports if report.id not in known])
        refused += rest.refused
        file = _archive(where, rest, stamp) if rest.new else ""
        refused += _take_out(where, rest.new, rest.bundles)
    except OSError as error:
        place = error.filename or where.archives
        raise StateError(
            f"cannot archive: {place}: {error.strerror}", "make room or give rights, and archive again"
        ) from error
    stay = {one.id for one in refused}
    ids = tuple(sorted(report.id for report in rest.new if report.id not in stay))
    return Stored(file, ids, tuple(sorted(known - stay)), tuple(refused))


def _by_source(reports: Iterable[Report]) -> dict[str, list[Report]]:
    found: dict[str, list[Report]] = {}
    for report in sorted(reports, key=lambda report: (report.source, report.id)):
        found.setdefault(report.source, []).append(report)
    return found


def _archive(where: Where, found: Foreseen, stamp: Stamp) -> str:
    """Write the archive and note it in the index; gives how it is called."""
    reports = sorted(found.new, key=lambda report: report.id)
    sources = {name: found.bundles[name] for name in _by_source(reports)}
    try:
        data = pack(members(reports, sources, stamp))
    except BadZipError as error:
        raise UserError(f"the archive {error}", "archive fewer workstreams at a time") from error
    what = reports[0].id if len(reports) == 1 else f"{len(reports)}-workstreams"
    path = _put(where, f"{stamp.at[:10]}-{what}", data)
    opened = open_archive(path)
    file = archived.path_from(where.root, path)
    known = [each for each in archived.read(where.root, where.shelf) if each.file != file]
    os.makedirs(where.shelf, exist_ok=True)
    archived.write_index(where.shelf, [*known, archived.archive_of(opened.manifest, file, len(data))])
    return file


def _prefix(where: Where) -> str:
    """How files that are written aside are called: other projects may use the directory too."""
    return f".wsbuild-archive-{sha256_bytes(os.fsencode(where.root))[:12]}-"


def _tidy(where: Where) -> None:
    """Remove what a killed process has left: it was in no place yet."""
    for name in os.listdir(where.archives):
        if name.startswith(_prefix(where)):
            os.unlink(os.path.join(where.archives, name))


def _put(where: Where, name: str, data: bytes) -> str:
    """Write a new archive aside, read it back, and put it in place under a name that is free."""
    aside = os.path.join(where.archives, f"{_prefix(where)}{os.urandom(8).hex()}.tmp")
    try:
        with open(aside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        open_archive(aside)
        with open(aside, "rb") as file:
            if file.read() != data:
                raise StateError(f"{aside} reads back as something else", "look at the disk")
        number = 1
        while not _rename(aside, path := _numbered(where.archives, name, number)):
            number += 1
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)
    sync_directory(where.archives)
    return path


def _numbered(folder: str, name: str, number: int) -> str:
    return os.path.join(folder, f"{name}{f'-{number}' if number > 1 else ''}.zip")


def _rename(aside: str, path: str) -> bool:
    """Give a file another name, unless something has it; gives whether that was done."""
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            return False
        os.rename(aside, path)
    return True


def _take_out(where: Where, reports: Sequence[Report], sources: Mapping[str, Bundle]) -> list[Refused]:
    """Take archived workstreams out of their bundle files; gives those whose files are others by now."""
    changed = []
    for name, group in _by_source(reports).items():
        bundle, ids = sources[name], [report.id for report in group]
        if not bundles.replace(where.workstreams, bundle, name, bundle.without(ids), bundle.mode):
            reason = f"{name} was changed meanwhile: it is archived, and still declared"
            changed += [Refused(ws_id, reason, "archive it again") for ws_id in ids]
    return changed
