"""What `wsbuild run` does, however it was asked for. Part of the hot path: nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.actions.session import Session
from wsbuild.actions.tally import NOT_DONE
from wsbuild.cli.text import json_text, show
from wsbuild.doit_plugin import direct
from wsbuild.doit_plugin.load import as_text
from wsbuild.doit_plugin.reporter import SilentReporter, StepReporter
from wsbuild.errors import EXIT_FAILED
from wsbuild.plan.select import select

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.actions.again import Again
    from wsbuild.actions.tally import Tally


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
        again.render = _as_json if request.as_json else as_text
    session.wait = not request.no_wait
    if again is None or again.before is None:
        select(session.plan, request.targets)
    options = ["-n", str(request.jobs)] if request.jobs > 1 else []
    options += ["-c"] if request.go_on else []
    options += ["-a"] if request.force else []
    reporter = SilentReporter if request.as_json else StepReporter
    try:
        code = direct.run([*options, *request.targets], reporter=reporter, session=session)
    except SystemExit as ended:  # a signal: the record is closed, and the exit code says which
        code = int(ended.code or 0)
    if request.as_json:
        status = "interrupted" if session.ended_by else "failed" if code else "succeeded"
        show((code, json_text("run", _result(session.tally, session.run_id, status)), ""))
    if session.fatal:
        if request.as_json:
            raise session.fatal
        return session.fatal.exit_code  # the reporter has said why
    failed = any(report.status in NOT_DONE for report in session.tally.reports)
    return EXIT_FAILED if failed and not session.ended_by else code


def _as_json(tally: Tally) -> str:
    return json_text("run", _result(tally, None, "succeeded"))


def _result(tally: Tally, run_id: str | None, status: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "status": status,
        "counts": tally.counts(),
        "usage": tally.usage._asdict(),
        "rollback": [undone._asdict() for undone in tally.undone],
        "steps": [
            {
                "task": report.task,
                "status": report.status,
                "reason": report.reason,
                "duration_s": round(report.duration_s, 6),
                "attempt": report.attempt,
            }
            for report in tally.reports
        ],
    }
