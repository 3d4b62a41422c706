"""What `wsbuild detect` does, without the command line: a request in, an answer out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild import memory
from wsbuild.cli.answers import NOTHING_STAGED, Answer, Request, answer, import_rest
from wsbuild.cli.remembered import (
    Scan,
    note_sources,
    remember,
    remember_staged,
    remember_ways,
    request_of,
    resume,
)
from wsbuild.detectors.project import open_project
from wsbuild.detectors.selection import Selection, among, select
from wsbuild.errors import EXIT_OK, UserError
from wsbuild.statedir import make_database_room
from wsbuild.tools.process import dismiss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.early import Early
    from wsbuild.detectors.engine import Report
    from wsbuild.detectors.project import Project
    from wsbuild.memory import Memory
    from wsbuild.worktrees.status import Said


def run_named(request: Request, root: str, place: str, environ: Mapping[str, str]) -> Answer:
    """Judge those of the paths asked for that are there, in `place`, which is `root` or a copy of it: what
    is there in a copy alone counts as well. Raises UserError, StateError.
    """
    paths = tuple(path for path in request.paths if os.path.lexists(os.path.join(place, path)))
    if not paths:
        return Answer(EXIT_OK, "no file is named that is there\n")
    return _run(request._replace(paths=paths), (), root, place, environ)


def run(
    request: Request,
    words: Sequence[str],
    root: str,
    environ: Mapping[str, str],
    said: Said | None = None,
    early: Early | None = None,
) -> Answer:
    """Judge; the command is remembered as `words`. Git may have `said` already what is staged, and calls have
    been started `early` for it. Raises UserError, StateError.
    """
    memory.forget(memory.DETECT, root, words)
    if not request.which:
        return _run(request, words, root, root, environ)
    from wsbuild.detectors.changes import Changes

    changes = Changes(root, environ, said)
    if request.which == "changed":
        return _run(request, (), root, root, environ, changes.since(request.since), index=changes.index)
    names = changes.staged()
    if request.form == "text" and not among(names, request.paths):
        return NOTHING_STAGED
    with changes.as_staged() as place:
        # What git has said is part of the words: the same is the answer where it says the same again.
        known = words if said is not None and place == root else ()
        if early is not None and not known:
            early.end()  # it is of other files
            early = None
        return _run(request, known, root, place, environ, names, early, changes.index)


def run_again(
    old: Memory,
    changed: list[str] | None,
    words: Sequence[str],
    root: str,
    environ: Mapping[str, str],
    early: Early | None = None,
) -> Answer:
    """The answer to a command that is remembered, by judging only what has `changed`, of which calls may have
    been started `early`, or by judging all where that is more than some paths. Raises UserError, StateError.
    """
    details = old.known
    given = None if changed is None else resume(old, details, changed, words, root, environ, early)
    return given or run(request_of(details["request"]), words, root, environ)


def _run(
    request: Request,
    words: Sequence[str],
    root: str,
    place: str,
    environ: Mapping[str, str],
    names: Sequence[str] | None = None,
    early: Early | None = None,
    index: str = "",
) -> Answer:
    """Judge the project as it is in `place`, which is `root` or a copy; of `names`, where they are given,
    those that are wanted, of which some calls may have been started `early`. Git is asked by the file `index`
    ('' for the usual one). Without `words` the command is not remembered.
    """
    from wsbuild.detectors import project as projects
    from wsbuild.detectors import settings as known

    settings, detectors = known.load(root, place)
    chosen = projects.choose(detectors, request.only, settings.detectors)
    if place == root:
        make_database_room(root, environ)
    with open_project(root, environ, settings.ignore, settings.secrets, place, index) as project:
        note_sources(project, detectors)
        selection = _select(project, chosen, request.paths, names)
        scan = Scan(request, project.engine.known, selection, settings.ignore, settings.secrets)

        def meanwhile() -> None:
            import_rest()
            if words and names is not None:
                remember_ways(words, project, scan, names, early)

        report = project.engine.detect(chosen, selection, request.jobs, early, meanwhile)
        if request.fix:
            report = _fixed(project, chosen, selection, report, request.jobs)
        dismiss()
        if request.baseline:
            return _new_baseline(report, root)
        again = False
        if place == root:
            is_whole = names is None and (not request.paths or os.curdir in request.paths)
            from wsbuild.detectors.keeping import keep

            again, warning = keep(project, selection.chosen, report, is_whole)
            project.verdicts.warning = project.verdicts.warning or warning
        given = answer(request, report, project)
        if words and not request.fix and not given.err and not again:
            if names is None:
                remember(words, project, scan, report)
            else:
                remember_staged(words, project, scan, report, names)
    return given


def _select(
    project: Project, detectors: Sequence[Detector], paths: Sequence[str], names: Sequence[str] | None
) -> Selection:
    """Which files are judged. A detector that judges the project as a whole is given all its files where
    one of them is wanted.
    """
    look = project.watch.lstat_file
    if names is None:
        files = project.listing.files(paths)
    else:
        files = [path for path in among(names, paths) if project.tree.may_count(path)]
    selection = select(detectors, project.root, files, look)
    whole = [one for one in detectors if one.manifest.granularity == "project" and selection.chosen[one.id]]
    if not whole or (not paths and names is None):
        return selection
    full = select(whole, project.root, project.listing.files(), look)
    return selection._replace(chosen={**selection.chosen, **full.chosen})


def _new_baseline(report: Report, root: str) -> Answer:
    from wsbuild.detectors import baseline

    if report.errors:
        name, path, why = report.errors[0]
        raise UserError(f"no baseline is written, as not all could be judged: {name} {path}: {why}")
    baseline.save(root, report.findings)
    count = len(report.findings)
    return Answer(EXIT_OK, f"{count} finding{'' if count == 1 else 's'} in {baseline.FILE}\n")


def _fixed(
    project: Project, detectors: Sequence[Detector], selection: Selection, report: Report, jobs: int
) -> Report:
    """Have all mended that can be, and judge again."""
    from wsbuild.detectors.fixing import ROUNDS, fix, fixable

    fixed: dict[tuple[str, str], None] = {}
    errors: list[tuple[str, str, str]] = []
    for _ in range(ROUNDS):
        changed = False
        for detector in detectors:
            if any(name == detector.id for name, *_ in errors):
                continue
            done = fix(detector, fixable(detector, report.findings), project.place)
            changed = changed or bool(done.paths)
            fixed.update(dict.fromkeys((detector.id, path) for path in done.paths))
            if done.error:
                errors.append((detector.id, "", f"it could not mend: {done.error}"))
        if not changed:
            break
        report = project.engine.detect(detectors, selection, jobs)
    return report._replace(errors=[*report.errors, *errors], fixed=list(fixed))
