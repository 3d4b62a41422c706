"""A run of detectors: what is known already is looked up in one pass, what is not is judged, in few calls."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.execution import Judged, judge
from wsbuild.detectors.finding import from_text, to_text
from wsbuild.detectors.keys import Keys
from wsbuild.detectors.selection import chosen, tags_of
from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.cache.files import FileStates
    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.execution import Place
    from wsbuild.detectors.finding import Finding
    from wsbuild.identity import Tools
    from wsbuild.store.verdicts import Verdicts

RAN, CACHED, SKIPPED, ERROR = "ran", "cached", "skipped", "error"
MOST_ARGUMENTS = 128 * 1024
"""Bytes of file names in one call."""

DAY_S = 86_400
CHANGED = "it was changed while it was judged"


class Told(NamedTuple):
    """What became of a detector: one of RAN, CACHED, SKIPPED and ERROR, and why the last two; how many
    files it was to judge, of how many the result was known, and how often its tool was called.
    """

    id: str
    status: str
    reason: str = ""
    version: str = ""
    files: int = 0
    cached: int = 0
    calls: int = 0


class Report(NamedTuple):
    """What was found: `errors` are (detector, path, why) of what could not be judged."""

    detectors: list[Told]
    findings: list[Finding]
    errors: list[tuple[str, str, str]]
    files: int


class _Work(NamedTuple):
    """What one detector has to do: its `keys` by path ('' for the project), and what is `known` by them."""

    detector: Detector
    identity: str
    keys: dict[str, str]
    around: dict[str, str]
    known: dict[str, list[Finding]]
    files: list[str]

    @property
    def missing(self) -> list[str]:
        return [path for path in self.keys if path not in self.known]


class Engine:
    """Detectors over one project."""

    def __init__(self, place: Place, states: FileStates, tools: Tools, verdicts: Verdicts) -> None:
        self._place = place
        self._states = states
        self._tools = tools
        self._verdicts = verdicts

    def detect(self, detectors: Sequence[Detector], paths: Sequence[str], jobs: int = 0) -> Report:
        """Judge files (paths in the project) by detectors, `jobs` calls at a time (0: one for each
        processor). What is judged is kept, whatever was found; what could not be is not.
        """
        tags = tags_of(self._place.root, paths)
        states = self._states.states(tags)
        told: dict[str, Told] = {}
        works: list[_Work] = []
        failed: list[tuple[str, str, str]] = []
        for detector in detectors:
            if not self._tools.find(detector.manifest.command):
                why = f"{detector.manifest.command} is not on PATH: {detector.manifest.install}"
                told[detector.id] = Told(detector.id, SKIPPED, why)
                continue
            try:
                works.append(self._look_up(detector, chosen(detector.manifest, tags), states))
            except ToolError as error:
                told[detector.id] = Told(detector.id, ERROR, str(error))
                failed.append((detector.id, "", str(error)))
        results = self._judge_all(works, jobs or os.cpu_count() or 1)
        findings: list[Finding] = []
        for work in works:
            judged = self._keep(work, results[work.detector.id], states)
            told[work.detector.id] = _told(work, judged)
            findings += [f for found in (*work.known.values(), *judged.findings.values()) for f in found]
            failed += [(work.detector.id, path, why) for path, why in sorted(judged.errors.items())]
        self._verdicts.remember(self._states.take_unsaved(), self._tools.take_unsaved())
        return Report([told[one.id] for one in detectors], sorted(findings), failed, len(tags))

    def _look_up(self, detector: Detector, files: list[str], states: dict[str, str]) -> _Work:
        manifest = detector.manifest
        identity = self._tools.identity(manifest.command, manifest.version_command)
        keys = Keys(detector, identity, self._states, self._place.environ)
        if manifest.granularity == "project":
            by_path = {"": keys.of_project({path: states[path] for path in files})} if files else {}
        else:
            by_path = {path: keys.of_file(path, states[path]) for path in files}
        around = {path: keys.around(os.path.dirname(path)) for path in files}
        rows = self._verdicts.get_many(by_path.values(), _today())
        known = {path: found for path, key in by_path.items() if (found := _read(rows.get(key))) is not None}
        return _Work(detector, identity, by_path, around, known, files)

    def _judge_all(self, works: list[_Work], jobs: int) -> dict[str, Judged]:
        """Have all that is missing judged, the longest first."""
        calls = [(work, batch) for work in works for batch in _batches(work, jobs)]
        calls.sort(key=lambda call: (-len(call[1]), call[0].detector.id, call[1][:1]))
        results = {work.detector.id: Judged({}, {}, 0) for work in works}
        if not calls:
            return results
        with ThreadPoolExecutor(jobs) as pool, _ended_by_interrupt(pool):
            done = pool.map(lambda call: judge(call[0].detector, call[1], self._place), calls)
            for (work, _), judged in zip(calls, done, strict=True):
                before = results[work.detector.id]
                results[work.detector.id] = Judged(
                    {**before.findings, **judged.findings},
                    {**before.errors, **judged.errors},
                    before.calls + judged.calls,
                )
        return results

    def _keep(self, work: _Work, judged: Judged, states: dict[str, str]) -> Judged:
        """Keep what was judged as it was looked at; what has changed since was not judged."""
        if not judged.findings:
            return judged
        now = self._states.states(path for path in work.files if path in judged.findings)
        moved = dict.fromkeys((path for path, state in now.items() if state != states[path]), CHANGED)
        if "" not in work.keys:
            rows = {work.keys[p]: _row(found) for p, found in judged.findings.items() if p not in moved}
        elif moved:
            rows = {}
        else:
            rows = {work.keys[""]: _row([one for found in judged.findings.values() for one in found])}
        self._verdicts.put_many(rows, _today())
        return judged._replace(errors={**judged.errors, **moved})


def _today() -> int:
    return int(time.time() // DAY_S)


@contextmanager
def _ended_by_interrupt(pool: ThreadPoolExecutor) -> Iterator[None]:
    """Nobody waits for calls that are under way when the user has had enough."""
    try:
        yield
    except KeyboardInterrupt:
        process.cancel_all(signal.SIGINT)
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _row(findings: list[Finding]) -> tuple[str, str]:
    text = to_text(findings)
    return text, sha256_text(text)


def _read(row: tuple[str, str] | None) -> list[Finding] | None:
    """The findings of a row; None where there is none, or it is not what was written."""
    if row is None or sha256_text(row[0]) != row[1]:
        return None
    try:
        return from_text(row[0])
    except (ValueError, TypeError):
        return None


def _batches(work: _Work, jobs: int) -> Iterator[list[str]]:
    """The files of each call: those that have the same surroundings, as many as a command line takes, and
    so that every processor has something to do.
    """
    manifest = work.detector.manifest
    if manifest.granularity == "project":
        if work.missing:
            yield work.files
        return
    groups: dict[str, list[str]] = {}
    for path in work.missing:
        groups.setdefault(work.around[path], []).append(path)
    for files in groups.values():
        shards = 1 if manifest.threads else jobs
        most = manifest.max_files or len(files)
        size = max(1, min(most, -(-len(files) // shards)))
        batch: list[str] = []
        room = MOST_ARGUMENTS
        for path in files:
            length = len(os.fsencode(path)) + 1
            if batch and (len(batch) == size or length > room):
                yield batch
                batch, room = [], MOST_ARGUMENTS
            batch.append(path)
            room -= length
        yield batch


def _told(work: _Work, judged: Judged) -> Told:
    version = "" if work.identity.startswith("t:") else work.identity
    status = ERROR if judged.errors else RAN if judged.calls else CACHED
    reason = next(iter(judged.errors.values()), "")
    known = len(work.files) if work.known and "" in work.keys else len(work.known)
    return Told(work.detector.id, status, reason, version, len(work.files), known, judged.calls)
