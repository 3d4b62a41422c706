"""What these adapters have in common: reading a request, answering it, and telling versions."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from wsbuild.errors import WsbuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = ("version_checking", "version")
MOST_OUTPUT = 32 * 1024
"""Characters of a tool's output that are told, from its end."""


class Asked(NamedTuple):
    """A request; `tool` is the path of the program, `cwd` where it works, `home` the project."""

    capability: str
    payload: Mapping[str, Any]
    tool: str
    cwd: str
    home: str

    def text(self, name: str) -> str:
        """A field of the payload that is a text; '' where it is none."""
        value = self.payload.get(name)
        return value if isinstance(value, str) else ""

    def paths(self, name: str) -> list[str]:
        """A field of the payload that is a path, or several."""
        value = self.payload.get(name)
        if isinstance(value, str):
            return [value] if value else []
        return [path for path in value if isinstance(path, str) and path] if isinstance(value, list) else []


class Told(NamedTuple):
    """An answer."""

    success: bool
    message: str
    content: dict[str, Any] = {}  # noqa: RUF012


def failed(message: str, reason: str, **content: Any) -> Told:
    """The answer of a tool that has not done what was asked, with the reason as a word."""
    return Told(False, message, {"error_reason": reason, **content})


def tail(text: str) -> str:
    """The end of what a tool has printed."""
    return text[-MOST_OUTPUT:]


def serve(answer: Callable[[Asked], Told]) -> NoReturn:
    """Answer the request on stdin by `answer`, or by telling the version, and exit: 0 for success, else 1."""
    try:
        request = json.load(sys.stdin)
        asked = Asked(
            request["capability"],
            request["payload"],
            os.environ.get("AIM_TOOL_PATH", ""),
            os.getcwd(),
            os.environ.get("WSBUILD_HOME", "") or os.getcwd(),
        )
        told = _versions(asked) if asked.capability in VERSION else answer(asked)
    except WsbuildError as error:
        told = failed(str(error), "tool_error")
    except (ValueError, LookupError, TypeError) as error:
        told = failed(f"the request cannot be read: {error}", "bad_request")
    sys.stdout.write(json.dumps(told._asdict()))
    sys.exit(0 if told.success else 1)


def unsupported(asked: Asked, known: str) -> Told:
    """The answer to a capability that this adapter does not have."""
    return failed(f"{asked.capability} cannot be done by it; it knows {known}", "unsupported")


def _versions(asked: Asked) -> Told:
    from wsbuild.tools.capture import capture

    command = json.loads(os.environ.get("AIM_VERSION_COMMAND", "[]"))
    if not command:
        return failed("nothing says how it tells its version", "unsupported")
    code, output = capture([asked.tool or command[0], *command[1:]], timeout=60.0)
    lines = output.decode("utf-8", "replace").strip().splitlines()
    if code or not lines:
        return failed(f"it ended with {code}: {tail(' '.join(lines))}", "tool_error", exit_code=code)
    version = lines[0].strip()
    content = {"tool_id": os.environ.get("AIM_TOOL_ID", ""), "version": version, "path": asked.tool}
    return Told(True, version, content)
