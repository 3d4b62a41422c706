"""The audit trail: a file for each time that a tool is asked, written before that and completed after it."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.aim.invoke import INTERRUPTED
from wsbuild.atomic import is_alive, process_start, sync_directory, write_atomic
from wsbuild.errors import StateError
from wsbuild.statedir import make_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wsbuild.aim.invoke import Attempt
    from wsbuild.tools.redact import Redactor

FOLDER = "AIM_audit"
SCHEMA = "wsbuild/aim-audit/1"
ACTOR = "wsbuild"
MOST_TEXT = 64 * 1024
"""Characters that are kept of one text, half of them from its end."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}").fullmatch
_FILE = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{6})_.*\.json").fullmatch
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")


class About(NamedTuple):
    """What an entry is of: the route, which tool of it is asked, how often, and for whom."""

    route: str
    capability: str
    payload: Mapping[str, Any]
    tool: str = ""
    order: int = 0
    number: int = 0
    workstream: str = ""
    step: str = ""


class Trail:
    """The audit trail of the project at `root`; without `enabled` nothing is written."""

    def __init__(self, root: str, redactor: Redactor, *, enabled: bool) -> None:
        self._root = root
        self._redactor = redactor
        self.enabled = enabled

    def begin(self, about: About) -> str:
        """Write down that a tool is going to be asked; gives the path of the entry ('' where none is
        written). Raises StateError: what cannot be recorded is not done.
        """
        if not self.enabled:
            return ""
        now = datetime.now(UTC)
        data = self._data(about, None)
        try:
            return _write_new(self._root, now, f"{about.tool or 'none'}_{data['capability']}", data)
        except OSError as error:
            message = f"the audit trail cannot be written: {error.strerror}: {error.filename}"
            raise StateError(message, f"make {FOLDER} writable, or switch it off") from error

    def end(self, path: str, about: About, attempt: Attempt) -> None:
        """Write down what came of it. Raises StateError."""
        if not path:
            return
        data = {**self._data(about, attempt), "timestamp": _time_of(os.path.basename(path))}
        try:
            write_atomic(path, _text(data))
        except OSError as error:
            message = f"the audit entry {path} cannot be completed: {error.strerror}"
            raise StateError(message, f"make {FOLDER} writable, or switch it off") from error

    def _data(self, about: About, attempt: Attempt | None) -> dict[str, Any]:
        result = None
        if attempt is not None:
            result = {
                "success": attempt.state == "ok",
                "state": attempt.state,
                "message": attempt.message,
                "content": dict(attempt.content),
                "duration_s": round(attempt.duration_s, 3),
            }
        clean: dict[str, Any] = _shortened(
            self._redactor.all({"payload": dict(about.payload), "result": result})
        )
        pid = os.getpid()
        return {
            "schema": SCHEMA,
            "timestamp": "",
            "actor": ACTOR,
            "action": "invoke" if about.tool else "refuse",
            "route": about.route,
            "order": about.order,
            "try": about.number,
            "pid": pid,
            "started": process_start(pid),
            "tool_id": about.tool,
            "capability": self._redactor.text(about.capability),
            "workstream": about.workstream,
            "step": about.step,
            **clean,
        }


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_TEXT:
        half = MOST_TEXT // 2
        return f"{value[:half]}\n... {len(value) - 2 * half} characters left out ...\n{value[-half:]}"
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value


def _text(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=2) + "\n").encode()


def _time_of(name: str) -> str:
    """The time in the name of an entry, as it stands in the entry."""
    day, _, clock = name.split("_", 1)[0].partition("T")
    hours, minutes, seconds, micros = clock.split("-")
    return f"{day}T{hours}:{minutes}:{seconds}.{micros}Z"


def _write_new(root: str, when: datetime, what: str, data: dict[str, Any]) -> str:
    """Write an entry under a name that nobody has, all of it or nothing. Raises OSError."""
    what = _UNSAFE.sub("-", what)[:100]
    while True:
        directory = make_dir(root, f"{FOLDER}/{when:%Y-%m-%d}")
        name = f"{when:%Y-%m-%dT%H-%M-%S-%f}_{what}.json"
        path = os.path.join(directory, name)
        aside = os.path.join(directory, f".{os.urandom(8).hex()}.new")
        write_atomic(aside, _text({**data, "timestamp": _time_of(name)}))
        try:
            os.link(aside, path)
            sync_directory(directory)
            return path
        except FileExistsError:
            when += timedelta(microseconds=1)
        finally:
            os.unlink(aside)


class Entry(NamedTuple):
    """An entry that was read: the path from the root, and what it says."""

    path: str
    data: dict[str, Any]


def entries(root: str, unreadable: list[str]) -> Iterator[Entry]:
    """All entries, the newest first. Those that cannot be read go to `unreadable`, each with the reason."""
    from wsbuild import schemas

    for path in reversed(list(_files(root))):
        rel = os.path.relpath(path, root)
        document, problems = schemas.read_document(path, rel)
        data = document.data if document is not None else None
        if document is None or not isinstance(data, dict):
            unreadable.append(f"{rel}: {problems[0].message if problems else 'is no entry'}")
        elif data.get("schema") == SCHEMA:
            if wrong := schemas.check(document, "aim_audit", rel):
                unreadable.append(f"{rel}: {wrong[0].pointer} {wrong[0].message}")
            else:
                yield Entry(rel, _ended(data))
        elif (old := _of_predecessor(data)) is not None:
            yield Entry(rel, old)
        else:
            unreadable.append(f"{rel}: is no entry")


def _ended(data: dict[str, Any]) -> dict[str, Any]:
    """An entry with a result, where its process has died."""
    if data["result"] is None and not is_alive(data["pid"], data["started"]):
        died = {"success": False, "state": INTERRUPTED, "message": "its process died meanwhile"}
        return {**data, "result": {**died, "content": {}, "duration_s": 0.0}}
    return data


def _of_predecessor(data: dict[str, Any]) -> dict[str, Any] | None:
    """What an entry of the older form says (`actor: pipeline`), in the form of today; None for none."""
    result = data.get("result")
    if not isinstance(result, dict) or not isinstance(data.get("timestamp"), str):
        return None
    success = result.get("success") is True
    content = result.get("content")
    return {
        "timestamp": data["timestamp"].removesuffix("Z").removesuffix("+00:00") + "Z",
        "actor": str(data.get("actor", "")),
        "action": "invoke",
        "route": "",
        "tool_id": str(data.get("tool_id", "")),
        "capability": str(data.get("capability", "")),
        "workstream": "",
        "step": "",
        "payload": data.get("payload") if isinstance(data.get("payload"), dict) else {},
        "result": {
            "success": success,
            "state": "ok" if success else "failed",
            "message": str(result.get("message", "")),
            "content": content if isinstance(content, dict) else {},
            "duration_s": 0.0,
        },
    }


def _files(root: str) -> Iterator[str]:
    """The paths of all entries, the oldest first."""
    folder = os.path.join(root, FOLDER)
    for day in sorted(filter(_DAY, _names(folder))):
        for name in sorted(filter(_FILE, _names(os.path.join(folder, day)))):
            yield os.path.join(folder, day, name)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def prune(root: str, days: int, *, dry_run: bool = False) -> list[str]:
    """Remove the entries that are older than so many days; gives them. Other files stay. Raises OSError."""
    oldest = datetime.now(UTC) - timedelta(days=days)
    going = [
        path for path in _files(root) if _time_of(os.path.basename(path)) < f"{oldest:%Y-%m-%dT%H:%M:%S.%fZ}"
    ]
    for path in going if not dry_run else ():
        os.unlink(path)
    for folder in sorted({os.path.dirname(path) for path in going}) if not dry_run else ():
        if not _names(folder):
            os.rmdir(folder)
    return [os.path.relpath(path, root) for path in going]
