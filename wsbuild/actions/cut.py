"""What the attempt of a dead process left: its log, and what its tools say there that they have used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.statedir import log_path
from wsbuild.tools.usage import Usage, used

if TYPE_CHECKING:
    from wsbuild.actions.session import Session
    from wsbuild.store.attempts import OpenAttempt


def left_by(session: Session, attempt: OpenAttempt) -> tuple[str, Usage]:
    """The log from the project's root, '' where there is none, and what was used."""
    log = log_path(attempt.run_id, attempt.task, attempt.number)
    try:
        with open(os.path.join(session.root, log), encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return "", Usage()
    steps = session.plan[attempt.ws_id].steps if attempt.ws_id in session.plan else ()
    commands = [command for step in steps if step.name == attempt.step for command in step.commands]
    return log, used([pattern for command in commands for pattern in command.usage_output], text)
