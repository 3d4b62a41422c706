"""Calls of tools: which files go into one, and several of them at a time."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.detectors.execution import Judged, judge
from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wsbuild.detectors.contract import Detector, Manifest
    from wsbuild.detectors.execution import Place

MOST_ARGUMENTS = 128 * 1024
"""Bytes of file names in one call."""


class Call(NamedTuple):
    """Files that a detector judges in one call."""

    detector: Detector
    files: list[str]


def batches(manifest: Manifest, files: Sequence[str], jobs: int) -> Iterator[list[str]]:
    """The files of each call: as many as a command line takes, and so that every processor has something
    to do.
    """
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
    if batch:
        yield batch


def judge_all(calls: Iterable[Call], place: Place, jobs: int) -> Iterator[tuple[Call, Judged]]:
    """What comes of each call, as it ends: `jobs` at a time, the longest first. Where the caller is
    interrupted, tools are ended and nobody waits for them.
    """
    waiting = deque(sorted(calls, key=lambda call: (-len(call.files), call.detector.id, call.files[:1])))
    done: SimpleQueue[tuple[Call, Judged | BaseException]] = SimpleQueue()

    def work() -> None:
        while waiting:
            try:
                call = waiting.popleft()
            except IndexError:
                return
            try:
                done.put((call, judge(call.detector, call.files, place)))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                done.put((call, error))

    left = len(waiting)
    for _ in range(min(jobs, left)):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in range(left):
            call, judged = done.get()
            if isinstance(judged, BaseException):
                raise judged
            yield call, judged
    except BaseException:
        waiting.clear()
        process.cancel_all(signal.SIGINT)
        raise
