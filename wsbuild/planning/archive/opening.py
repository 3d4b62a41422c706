"""An archive read back: nothing of it counts before all of it was found to be what its manifest says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_bytes
from wsbuild.documents.read import parse_document
from wsbuild.documents.zip_file import BadZipError, unpack
from wsbuild.errors import UserError
from wsbuild.plan.archived import MANIFEST
from wsbuild.planning.archive import bundles
from wsbuild.problems import ProblemsError
from wsbuild.schemas import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.planning.archive.bundles import Bundle

HINT = "nothing was written; take another copy of the archive"


class Opened(NamedTuple):
    """An archive that is whole: its manifest, and by name the bundle files that are in it."""

    path: str
    manifest: Mapping[str, Any]
    bundles: Mapping[str, Bundle]

    def ids(self, name: str) -> set[str]:
        """The workstreams that were archived from the bundle file of that name."""
        return {row["id"] for row in self.manifest["workstreams"] if row["bundle"] == f"bundles/{name}"}


def open_archive(path: str) -> Opened:
    """Read the archive `path`. Raises UserError (or ProblemsError) for what is none, or is damaged."""
    try:
        members = unpack(path)
    except BadZipError as error:
        raise UserError(f"{path} {error}", HINT) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "`wsbuild archive --list`") from error
    if MANIFEST not in members:
        raise UserError(f"{path} is no archive of wsbuild: it has no {MANIFEST}", HINT)
    document, problems = parse_document(members.pop(MANIFEST), MANIFEST, f"{path}, {MANIFEST}")
    if document is not None:
        problems += check(document, "archive", f"{path}, {MANIFEST}")
    if document is None or problems:
        raise ProblemsError(problems)
    _check_members(path, document.data["members"], members)
    return Opened(path, document.data, _bundles(path, document.data, members))


def _check_members(path: str, told: Mapping[str, str], members: Mapping[str, bytes]) -> None:
    if strange := sorted(told.keys() ^ members.keys()):
        missing = strange[0] in told
        how = "lacks a member that its manifest has" if missing else "has a member that its manifest lacks"
        raise UserError(f"{path} {how}: {strange[0]}", HINT)
    for name, data in members.items():
        if sha256_bytes(data) != told[name]:
            raise UserError(f"{path}: {name} is not as it was when it was archived (sha256)", HINT)


def _bundles(path: str, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> dict[str, Bundle]:
    found: dict[str, Bundle] = {}
    for row in manifest["bundles"]:
        if row["member"] not in members or row["member"] != f"bundles/{row['name']}":
            raise UserError(f"{path} lacks the member {row['member']} of {row['name']}", HINT)
        found[row["name"]] = bundles.parse(row["name"], members[row["member"]], row["mode"])
    for row in manifest["workstreams"]:
        bundle = found.get(row["bundle"].removeprefix("bundles/"))
        place = bundle and bundle.places.get(row["id"])
        if place is None or place.at != row["index"]:
            raise UserError(
                f"{path}: {row['bundle']} does not have {row['id']} where its manifest says", HINT
            )
    return found
