"""What became of each step in this run, and how a person is told."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXECUTED = "executed"
UP_TO_DATE = "up_to_date"
RESTORED = "restored"
FAILED = "failed"
BLOCKED = "blocked"
SKIPPED = "skipped"
WAITING = "waiting"
OVER_BUDGET = "over_budget"
IDLE = "nothing configured"
"""Why a check is skipped for which there is no tool."""

COUNTS = (EXECUTED, UP_TO_DATE, RESTORED, FAILED, BLOCKED, SKIPPED, WAITING, OVER_BUDGET)
NOT_DONE = frozenset({FAILED, BLOCKED, WAITING, OVER_BUDGET})
"""What leaves a step undone that should be done."""
QUOTING = frozenset({EXECUTED, RESTORED, FAILED, WAITING})
"""Ends that are told with text from outside; of all others wsbuild itself says all there is."""

MARKS = {
    EXECUTED: "ok",
    FAILED: "FAILED",
    BLOCKED: "blocked",
    SKIPPED: "skipped",
    UP_TO_DATE: "--",
    WAITING: "waiting",
    OVER_BUDGET: "budget",
    RESTORED: "restored",
}
LONGEST_REASON = 100


class StepReport(NamedTuple):
    """What became of one step: `status` is one of COUNTS, `duration_s` is in seconds, `attempt`
    counts the step's attempts ever (0: none now), `details` are further lines for a person.
    """

    task: str
    status: str
    reason: str = ""
    duration_s: float = 0.0
    attempt: int = 0
    details: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The step in one line, and what there is to say of a failure below it."""
        took = f"{self.duration_s:.2f} s" if self.attempt else ""
        reason = self.reason if len(self.reason) <= LONGEST_REASON else self.reason[:99] + "…"
        first = f"{MARKS[self.status]:<8} {self.task:<32} {took:>8}  {reason}".rstrip()
        return [first, *("         " + line for line in self.details)]


def moved_lines(aside: Sequence[str]) -> tuple[str, ...]:
    """What a person is told of files that were in the way of outputs: where the first few are now."""
    told = [f"moved aside, as it is not what the step left: {path}" for path in aside[:3]]
    return (*told, f"... and {len(aside) - 3} more beside it") if len(aside) > 3 else tuple(told)


class Undone(NamedTuple):
    """What became of an action that undoes a workstream: `what` as `rollback` calls it, and the last words
    on a failure.
    """

    workstream: str
    what: str
    action: str
    message: str

    def lines(self) -> list[str]:
        """The same for a person."""
        return [f"{self.what:<8} {self.action}", *([f"         {self.message}"] if self.message else [])]


class Tally:
    """The reports of a run, in the order of their ends, text from outside as `shown` gives it. Threads
    may add to it.
    """

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        self._shown = shown
        self._reports: dict[str, StepReport] = {}
        self._lock = Lock()
        self.cache_hits = self.cache_misses = 0
        self.usage = Usage()
        self.undone: list[Undone] = []

    def has_used(self, usage: Usage) -> None:
        """Note what an attempt has used."""
        with self._lock:
            self.usage = self.usage.plus(usage)

    def asked_cache(self, *, hit: bool) -> None:
        """Note whether the cache had a result for a step."""
        with self._lock:
            self.cache_hits += hit
            self.cache_misses += not hit

    def cache_counts(self) -> dict[str, int]:
        """How often the cache had a result for a step that was not up to date, and how often not."""
        return {"cache_hits": self.cache_hits, "cache_misses": self.cache_misses}

    def add(self, report: StepReport) -> StepReport:
        """Note what became of a step; gives what is told of it: the first word on it counts."""
        if report.status in QUOTING:
            details = tuple(map(self._shown, report.details))
            report = report._replace(reason=self._shown(report.reason), details=details)
        with self._lock:
            return self._reports.setdefault(report.task, report)

    def get(self, task: str) -> StepReport | None:
        """What became of a step, if it is known yet."""
        return self._reports.get(task)

    def failed(self, task: str) -> bool:
        """Whether a step, or one of a workstream's, failed or was blocked."""
        return any(
            report.status in NOT_DONE
            for report in self._reports.values()
            if report.task == task or report.task.startswith(task + ":")
        )

    @property
    def reports(self) -> list[StepReport]:
        """All reports so far."""
        return list(self._reports.values())

    def counts(self) -> dict[str, int]:
        """How many steps ended in each way."""
        counts = dict.fromkeys(COUNTS, 0)
        for report in self._reports.values():
            counts[report.status] += 1
        return counts

    def summary_lines(self, run_id: str | None) -> list[str]:
        """The run in one line."""
        counts = self.counts()
        if run_id is None and not any(counts[name] for name in (EXECUTED, FAILED, BLOCKED)):
            return [f"nothing to do: {_steps(counts[UP_TO_DATE])} up to date"]
        told = [f"{counts[name]} {name.replace('_', ' ')}" for name in COUNTS if counts[name]]
        used = f"; used {self.usage}" if self.usage != Usage() else ""
        return [f"{f'{run_id}: ' if run_id else ''}{', '.join(told) or 'nothing was run'}{used}"]


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
