"""When to stop fixing a failed step and running it again: a circuit breaker. Data and arithmetic only.

The caller runs the step and the fixer, tells what came of it (`advance`) and asks what is next
(`verdict`). The breaker is closed until a limit is reached, then open until its cool-down is over,
then half-open: one try, which closes it or opens it anew. It holds no flag for that: what has
happened is kept and judged by the limits of the moment, so that raising a limit has its effect.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Limits(NamedTuple):
    """What one step of one workstream is allowed; `config/circuit_breakers.yaml` says what each means.

    `step` is the phase they are for, `fix` whether it is fixed at all. `origins` says of each key
    where its value was written, in the words that a reason quotes.
    """

    step: str
    fix: bool
    max_attempts_per_step: int
    max_fix_attempts_per_step: int
    max_attempts_per_error_signature: int
    oscillation_window: int
    oscillation_threshold: int
    no_progress_limit: int
    cool_down_sec: float
    origins: dict[str, str]

    def quote(self, key: str) -> str:
        """The limit `key` as a reason names it: its value and where that comes from."""
        return f"{key} = {getattr(self, key)} ({self.origins[key]})"


class Passed(NamedTuple):
    """The step was run and passed."""


class Failed(NamedTuple):
    """The step was run and failed.

    `signature` is the same for the same error (`wsbuild.tools.signature`); `digest` is that of the
    workstream's files as the step found them, with what the fix before it has changed.
    """

    signature: str
    digest: str


class Fixed(NamedTuple):
    """A fix was made, by whatever was tried between two runs of the step; `changed` tells whether
    any file is different now.
    """

    changed: bool


Event: TypeAlias = Passed | Failed | Fixed


class State(NamedTuple):
    """What has happened since the step last passed; `State()` is that nothing has.

    `signatures` has one entry for each failed attempt, `digests` one for each look at the files: a
    failed attempt, or a fix that left them as they were. `failing` says that nothing has changed
    since the last failure. `since` is the time of the last event, None before the first.
    """

    signatures: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    fixes: int = 0
    failing: bool = False
    since: float | None = None


class Verdict(NamedTuple):
    """What to do next.

    `try` means to run the step, `fix` to fix it, `wait` to leave it alone until `resume_at` (in the
    clock of `now`), `stop` to leave it alone for good. `reason` is one line, empty where nothing is
    to be explained.
    """

    kind: Literal["try", "fix", "stop", "wait"]
    reason: str = ""
    resume_at: float | None = None


def _longest_stay(digests: tuple[str, ...]) -> int:
    """How often, at most, one digest has followed itself without another in between."""
    return max((sum(1 for _ in same) - 1 for _, same in groupby(digests)), default=0)


def _most_visits(digests: tuple[str, ...], window: int) -> int:
    """How often, at most, one digest was come to among any `window` of them; staying is one visit."""
    most = 0
    for end in range(1, len(digests) + 1):
        visits = [digest for digest, _ in groupby(digests[max(0, end - window) : end])]
        most = max(most, max(map(visits.count, visits), default=0))
    return most


def _circles(state: State, limits: Limits) -> str:
    """Why it is no use to go on, from what the errors and the files look like."""
    if _longest_stay(state.digests) > limits.no_progress_limit:
        return f"the files stay as they are: {limits.quote('no_progress_limit')}"
    if _most_visits(state.digests, limits.oscillation_window) >= limits.oscillation_threshold:
        window = limits.quote("oscillation_window")
        return f"the files go back and forth: {limits.quote('oscillation_threshold')} within {window}"
    repeats = max(map(state.signatures.count, state.signatures), default=0)
    if repeats >= limits.max_attempts_per_error_signature:
        return f"the same error came back: {limits.quote('max_attempts_per_error_signature')}"
    return ""


def _limit_reached(state: State, limits: Limits) -> str:
    """The reason for which the breaker is open, empty where it is closed."""
    if not state.failing:
        return ""
    if circles := _circles(state, limits):
        return circles
    if len(state.signatures) >= limits.max_attempts_per_step:
        return f"attempts are used up: {limits.quote('max_attempts_per_step')}"
    if not limits.fix:
        where = limits.origins["enable_fix_for_steps"]
        return f"`{limits.step}` is not to be fixed: enable_fix_for_steps does not name it ({where})"
    if state.fixes >= limits.max_fix_attempts_per_step:
        return f"fixes are used up: {limits.quote('max_fix_attempts_per_step')}"
    return ""


def advance(state: State, event: Event, limits: Limits, now: float) -> State:
    """The state after `event`, which happened at `now` (seconds on a clock that only goes forward).

    An open breaker takes note of nothing but a pass, which closes it, and the time of a failure,
    which is where its cool-down begins anew.
    """
    if isinstance(event, Passed):
        return State()
    if _limit_reached(state, limits):
        return state._replace(since=now) if isinstance(event, Failed) else state
    if isinstance(event, Failed):
        return state._replace(
            signatures=(*state.signatures, event.signature),
            digests=(*state.digests, event.digest),
            failing=True,
            since=now,
        )
    # After a fix that did change something the digest is not known until the step has run.
    seen_again = state.digests[-1:] if state.failing and not event.changed else ()
    return state._replace(
        digests=state.digests + seen_again,
        fixes=state.fixes + 1,
        failing=state.failing and not event.changed,
        since=now,
    )


def verdict(state: State, limits: Limits, now: float) -> Verdict:
    """What to do next, at the time `now`. Without a cool-down (0 seconds) an open breaker stays open."""
    reason = _limit_reached(state, limits)
    if not reason:
        return Verdict("fix" if state.failing else "try")
    if not limits.cool_down_sec:
        return Verdict("stop", reason)
    # A clock that was set back must not make the wait longer than a whole cool-down.
    resume_at = min(now if state.since is None else state.since, now) + limits.cool_down_sec
    if now >= resume_at:
        return Verdict("try", f"one try after the cool-down; {reason}")
    return Verdict("wait", f"{reason}; cooling down: {limits.quote('cool_down_sec')}", resume_at)


def to_json(state: State, now: float, wall: float) -> dict[str, Any]:
    """The state as JSON data. `wall` is the wall-clock time of `now`, in seconds since 1970: the
    clock of `now` need not mean anything to another process.
    """
    since = None if state.since is None else wall - (now - state.since)
    return {
        "signatures": list(state.signatures),
        "digests": list(state.digests),
        "fixes": state.fixes,
        "failing": state.failing,
        "since": since,
    }


def from_json(data: Mapping[str, Any], now: float, wall: float) -> State:
    """The state that `to_json` wrote, on the clock of `now`; `wall` as there.

    A time that is yet to come, as the wall clock has been set back, counts as now. Whoever loads a
    state stores it again before the process ends: else it would be now at each load. Raises
    ValueError where `data` is nothing that `to_json` writes.
    """
    since = _field(data, "since", lambda value: value is None or _is_time(value))
    return State(
        signatures=tuple(_field(data, "signatures", _is_texts)),
        digests=tuple(_field(data, "digests", _is_texts)),
        fixes=_field(data, "fixes", lambda value: type(value) is int and value >= 0),
        failing=_field(data, "failing", lambda value: type(value) is bool),
        since=None if since is None else now - max(0.0, wall - since),
    )


def _field(data: Mapping[str, Any], name: str, fits: Callable[[Any], bool]) -> Any:
    if not isinstance(data, dict) or name not in data or not fits(data[name]):
        raise ValueError(f"no state of a breaker: {name!r} is missing or wrong")
    return data[name]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_time(value: Any) -> bool:
    # NaN compares as false; beyond this a sum of seconds would lose its fractions.
    return type(value) in {int, float} and abs(value) < 2**40
