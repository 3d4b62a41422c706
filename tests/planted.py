"""Bugs to plant in the engine, in this process: what an oracle must be seen to find.

The only module that knows where the engine decides. Each bug is a context manager; BUGS names them.
A patch of something that is not there any more fails at once, so a bug cannot cease to be planted
without being noticed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any
from unittest import mock

from wsbuild.actions import attempt, freshness, outcome, record, remains
from wsbuild.cache import blobs, files, manifest
from wsbuild.looks import Look
from wsbuild.plan import stamps


def short_margin() -> Any:
    """No bug: files count as settled 20 ms after their last change, not 100. So the remembered digests
    are in use between two builds that follow each other at once. Sound where the clock of the file
    system ticks every 10 ms or more often.
    """
    return mock.patch.object(files, "FINE_MARGIN_NS", 20_000_000)


def killed_when_recording(number: int, *, after: bool) -> Any:
    """No bug, but the end: this process is killed before or after the end of a step is recorded."""
    end, ended = record.Recorder.end, []

    def killing(self: Any, *arguments: Any) -> None:
        ended.append(1)
        if after:
            end(self, *arguments)
        if len(ended) > number:
            os.kill(os.getpid(), signal.SIGKILL)
        if not after:
            end(self, *arguments)

    return mock.patch.object(record.Recorder, "end", killing)


def _by_mtime(row: Any, look: Look) -> bool:
    return bool(row[0] == look[0])


def _by_size_and_second(row: Any, look: Look) -> bool:
    return (row[0] // 10**9, row[2]) == (look[0] // 10**9, look[2])


def mtime_only() -> Any:
    """A file whose mtime is as remembered is not read: an edit that puts the time back is not seen."""
    return mock.patch.object(files, "trusted", _by_mtime)


def size_and_seconds() -> Any:
    """Equal size and second of the mtime are believed, whenever the file was read: neither the racy
    margin nor ctime nor inode number count.
    """
    return mock.patch.object(files, "trusted", _by_size_and_second)


def plan_by_mtime() -> Any:
    """A bundle file whose mtime is as remembered is not read."""
    return mock.patch.object(stamps, "trusted", _by_mtime)


def command_not_in_key() -> Any:
    """The command line is left out of the key manifest."""
    add = manifest.Manifest.add

    def without(self: Any, kind: str, name: str, value: Any) -> None:
        if (kind, name) != ("field", "commands"):
            add(self, kind, name, value)

    return mock.patch.object(manifest.Manifest, "add", without)


def inputs_not_in_key() -> Any:
    """The states of the inputs are left out of the key manifest."""
    with_inputs = manifest.Manifest.with_inputs
    return mock.patch.object(manifest.Manifest, "with_inputs", lambda self, _states: with_inputs(self, {}))


def outputs_not_checked() -> Any:
    """A step is up to date whatever became of its outputs."""
    return mock.patch.object(freshness.Freshness, "_output_reasons", return_value=[])


def key_after_the_run() -> Any:
    """What is recorded is the inputs as they are when the step has ended, whatever it read."""
    return mock.patch.object(attempt, "written", return_value={})


def marked_before_the_run() -> Any:
    """The clean row is written when the step starts, not when it has succeeded."""
    begin = record.Recorder.begin

    def marking(self: Any, ws: Any, step: Any, decision: Any, *more: Any, **named: Any) -> Any:
        begun = begin(self, ws, step, decision, *more, **named)
        success = outcome.success_of(step, decision, decision)
        with self.session.store.transaction() as conn:
            self._put_clean(conn, begun, success, {})
        return begun

    return mock.patch.object(record.Recorder, "begin", marking)


def no_invalidation() -> Any:
    """A step that runs again keeps the row of its last success until it succeeds once more: one that
    failed, was killed or read what moved is up to date again when its inputs are put back.

    The check of the outputs hides it, since what such a run spoiled is an output.
    """
    return mock.patch.object(record.clean, "remove", return_value=None)


def contents_not_verified() -> Any:
    """What is restored is not compared with what was kept."""
    copy = blobs.copy_verified

    def copying(source: int, target: int) -> str:
        copy(source, target)
        return str(asked[-1])

    copy_to, asked = blobs.Blobs.copy_to, [""]

    def noting(self: Any, digest: str, fd: int) -> None:
        asked.append(digest)
        with mock.patch.object(blobs, "copy_verified", copying):
            copy_to(self, digest, fd)

    return mock.patch.object(blobs.Blobs, "copy_to", noting)


def leftovers_stay() -> Any:
    """What a step made earlier is not taken away before it makes it again."""
    return mock.patch.object(attempt.remains, "clear", return_value=remains.Ground())


def restored_without_inputs() -> Any:
    """Results are looked up, and kept, by a key that leaves the inputs out."""
    without = property(lambda self: self.manifest.with_inputs({}))
    return mock.patch.object(freshness.Decision, "action", without)


BUGS: dict[str, Callable[[], Any]] = {
    "mtime-only": mtime_only,
    "size-and-seconds": size_and_seconds,
    "plan-by-mtime": plan_by_mtime,
    "command-not-in-key": command_not_in_key,
    "inputs-not-in-key": inputs_not_in_key,
    "outputs-not-checked": outputs_not_checked,
    "key-after-the-run": key_after_the_run,
    "marked-before-the-run": marked_before_the_run,
    "no-invalidation": no_invalidation,
    "contents-not-verified": contents_not_verified,
    "leftovers-stay": leftovers_stay,
    "restored-without-inputs": restored_without_inputs,
}

HIDDEN_BY_OUTPUT_CHECK = frozenset({"no-invalidation"})
"""Bugs that can be seen only with the check of the outputs off as well."""
