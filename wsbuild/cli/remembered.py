"""What a run of `wsbuild detect` leaves for the next, and what that makes of it: where only files have
changed since, only these are looked at.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import memory
from wsbuild.cli.answers import Answer, Request, answer, import_rest
from wsbuild.config import FILE
from wsbuild.detectors import plugins
from wsbuild.detectors.contract import REPORT
from wsbuild.detectors.engine import CACHED, ERROR, RAN, Known, Report, Told
from wsbuild.detectors.finding import Finding
from wsbuild.detectors.project import open_project
from wsbuild.detectors.registry import FOLDER, manifest_of, restore
from wsbuild.detectors.selection import Selection
from wsbuild.detectors.ways import FILES, Way, Ways, ending, to_bytes
from wsbuild.errors import EXIT_OK
from wsbuild.looks import is_file, look_at
from wsbuild.statedir import keep_file
from wsbuild.tools.process import dismiss
from wsbuild.watch import settled
from wsbuild.worktrees.tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.early import Early
    from wsbuild.detectors.project import Project
    from wsbuild.looks import Look
    from wsbuild.memory import Memory

ENVIRON = ("PATH", "VIRTUAL_ENV", "NO_COLOR", "PIPELINE_DB_PATH")
"""Variables that an answer depends on, besides those that detectors are given."""


class Scan(NamedTuple):
    """What a report is of: detectors, what is known of them, the files of each, and those settings that
    count.
    """

    request: Request
    known: dict[str, Known]
    selection: Selection
    ignore: tuple[str, ...]
    secrets: tuple[str, ...]


def request_of(row: list[Any]) -> Request:
    """The request that was asked, as it was remembered."""
    paths, only, *rest = row
    return Request(tuple(paths), tuple(only), *rest)


def resume(
    old: Memory,
    details: dict[str, Any],
    changed: list[str],
    words: Sequence[str],
    root: str,
    environ: Mapping[str, str],
    early: Early | None,
) -> Answer | None:
    """Judge those files that have changed, of which calls may have been started `early`; None where something
    else has.
    """
    indexes = [path for path in changed if path in details["indexes"]]
    if indexes:
        if not _tracks_the_same(old, details["tracked"], indexes, root, environ):
            return None
        changed = [path for path in changed if path not in indexes]
        if not changed:
            memory.save(memory.DETECT, root, words, old, _write(root))
            return Answer(*old.answer)
    ignore, secrets = map(tuple, details["settings"])
    with open_project(root, environ, ignore, secrets) as project:
        files = _only_files(project, details, changed)
        if files is None or not files.isdisjoint(details["unnamed"]):
            return None
        known = {name: _known(row) for name, row in details["known"].items()}
        full, chosen = details["selection"], {}
        for name, one in known.items():
            here = [path for path in full[name] if path in files]
            if here:
                is_whole = one.detector.manifest.granularity == "project"
                chosen[name] = full[name] if is_whole else here
        selection = Selection(chosen, details["unnamed"], details["files"])
        request = request_of(details["request"])
        new = project.engine.detect(
            [known[name] for name in chosen], selection, request.jobs, early, import_rest
        )
        dismiss()
        report = _merged(_report(old.found, details["files"]), new, files, known)
        from wsbuild.detectors.keeping import keep

        again, warning = keep(project, chosen, new, whole=False)
        project.verdicts.warning = project.verdicts.warning or warning
        given = answer(request, report, project)
        if not given.err and not again and not _has_failed(report):
            stats = project.watch.stats()
            same = _as_known(report)
            now = {path: stats[path] for path in changed if path in stats}
            renewed = old.renewed(answer(request, same, project), now, _found(same))
            memory.save(memory.DETECT, root, words, renewed, _write(root))
    return given


def _tracks_the_same(
    old: Memory, before: list[str] | None, indexes: Sequence[str], root: str, environ: Mapping[str, str]
) -> bool:
    """Whether git tracks the same ignored files as `before`, whatever else it was told; then what its
    `indexes` look like is noted. It may say as little as it did: that is asked again each time.
    """
    began_ns = time.time_ns()
    looks = {path: settled(look_at(path), began_ns) for path in indexes}
    now = Tracked(root, environ).answer()
    if now is not None:
        for path, look in looks.items():
            place = old.place(path)
            assert place is not None
            old.saw(place, look)
    return now == before


def _only_files(project: Project, details: dict[str, Any], changed: list[str]) -> set[str] | None:
    """The files among what has changed; None if it is more than the content of files."""
    around, listings = set(details["around"]), details["listings"]
    found = set()
    for path in changed:
        if path in listings:
            project.watch.note(path)
            if project.watch.listings.get(path) != listings[path]:
                return None
        elif path in around or not is_file(path):
            return None
        else:
            found.add(path[len(project.root) + 1 :])
    return found


def _known(row: list[Any]) -> Known:
    folder, module, manifest, base, version = row
    return Known(restore(folder, module, manifest_of(manifest)), base, version)


def _row(one: Known) -> tuple[Any, ...]:
    detector = one.detector
    return detector.folder, detector.module, detector.manifest._asdict(), one.base, one.version


def _has_failed(report: Report) -> bool:
    return any(one.status == ERROR for one in report.detectors)


def _found(report: Report) -> bytes:
    return json.dumps((report.detectors, report.findings, report.suppressed)).encode()


def _report(found: bytes, files: int) -> Report:
    """The report that `_found` has written down, of so many files."""
    told, findings, suppressed = json.loads(found)
    return Report(
        [Told(*row) for row in told],
        [Finding(*row) for row in findings],
        [Finding(*row) for row in suppressed],
        [],
        files,
    )


def _merged(old: Report, new: Report, files: set[str], known: Mapping[str, Known]) -> Report:
    """What was found, with what is found now of some files."""
    again = {one.id: one for one in new.detectors}
    whole = {name for name in again if known[name].detector.manifest.granularity == "project"}

    def merge(before: list[Finding], after: list[Finding]) -> list[Finding]:
        kept = [
            one
            for one in before
            if one.detector not in whole and (one.path not in files or one.detector not in again)
        ]
        return sorted(kept + after)

    told = []
    for one in old.detectors:
        now = again.get(one.id)
        if now is None:
            told.append(one)
        else:
            told.append(now._replace(files=one.files, cached=one.files - now.files + now.cached))
    return Report(
        told, merge(old.findings, new.findings), merge(old.suppressed, new.suppressed), new.errors, old.files
    )


def note_sources(project: Project, detectors: Sequence[Detector]) -> None:
    """Look at what says which detectors there are, and how they are set."""
    for folder in (FILE, FOLDER, *(path for path in sys.path if path)):
        project.watch.note(os.path.join(project.root, folder))
    for detector in detectors:
        project.watch.note(os.path.join(detector.folder, "manifest.json"))


def remember(
    words: Sequence[str],
    project: Project,
    scan: Scan,
    report: Report,
) -> None:
    """Keep an answer for the next time it is asked for."""
    if _has_failed(report):
        return
    details = {
        "request": scan.request,
        "settings": (scan.ignore, scan.secrets),
        "known": {name: _row(one) for name, one in scan.known.items()},
        "selection": scan.selection.chosen,
        "unnamed": scan.selection.unnamed,
        "files": scan.selection.files,
        "listings": project.watch.listings,
        "around": list(project.watch.around),
        "indexes": project.listing.indexes,
        "tracked": project.listing.tracked,
    }
    same, ways = _as_known(report), to_bytes(_ways(project, scan))
    given = answer(scan.request, same, project)
    _save(words, project, scan, given, project.watch.stats(), json.dumps(details), ways, _found(same))


def remember_staged(
    words: Sequence[str], project: Project, scan: Scan, report: Report, names: Sequence[str]
) -> None:
    """The same of the files `names`, whose content git has told: it is the last of the words."""
    if not _has_failed(report):
        given = answer(scan.request, _as_known(report), project)
        details = json.dumps({"names": project.watch.names})
        _save(words, project, scan, given, _besides(project, names), details)


def remember_ways(
    words: Sequence[str], project: Project, scan: Scan, names: Sequence[str], early: Early | None
) -> None:
    """Keep what is needed to begin `early` with what will be staged next: not the last of the words, which
    is what is staged now. Of the files `names` it says nothing else.
    """
    if not scan.request.paths:  # else not all that is staged is wanted
        *words, index = words
        ways = _ways(project, scan, early.ways.ways if early else (), index)
        _save(words, project, scan, Answer(EXIT_OK, ""), _besides(project, names), "", to_bytes(ways))


def _besides(project: Project, names: Sequence[str]) -> dict[str, Look]:
    """What was looked at besides files of the project."""
    told = {os.path.join(project.root, name) for name in names}
    return {path: look for path, look in project.watch.stats().items() if path not in told}


def _ways(project: Project, scan: Scan, before: Sequence[Way] = (), index: str = "") -> Ways:
    """How those tools are called that may be started before all is looked up: they come with wsbuild, which
    knows that they only read, and look at files one by one where they are. What was known `before` of which
    files they are for, still is.
    """
    endings = {one.id: one.endings for one in before}
    found = []
    for name, known in scan.known.items():
        detector, manifest = known.detector, known.detector.manifest
        is_known = detector.module.startswith(f"{plugins.__name__}.")
        if not is_known or manifest.scratch or manifest.granularity == "project":
            continue
        program, *words = detector.command([FILES])
        files = scan.selection.chosen[name]
        way = Way(
            name,
            project.place.find(program),
            words,
            manifest.env,
            manifest.pass_env,
            project.place.path,
            manifest.timeout_sec,
            manifest.threads,
            manifest.max_files,
            manifest.config_per_file or (manifest.config_scope == "root" and not manifest.neighborhood),
            sorted({*map(ending, files), *endings.get(name, ())}),
        )
        if way.program and words.count(FILES) == 1 and not any(REPORT in word for word in words):
            found.append(way)
    return Ways(scan.request.jobs, found, index)


def _save(
    words: Sequence[str],
    project: Project,
    scan: Scan,
    given: Answer,
    stats: Mapping[str, Look],
    details: str,
    ways: bytes = b"",
    found: bytes = b"",
) -> None:
    names = {name for one in scan.known.values() for name in one.detector.manifest.pass_env}
    shown = {name: project.environ.get(name) for name in ENVIRON}
    environ = {**shown, **memory.hidden(project.environ, sorted(names - shown.keys()))}
    new = memory.of_run(
        project.root, (given.code, given.out, given.err), stats, environ, details, first=ways, found=found
    )
    memory.save(memory.DETECT, project.root, words, new, _write(project.root))


def _write(root: str) -> Callable[[str, bytes], object]:
    return lambda path, data: keep_file(root, os.path.relpath(path, root), data)


def _as_known(report: Report) -> Report:
    """The report of the same run, were it run again."""
    told = [
        one._replace(status=CACHED, cached=one.files, calls=0) if one.status in {RAN, CACHED} else one
        for one in report.detectors
    ]
    return report._replace(detectors=told)
