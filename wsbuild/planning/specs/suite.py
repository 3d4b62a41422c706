"""The two files over all pages: the suite with its volumes and sections, and the index of all ids."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from wsbuild.documents.read import read_document
from wsbuild.documents.yaml_out import write_yaml
from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.paths import is_inside
from wsbuild.planning.specs.dates import UNKNOWN
from wsbuild.planning.specs.sources import keys
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.documents.document import Document

INDEX = "docs/index.json"
SUITE = "docs/.index/suite-index.yaml"

SCHEMA = "spec_suite"
TITLE = "Specifications"
VERSION = "1.0.0"

_MARKS = {INDEX: ("documents", "paragraphs", "orphan_sidecars"), SUITE: ("suite",)}
"""By which fields an earlier file is known for what it is."""


def load(root: str, path: str, usual: str) -> Document | None:
    """The file at `path` from the root, in the place of the `usual` one; None where there is none.

    Raises ProblemsError for one that cannot be read or is something else, which is not replaced; UserError
    for a path that no index can have.
    """
    full = os.path.join(root, path)
    ending = os.path.splitext(usual)[1]
    if os.path.splitext(path)[1] != ending or not is_inside(root, path):
        raise UserError(f"{path} cannot be the index", f"name a file in the project that ends in {ending}")
    if not os.path.lexists(full):
        return None
    document, problems = read_document(full, path)
    if document is None:
        again = "remove the file and run `wsbuild spec index`"
        raise ProblemsError([one._replace(hint=one.hint or again) for one in problems])
    data = document.data
    if os.path.islink(full) or not (isinstance(data, dict) and any(name in data for name in _MARKS[usual])):
        message, hint = "holds something else than an index", "name another file, or remove it"
        raise ProblemsError([Problem(path, "", 0, "not-an-index", message, hint)])
    return document


def suite(sidecars: Sequence[Mapping[str, Any]], earlier: Document | None) -> dict[str, Any]:
    """The suite of what sidecars say, in the order of their pages. Title and version stay as they are in an
    `earlier` one; the date is the latest of the pages.
    """
    old = earlier.data.get("suite") if earlier is not None else None
    kept = old if isinstance(old, dict) else {}
    told = {name: value for name in ("title", "version") if isinstance(value := kept.get(name), str)}
    volumes: dict[str, list[dict[str, Any]]] = {}
    for data in sidecars:
        volume, section = keys(data["file"])
        entry = {"key": section, "title": data["title"], "file": data["file"], "id": data["document_id"]}
        ids = [{name: one[name] for name in ("id", "anchor", "mfid")} for one in data["paragraphs"]]
        volumes.setdefault(volume, []).append({**entry, "mfid": data["mfid"], "paragraphs": ids})
    days = [data["last_updated"][:10] for data in sidecars]
    return {
        "suite": {
            "title": told.get("title", TITLE),
            "version": told.get("version", VERSION),
            "effective_date": max(days, default=UNKNOWN),
            "volumes": [
                {"key": key, "title": os.path.basename(key), "sections": sections}
                for key, sections in volumes.items()
            ],
        }
    }


def index(sidecars: Sequence[Mapping[str, Any]], orphans: Sequence[str]) -> dict[str, Any]:
    """Where each id is, in the order of the pages, and which sidecars have lost theirs."""
    documents = []
    for data in sidecars:
        volume, section = keys(data["file"])
        place = {"file": data["file"], "volume_key": volume, "section_key": section, "mfid": data["mfid"]}
        head = {"document_id": data["document_id"], "title": data["title"], **place}
        documents.append({**head, "paragraphs": data["paragraphs"]})
    return {"documents": documents, "missing_sidecars": [], "orphan_sidecars": list(orphans)}


def suite_text(data: Mapping[str, Any]) -> str:
    """A suite as a file."""
    return write_yaml(data)


def index_text(data: Mapping[str, Any]) -> str:
    """An index as a file."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
