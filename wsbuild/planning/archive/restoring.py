"""Bringing archived workstreams back: their text is put where it was, or nothing is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.errors import StateError, UserError
from wsbuild.plan import archived
from wsbuild.planning.archive import bundles

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from wsbuild.planning.archive.bundles import Bundle
    from wsbuild.planning.archive.opening import Opened
    from wsbuild.planning.archive.storing import Where


class Change(NamedTuple):
    """What becomes of one bundle file: it is as `before` (None: it is not there), and will hold `data`.
    `ids` come back, `there` are there already.
    """

    name: str
    before: Bundle | None
    data: bytes
    mode: int
    ids: tuple[str, ...]
    there: tuple[str, ...]


def foresee(
    opened: Opened, wanted: Collection[str], folder: str, declared: Mapping[str, str]
) -> list[Change]:
    """What bringing back the workstreams `wanted` (none: all) of an archive does to the bundle files in
    `folder`. `declared` has, by id, the name of the file that each workstream there is in.

    Raises UserError where something else is in the way; nothing is written.
    """
    changes = []
    for name, bundle in sorted(opened.bundles.items()):
        ids = opened.ids(name)
        asked = ids & set(wanted) if wanted else ids
        if not asked:
            continue
        for ws_id in sorted(asked):
            if declared.get(ws_id, name) != name:
                raise UserError(
                    f"{ws_id} is declared in {declared[ws_id]}: it cannot be brought back to {name} as well",
                    "rename or remove that one first",
                )
        changes.append(_change(opened, bundle, asked, bundles.read(folder, name)))
    return changes


def _change(opened: Opened, bundle: Bundle, asked: set[str], now: Bundle | None) -> Change:
    """What becomes of a file of which some archived workstreams, or all, may be away."""
    away = opened.ids(bundle.name) - (now.places.keys() if now else set())
    if (now.data if now else None) != bundle.without(away):
        raise UserError(
            f"{bundle.name} is not as archiving left it: it stays as it is",
            f"undo what was done to it since, or take the text by hand: "
            f"unzip -p {opened.path} bundles/{bundle.name}",
        )
    try:
        data = bundle.without(away - asked)
    except UserError as error:
        hint = f"wsbuild archive --restore {opened.path}"
        raise UserError(f"only all of {bundle.name} can be brought back: {error.message}", hint) from error
    assert data is not None
    return Change(
        bundle.name, now, data, bundle.mode, tuple(sorted(away & asked)), tuple(sorted(asked - away))
    )


def restore(where: Where, file: str, changes: Sequence[Change]) -> None:
    """Do it, for who holds the tree's lock, and note it in the index. Raises UserError, StateError."""
    try:
        for change in changes:
            if change.ids and not bundles.replace(
                where.workstreams, change.before, change.name, change.data, change.mode
            ):
                raise UserError(f"{change.name} was changed meanwhile: it stays as it is", "try again")
        _note(where, file, {ws_id for change in changes for ws_id in (*change.ids, *change.there)})
    except OSError as error:
        place = error.filename or where.workstreams
        hint = "make room or give rights, and restore again"
        raise StateError(f"cannot restore: {place}: {error.strerror}", hint) from error


def _note(where: Where, file: str, ids: set[str]) -> None:
    known = archived.read(where.root, where.shelf)
    if not any(each.file == file for each in known):
        return
    noted = [
        each._replace(
            workstreams=tuple(
                one._replace(restored=one.restored or one.id in ids) for one in each.workstreams
            )
        )
        if each.file == file
        else each
        for each in known
    ]
    archived.write_index(where.shelf, noted)


def find(root: str, archives: Sequence[archived.Archive], ws_id: str) -> str:
    """The path of the archive that holds a workstream. Raises UserError."""
    found = archived.shelved(archives).get(ws_id)
    if found is None:
        every = [each for each in archives if any(one.id == ws_id for one in each.workstreams)]
        hint = "`wsbuild archive --list` shows what is archived"
        if every:
            hint = f"it was brought back from {every[-1].file}; name that file to do it again"
        raise UserError(f"{ws_id} is not archived", hint)
    return os.path.join(root, found.file)
