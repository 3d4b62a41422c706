"""Has Jules do what the prompt says: a session on its machines over the repository as GitHub has it, whose
patch is applied here when it is completed. https://jules.google/docs/cli/reference
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

from wsbuild.aim.adapters.looking import Files
from wsbuild.aim.adapters.serving import Asked, Told, failed, serve, tail, unsupported
from wsbuild.tools.capture import capture

LOOK_S = 10.0
CALL_S = 120.0
_ID = re.compile(r"\b\d{10,}\b")
_COMPLETED, _FAILED, _ASKS = "completed", "failed", "user"
"""What the last words of a session's line in the list say."""


def answer(asked: Asked) -> Told:
    """Start a session, wait for its end, and apply what it has made."""
    if asked.capability != "code_generation":
        return unsupported(asked, "code_generation")
    files = Files(asked.cwd, asked.paths("files"), ())
    code, said = _jules(asked, "new", "--repo", ".", "--session", asked.text("prompt"))
    session = _ID.search(said)
    if code or session is None:
        reason = "authentication_required" if "login" in said.lower() else "tool_error"
        return failed(f"Jules began no session: {_last(said)}", reason, exit_code=code, stdout=tail(said))
    status = _end_of(asked, session[0])
    content: dict[str, Any] = {"tool_id": "jules", "session": session[0]}
    where = f"https://jules.google.com/session/{session[0]}"
    if _COMPLETED not in status:
        why = "waits for an answer" if _ASKS in status else "has failed"
        return failed(f"its session {why}: {where}", "tool_error", **content)
    code, said = _jules(asked, "pull", "--session", session[0], "--apply")
    content |= {"exit_code": code, "stdout": tail(said), "files_changed": files.changed()}
    if code:
        return failed(
            f"what it made cannot be applied: {_last(said)}; it is at {where}", "tool_error", **content
        )
    return Told(True, f"Jules changed {len(files.changed())} files in session {session[0]}", content)


def _end_of(asked: Asked, session: str) -> str:
    """What the list says of a session that does not go on by itself. Whoever asks has a deadline."""
    while True:
        _, said = _jules(asked, "list", "--session")
        line = next((line for line in said.splitlines() if session in line), "").lower()
        if any(word in line for word in (_COMPLETED, _FAILED, _ASKS)):
            return line
        time.sleep(LOOK_S)


def _jules(asked: Asked, *words: str) -> tuple[int, str]:
    given = {"JULES_API_KEY": os.environ["JULES_API_KEY"]} if "JULES_API_KEY" in os.environ else {}
    code, output = capture([asked.tool, "remote", *words], cwd=asked.cwd, timeout=CALL_S, env=given)
    return code, output.decode("utf-8", "replace")


def _last(said: str) -> str:
    return (said.strip().splitlines() or ["it said nothing"])[-1]


if __name__ == "__main__":
    serve(answer)
