"""How many tools are asked at a time, among all processes of a repository, and whose turn it was last."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wsbuild.atomic import FileLock, write_atomic
from wsbuild.cache.place import shared_dir
from wsbuild.errors import BusyError
from wsbuild.statedir import STATE, make_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = "aim"
POLL_S = 0.02

_gates: dict[tuple[str, int], threading.BoundedSemaphore] = {}
_gates_lock = threading.Lock()


def turns_dir(root: str) -> str:
    """The directory of the locks, which all worktrees of a repository share. Raises OSError."""
    shared = shared_dir(root)
    if os.path.basename(shared) == STATE:
        return make_dir(os.path.dirname(shared), f"{STATE}/{NAME}")
    directory = os.path.join(shared, NAME)
    os.makedirs(directory, exist_ok=True)
    return directory


@contextmanager
def turn(directory: str, most: int | None, what: str, *, wait: bool) -> Iterator[None]:
    """One of `most` turns (None: of any number), given back when it ends, and by the kernel when its holder
    dies. Raises BusyError where there is none and it is not to be waited for, StateError where there can be
    no locks.
    """
    if most is None:
        yield
        return
    gate = _gate(directory, most)
    if not gate.acquire(blocking=wait):
        raise _busy(most)
    try:
        lock = _take(directory, most, what, wait=wait)
        try:
            yield
        finally:
            lock.release()
    finally:
        gate.release()


def _gate(directory: str, most: int) -> threading.BoundedSemaphore:
    """What the threads of this process wait at: only as many as there are turns look for one."""
    with _gates_lock:
        return _gates.setdefault((directory, most), threading.BoundedSemaphore(most))


def _take(directory: str, most: int, what: str, *, wait: bool) -> FileLock:
    locks = [FileLock(os.path.join(directory, f"turn-{number}.lock"), what) for number in range(most)]
    while True:
        for lock in locks:
            try:
                lock.acquire(wait=False)
            except BusyError:
                continue
            return lock
        if not wait:
            raise _busy(most)
        time.sleep(POLL_S)


def _busy(most: int) -> BusyError:
    many = "1 tool is" if most == 1 else f"{most} tools are"
    return BusyError(f"{many} being asked, which is as many as the rules allow", "try again later")


def least_recent(directory: str, names: Sequence[str]) -> list[str]:
    """Those names, the one whose turn was longest ago first, else in their order; it is its turn now."""
    path = os.path.join(directory, "used.json")
    with FileLock(os.path.join(directory, "used.lock"), "choose a tool"):
        used = _read(path)
        ordered = sorted(names, key=lambda name: used.get(name, 0))
        if ordered:
            used[ordered[0]] = max(used.values(), default=0) + 1
            write_atomic(path, json.dumps(used, sort_keys=True).encode())
    return ordered


def _read(path: str) -> dict[str, int]:
    """When each name was used last, counted; nothing where that is not known."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError):
        return {}
    return {name: at for name, at in data.items() if type(at) is int} if isinstance(data, dict) else {}
