"""One call of a detector's tool: started, supervised, read; and what to do where it fails on some files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.detectors.contract import REPORT, Output, ToolError
from wsbuild.detectors.finding import CATEGORIES, SEVERITIES, Finding, with_fingerprints
from wsbuild.detectors.rooms import Room, environment
from wsbuild.folders import chain
from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wsbuild.detectors.contract import Detector, Manifest
    from wsbuild.detectors.rooms import Started
    from wsbuild.tools.redact import Redactor

MOST_OUTPUT = 256 * 2**20
"""Bytes of output that are read; of more nothing is."""


class Place(NamedTuple):
    """Where tools are started: `find` gives the absolute path of a program."""

    root: str
    environ: Mapping[str, str]
    path: str
    find: Callable[[str], str]
    redactor: Redactor


class Judged(NamedTuple):
    """What came of files: the `findings` of each that was judged, why others were not, and how many calls
    that took.
    """

    findings: dict[str, list[Finding]]
    errors: dict[str, str]
    calls: int = 1


def judge(detector: Detector, files: Sequence[str], place: Place, started: Started | None = None) -> Judged:
    """Have a detector judge files; the call of all of them may have `started`. Where its tool fails on
    several, each half is judged by itself, so that one bad file costs no other its result.
    """
    try:
        return Judged(_call(detector, files, place, started), {})
    except ToolError as error:
        there = [path for path in files if os.path.isfile(os.path.join(place.root, path))]
        is_whole = detector.manifest.granularity == "project"
        if is_whole or len(files) == 1 or process.is_canceled():
            return Judged({}, dict.fromkeys(files, place.redactor.text(str(error))))
        if len(there) < len(files):
            gone = dict.fromkeys(set(files) - set(there), "it is not there any more")
            rest = judge(detector, there, place) if there else Judged({}, {}, 0)
            return Judged(rest.findings, {**rest.errors, **gone}, rest.calls + 1)
        half = len(files) // 2
        one, other = judge(detector, files[:half], place), judge(detector, files[half:], place)
        return Judged(
            {**one.findings, **other.findings}, {**one.errors, **other.errors}, one.calls + other.calls + 1
        )


def _call(
    detector: Detector, files: Sequence[str], place: Place, started: Started | None
) -> dict[str, list[Finding]]:
    manifest = detector.manifest
    output = run_tool(manifest, detector.command(files, place.root), files, place, started)
    if output.exit_code not in {*manifest.clean, *manifest.findings}:
        raise ToolError(f"{manifest.command} ended with {output.exit_code}: {last_line(output)}")
    try:
        found = _without_secrets([_checked(one) for one in detector.plugin.parse(output)], place.redactor)
        by_path: dict[str, list[Finding]] = {path: [] for path in files}
        for finding in found:
            # What a tool says of a file that it was not asked about is that file's own matter.
            if finding.path in by_path or manifest.granularity == "project":
                by_path.setdefault(finding.path, []).append(finding)
        lines = {path: _lines(os.path.join(place.root, path)) for path, has in by_path.items() if has}
    except ToolError:
        raise
    except (Exception, SystemExit) as error:  # whatever a plugin does, the others work
        said = f"{type(error).__name__}: {error}"
        raise ToolError(f"what {manifest.command} printed cannot be read: {said}") from error
    if (found or output.exit_code not in manifest.clean) and not any(by_path.values()):
        what = f"{found[0].path}, which it was not asked about" if found else f"nothing: {last_line(output)}"
        raise ToolError(f"{manifest.command} ended with {output.exit_code} and told of {what}")
    return {path: with_fingerprints(detector.id, has, lines) for path, has in by_path.items()}


def _checked(finding: Finding) -> Finding:
    """A finding, if a plugin gave one. Raises TypeError, ValueError."""
    if not isinstance(finding, Finding):
        raise TypeError(f"{finding!r} is no Finding")
    path, line, column, code, category, severity, message, url, *_ = finding
    if not all(isinstance(text, str) for text in (path, code, message, url)):
        raise TypeError(f"{finding!r} has something else where a text belongs")
    if not (type(line) is type(column) is int and line >= 0 and column >= 0):
        raise ValueError(f"{finding!r} has no place")
    if category not in CATEGORIES or severity not in SEVERITIES:
        raise ValueError(f"{category!r}, {severity!r}: there is no such category or severity")
    return finding


def _without_secrets(found: list[Finding], redactor: Redactor) -> list[Finding]:
    """Findings as they may be kept and shown. A path is none of a tool's words, and stays."""
    text = "\n".join(word for one in found for word in (one.code, one.message, one.url))
    if redactor.text(text) == text:
        return found
    clean = redactor.text
    return [
        one._replace(code=clean(one.code), message=clean(one.message), url=clean(one.url)) for one in found
    ]


def run_tool(
    manifest: Manifest,
    argv: Sequence[str],
    files: Sequence[str],
    place: Place,
    started: Started | None = None,
) -> Output:
    """Start a detector's tool, and wait for it; where the same call has `started`, only that. What it said is
    as it was: a secret in it may be a name that its plugin has to know. Raises ToolError where it is not
    there or did not end by itself in time, or said too much; its words are what it said, too.
    """
    if started is not None and started.command != _command(manifest, argv, place, started.room.folder):
        started.end()
        started = None
    with started.room if started else Room() as room:
        command = _command(manifest, argv, place, room.folder)
        if manifest.scratch:
            _copy(files, manifest, place.root, command.cwd)
        log = os.path.join(room.folder, "stdout")
        result = process.run(
            command,
            log=log,
            success=range(256),
            cap=MOST_OUTPUT,
            errors=room.errors,
            begun=started.begun if started else None,
        )
        room.errors.seek(0)
        stderr = room.errors.read().decode("utf-8", "replace")
        stdout, written = _text(log), _text(_report(room.folder))
    if result.dropped_bytes:
        raise ToolError(f"{manifest.command} printed more than {MOST_OUTPUT} bytes")
    output = Output(result.exit_code, stdout, stderr, tuple(files), command.cwd, written)
    if result.state != "ok":
        why = {"timeout": f"took longer than {manifest.timeout_sec:g} s", "missing": "cannot be started"}
        told = why.get(result.state, f"was {result.state}")
        raise ToolError(f"{manifest.command} {told}: {last_line(output)}")
    return output


def _command(manifest: Manifest, argv: Sequence[str], place: Place, folder: str) -> process.Command:
    """What is started, with a `folder` of its own."""
    return process.Command(
        argv=(place.find(argv[0]) or argv[0], *(word.replace(REPORT, _report(folder)) for word in argv[1:])),
        env=environment(manifest, place.environ, place.path, folder),
        cwd=os.path.join(folder, "files") if manifest.scratch else place.root,
        timeout_sec=manifest.timeout_sec,
    )


def _report(folder: str) -> str:
    return os.path.join(folder, "report")


def _copy(files: Iterable[str], manifest: Manifest, root: str, to: str) -> None:
    """Copy files, and what configures the tool for them."""
    import shutil

    above = {parent for path in files for parent in chain(os.path.dirname(path))}
    wanted = above if manifest.config_scope == "chain" else {""}
    settings = {os.path.join(folder, name) for folder in wanted for name in manifest.config_files}
    os.mkdir(to)
    for folder in sorted(above - {""}):
        os.mkdir(os.path.join(to, folder))
    for path in sorted({*files, *settings}):
        if os.path.isfile(os.path.join(root, path)):
            shutil.copyfile(os.path.join(root, path), os.path.join(to, path))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def last_line(output: Output) -> str:
    """What tells most of a failure: the last line that speaks of an error, or the last of all."""
    lines = (output.stderr.strip() or output.stdout.strip() or "it said nothing").splitlines()
    return next((line.strip() for line in reversed(lines) if "error" in line.lower()), lines[-1])


def _lines(path: str) -> list[str]:
    try:
        return _text(path).splitlines()
    except OSError:
        return []
