"""What `wsbuild run` does, however it was asked for. Part of the hot path: nothing heavy is imported."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.actions.again import Again
from wsbuild.actions.session import Session
from wsbuild.actions.tally import NOT_DONE
from wsbuild.cli.text import json_text, show
from wsbuild.doit_plugin.load import as_text
from wsbuild.doit_plugin.loader import run_doit
from wsbuild.doit_plugin.reporter import SilentReporter, StepReporter
from wsbuild.errors import EXIT_FAILED, EXIT_OK
from wsbuild.plan.select import select

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunRequest(NamedTuple):
    """What is asked for: `targets` as seen from the root; at most so many `jobs` at a time."""

    targets: tuple[str, ...] = ()
    jobs: int = 1
    go_on: bool = False
    """After a failure, with what does not need what has failed."""
    force: bool = False
    """Even what is up to date."""
    no_wait: bool = False
    as_json: bool = False


def run(request: RunRequest, root: str, environ: Mapping[str, str], again: Again | None) -> int:
    """Run it, remembered by `again`; gives the exit code. Raises WsbuildError."""
    session = Session(root, environ, writing=True, again=again)
    if again is not None:
        again.render = partial(_as_json if request.as_json else as_text, session)
    session.wait = not request.no_wait
    select(session.plan, request.targets)
    options = ["-n", str(request.jobs)] if request.jobs > 1 else []
    options += ["-c"] if request.go_on else []
    options += ["-a"] if request.force else []
    reporter = SilentReporter if request.as_json else StepReporter
    try:
        code = run_doit(["run", *options, *request.targets], reporter=reporter, session=session)
    except SystemExit as ended:  # a signal: the record is closed, and the exit code says which
        code = int(ended.code or 0)
    if request.as_json:
        show((code, json_text("run", _result(session, code)), ""))
    if session.fatal:
        if request.as_json:
            raise session.fatal
        return session.fatal.exit_code  # the reporter has said why
    failed = any(report.status in NOT_DONE for report in session.tally.reports)
    return EXIT_FAILED if failed and not session.ended_by else code


def again_of(words: list[str]) -> Again:
    """What remembers the command line `words`, given in the current directory."""
    return Again([os.getcwd(), *words])


def _as_json(session: Session) -> str:
    return json_text("run", _result(session, EXIT_OK))


def _result(session: Session, code: int) -> dict[str, Any]:
    counts = session.tally.counts()
    status = "succeeded" if code == EXIT_OK else "failed"
    if session.ended_by:
        status = "interrupted"
    return {
        "run_id": session.run_id,
        "status": status,
        "counts": counts,
        "usage": session.tally.usage._asdict(),
        "rollback": [undone._asdict() for undone in session.tally.undone],
        "steps": [
            {
                "task": report.task,
                "status": report.status,
                "reason": report.reason,
                "duration_s": round(report.duration_s, 6),
                "attempt": report.attempt,
            }
            for report in session.tally.reports
        ],
    }
