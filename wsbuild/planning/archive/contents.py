"""What an archive holds: a manifest, the bundle files, the reports, and a word for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_bytes
from wsbuild.plan.archived import MANIFEST, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.planning.archive.bundles import Bundle

README = "README.txt"
BUNDLES, REPORTS = "bundles", "reports"


class Report(NamedTuple):
    """What there is to say of a workstream: `source` is the name of its bundle file; `why` what is not done
    ('' if all is); `result` the digest of what it came to; `steps` what was said of each, `last` the row of
    the last attempt at each; `rows` by name what else was recorded; `logs` by step what it printed. Nothing
    in it is secret.
    """

    id: str
    source: str
    why: str
    result: str
    depends_on: tuple[str, ...]
    steps: Sequence[Mapping[str, Any]]
    last: Sequence[Mapping[str, Any]]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    logs: Mapping[str, bytes]


class Stamp(NamedTuple):
    """When an archive is made (UTC, `2026-01-31T12:00:00Z`), by which version, at which commit ('': none)."""

    at: str
    version: str
    git_head: str


def members(reports: Sequence[Report], bundles: Mapping[str, Bundle], stamp: Stamp) -> dict[str, bytes]:
    """The members of the archive of some workstreams, which stand in `bundles` (by name)."""
    reports = sorted(reports, key=lambda report: report.id)
    found = {f"{BUNDLES}/{name}": bundle.data for name, bundle in bundles.items()}
    for report in reports:
        folder = f"{REPORTS}/{report.id}"
        found |= {f"{folder}/{name}.json": _json(list(rows)) for name, rows in report.rows.items()}
        found |= {f"{folder}/logs/{step}.log": log for step, log in report.logs.items()}
    found[README] = _readme(reports, stamp).encode()
    manifest = {
        "schema": SCHEMA,
        "made_at": stamp.at,
        "wsbuild": stamp.version,
        "git_head": stamp.git_head or None,
        "workstreams": [_row(report, bundles[report.source]) for report in reports],
        "bundles": [
            {"member": f"{BUNDLES}/{name}", "name": name, "mode": bundles[name].mode}
            for name in sorted(bundles)
        ],
        "members": {name: sha256_bytes(found[name]) for name in sorted(found)},
    }
    found[MANIFEST] = _json(manifest)
    return found


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def _row(report: Report, bundle: Bundle) -> dict[str, Any]:
    place = bundle.places[report.id]
    return {
        "id": report.id,
        "done": not report.why,
        "why": report.why,
        "result": report.result,
        "bundle": f"{BUNDLES}/{bundle.name}",
        "index": place.at,
        "line": place.line,
        "depends_on": sorted(report.depends_on),
        "steps": list(report.steps),
        "attempts": list(report.last),
    }


def _readme(reports: Iterable[Report], stamp: Stamp) -> str:
    listed = [
        f"  {report.id}, from {report.source}: {f'given up ({report.why})' if report.why else 'done'}"
        for report in reports
    ]
    return "\n".join(
        [
            f"Workstreams archived at {stamp.at} by wsbuild {stamp.version}:",
            "",
            *listed,
            "",
            f"{MANIFEST}  what is in here, with the sha256 of every file",
            f"{BUNDLES}/  the files that declared them, byte for byte as they were",
            f"{REPORTS}/  what was recorded of each: attempts, errors, events, and what its steps printed",
            "",
            "Bring them back, in their project: wsbuild archive --restore FILE",
            "",
        ]
    )
