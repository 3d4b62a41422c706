"""Calls of tools: several of them at a time."""

from __future__ import annotations

import signal
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.detectors.execution import Judged, judge
from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.execution import Place
    from wsbuild.detectors.rooms import Started


class Call(NamedTuple):
    """Files that a detector judges in one call, which may have `started` already."""

    detector: Detector
    files: list[str]
    started: Started | None = None


def judge_all(
    calls: Iterable[Call], place: Place, jobs: int, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[tuple[Call, Judged]]:
    """What comes of each call, as it ends: `jobs` at a time, the longest first; `meanwhile` is called once,
    while they run. Where the caller is interrupted, tools are ended and nobody waits for them.
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
                done.put((call, judge(call.detector, call.files, place, call.started)))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                done.put((call, error))

    left = len(waiting)
    for _ in range(min(jobs, left)):
        threading.Thread(target=work, daemon=True).start()
    try:
        meanwhile()
        for _ in range(left):
            call, judged = done.get()
            if isinstance(judged, BaseException):
                raise judged
            yield call, judged
    except BaseException:
        waiting.clear()
        process.cancel_all(signal.SIGINT)
        raise
