"""The breaker of the fix loop against its rules, written down a second time over whole stories."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbuild.breaker import Event, Failed, Fixed, Limits, Passed, State, advance, from_json, to_json, verdict

COOL_DOWN = 100.0
FIXES = "enable_fix_for_steps"
KEYS = [key for key in Limits._fields if key.startswith(("max_", "osc", "no_", "cool"))]
ORIGINS = {key: f"origin of {key}" for key in [*KEYS, FIXES]}
BASE = Limits("static", True, 3, 2, 3, 4, 2, 0, COOL_DOWN, ORIGINS)
LOOSE = BASE._replace(
    max_attempts_per_step=99,
    max_fix_attempts_per_step=99,
    max_attempts_per_error_signature=99,
    oscillation_window=0,
    no_progress_limit=99,
)
YEAR = 365.25 * 86400

Story = list[tuple[Event | None, float]]
"""Events with their times; None is time that passes without an event."""


def new(error: str = "", files: str = "", *, at: list[int] = [0]) -> Failed:  # noqa: B006
    """A failure with an error or files that never were before."""
    at[0] += 1
    return Failed(error or f"error {at[0]}", files or f"files {at[0]}")


PASS, MENDED, USELESS, REST = "pass", "mended", "useless", "rest"
LETTERS: dict[str, Any] = {
    "new": new,
    "x": lambda: new("x"),
    "y": lambda: new("y"),
    "A": lambda: new("", "A"),
    "B": lambda: new("", "B"),
    "C": lambda: new("", "C"),
    "xA": lambda: Failed("x", "A"),
    "xB": lambda: Failed("x", "B"),
    "xC": lambda: Failed("x", "C"),
    "yA": lambda: Failed("y", "A"),
    MENDED: lambda: Fixed(True),
    USELESS: lambda: Fixed(False),
    REST: lambda: None,
}


def failing(events: list[Event | None]) -> bool:
    """Whether the step is known to fail as it is: nothing was changed since it did."""
    last = max((at for at, event in enumerate(events) if isinstance(event, Failed)), default=None)
    return last is not None and Fixed(True) not in events[last:]


def looks(events: list[Event | None]) -> list[str]:
    """The states the files were known to be in."""
    known, seen = "", []
    for event in events:
        if isinstance(event, Failed):
            known = event.digest
        if isinstance(event, Fixed) and event.changed:
            known = ""
        if known and event is not None:
            seen.append(known)
    return seen


def reached(story: Story, limits: Limits) -> str:
    """The key of the limit that this story, without a pass in it, has come to."""
    events = [event for event, _ in story]
    seen = looks(events)
    failures = [event for event in events if isinstance(event, Failed)]
    if not failing(events):
        return ""
    stay = limits.no_progress_limit + 2
    if any(len(set(seen[at : at + stay])) == 1 for at in range(len(seen) - stay + 1)):
        return "no_progress_limit"
    for places in combinations(range(len(seen)), limits.oscillation_threshold):
        near = places[-1] - places[0] < limits.oscillation_window
        same = len({seen[at] for at in places}) == 1
        if near and same and all(len(set(seen[one:other])) > 1 for one, other in pairwise(places)):
            return "oscillation_threshold"
    if any(
        sum(each.signature == one.signature for each in failures) >= limits.max_attempts_per_error_signature
        for one in failures
    ):
        return "max_attempts_per_error_signature"
    if len(failures) >= limits.max_attempts_per_step:
        return "max_attempts_per_step"
    if not limits.fix:
        return "enable_fix_for_steps"
    fixes = sum(isinstance(event, Fixed) for event in events)
    return "max_fix_attempts_per_step" if fixes >= limits.max_fix_attempts_per_step else ""


def expected(story: Story, opened: int, limits: Limits, now: float) -> tuple[str, str, float | None]:
    """Kind, key of the limit, and time to go on; `opened` is how long the story was when it came to one."""
    if not opened:
        return "fix" if failing([event for event, _ in story]) else "try", "", None
    key = reached(story[:opened], limits)
    if not limits.cool_down_sec:
        return "stop", key, None
    again = [time for event, time in story[opened:] if isinstance(event, Failed)]
    resume_at = max([story[opened - 1][1], *again]) + limits.cool_down_sec
    return ("try", key, None) if now >= resume_at else ("wait", key, resume_at)


class Walk:
    """All stories of some letters up to a length, each judged by the breaker and by the rules."""

    def __init__(self, limits: Limits, letters: str) -> None:
        self.limits = limits
        self.letters = letters.split()
        self.met: Counter[tuple[str, str]] = Counter()

    def go(self, length: int, story: Story, opened: int, state: State) -> None:
        """The stories that begin with `story`."""
        now = story[-1][1] if story else 0.0
        if not opened and story and reached(story, self.limits):
            opened = len(story)
        kind, key, resume_at = expected(story, opened, self.limits, now)
        given = verdict(state, self.limits, now)
        assert (given.kind, given.resume_at) == (kind, resume_at), story
        assert bool(given.reason) == bool(key), story
        if key:
            assert f"({ORIGINS[key]})" in given.reason, story
            assert "\n" not in given.reason
        self.met[kind, key] += 1
        # After a pass comes what comes after nothing: the shorter stories, which are walked too.
        assert advance(state, Passed(), self.limits, now + 1) == State()
        for letter in self.letters if length else ():
            event = LETTERS[letter]()
            then = now + 1 if event is not None else now + COOL_DOWN - 1
            after = state if event is None else advance(state, event, self.limits, then)
            self.go(length - 1, [*story, (event, then)], opened, after)


WALKS = [
    ("attempts", LOOSE._replace(max_attempts_per_step=4), f"new {MENDED} {USELESS} {REST}"),
    ("fixes", LOOSE._replace(max_fix_attempts_per_step=2), f"new {MENDED} {USELESS} {REST}"),
    ("no fixes", LOOSE._replace(max_fix_attempts_per_step=0), f"new {MENDED} {REST}"),
    ("errors", LOOSE._replace(max_attempts_per_error_signature=3), f"x y {MENDED} {REST}"),
    ("no progress", LOOSE._replace(no_progress_limit=0), f"A B {MENDED} {USELESS}"),
    ("some progress", LOOSE._replace(no_progress_limit=2), f"A B {MENDED} {USELESS}"),
    ("oscillation", LOOSE._replace(oscillation_window=4), f"A B C {USELESS}"),
    ("wide", LOOSE._replace(oscillation_window=6, oscillation_threshold=3), f"A B {MENDED} {USELESS}"),
    ("narrow", LOOSE._replace(oscillation_window=3), f"A B C {REST}"),
    ("for good", LOOSE._replace(max_attempts_per_step=2, cool_down_sec=0), f"new {MENDED} {USELESS} {REST}"),
    ("not fixed", BASE._replace(fix=False), f"xA {MENDED} {USELESS} {REST}"),
]


@pytest.mark.parametrize(("limits", "letters"), [w[1:] for w in WALKS], ids=[w[0] for w in WALKS])
def test_every_story_of_up_to_eight_events(limits: Limits, letters: str) -> None:
    """One limit at a time: closed, open, half-open and closed again exactly as the rules say."""
    walk = Walk(limits, letters)
    walk.go(8, [], 0, State())
    assert len({key for _, key in walk.met} - {""}) >= 1
    shut = "stop" if not limits.cool_down_sec else "wait"
    assert sum(count for (kind, _), count in walk.met.items() if kind == shut) > 100


def test_every_story_as_shipped(full: bool) -> None:
    """All limits at once: which one is told, and that each of them is met."""
    walk = Walk(BASE, f"xA xB xC yA {MENDED} {USELESS} {REST}")
    walk.go(7 if full else 5, [], 0, State())
    met = {key for kind, key in walk.met if kind == "wait"}
    assert met >= set(KEYS) - {"cool_down_sec", "oscillation_window"}
    assert any(kind == "try" and key for kind, key in walk.met)


def told(limits: Limits, *events: Event, now: float = 0.0) -> Any:
    """The verdict after events that all happened at the time 0."""
    state = State()
    for event in events:
        state = advance(state, event, limits, 0.0)
    return verdict(state, limits, now)


@pytest.mark.parametrize(
    ("limits", "events", "why", "keys"),
    [
        (BASE, [Failed("x", "A"), Fixed(False)], "the files stay as they are", ["no_progress_limit = 0"]),
        (
            BASE,
            [Failed("x", "A"), Fixed(True), Failed("y", "B"), Fixed(True), Failed("z", "A")],
            "the files go back and forth",
            ["oscillation_threshold = 2", "oscillation_window = 4"],
        ),
        (
            BASE._replace(max_attempts_per_error_signature=1),
            [Failed("x", "A")],
            "the same error came back",
            ["max_attempts_per_error_signature = 1"],
        ),
        (
            BASE._replace(max_attempts_per_step=1),
            [Failed("x", "A")],
            "attempts are used up",
            ["max_attempts_per_step = 1"],
        ),
        (
            BASE._replace(max_fix_attempts_per_step=0),
            [Failed("x", "A")],
            "fixes are used up",
            ["max_fix_attempts_per_step = 0"],
        ),
        (
            BASE._replace(fix=False),
            [Failed("x", "A")],
            f"`static` is not to be fixed: enable_fix_for_steps does not name it ({ORIGINS[FIXES]})",
            [],
        ),
    ],
)
def test_a_reason_names_the_limit_its_value_and_its_origin(
    limits: Limits, events: list[Event], why: str, keys: list[str]
) -> None:
    """On one line, with the cool-down where there is one."""
    quoted = [f"{key} (origin of {key.split()[0]})" for key in keys]
    reason = ": ".join([why, " within ".join(quoted)]) if keys else why
    assert told(limits._replace(cool_down_sec=0), *events) == ("stop", reason, None)
    cooling = f"{reason}; cooling down: cool_down_sec = 100.0 (origin of cool_down_sec)"
    assert told(limits, *events) == ("wait", cooling, COOL_DOWN)
    assert told(limits, *events, now=COOL_DOWN) == ("try", f"one try after the cool-down; {reason}", None)


def test_a_limit_that_is_raised_or_lowered_counts_at_once() -> None:
    """What happened is judged by the limits of the moment, not by those of then."""
    state = advance(State(), Failed("x", "A"), BASE, 0.0)
    assert verdict(state, BASE, 0.0).kind == "fix"
    assert verdict(state, BASE._replace(max_attempts_per_step=1), 0.0).kind == "wait"
    state = advance(State(), Failed("x", "A"), BASE._replace(max_attempts_per_step=1), 0.0)
    assert verdict(state, BASE, 0.0).kind == "fix"


def test_a_story_does_not_grow_while_the_breaker_is_open() -> None:
    """However often the one try fails, what is stored stays small."""
    state = State()
    for at in range(100):
        state = advance(state, new(), BASE, at * COOL_DOWN)
        state = advance(state, Fixed(True), BASE, at * COOL_DOWN)
    assert len(state.signatures) <= 3
    assert len(state.digests) <= 3
    assert state.fixes <= 3


def open_state(now: float) -> State:
    """A breaker that opened at `now`."""
    state = advance(State(), Failed("x", "A"), BASE._replace(max_attempts_per_step=1), now)
    assert verdict(state, ONE, now) == ("wait", verdict(state, ONE, now).reason, now + COOL_DOWN)
    return state


ONE = BASE._replace(max_attempts_per_step=1)


def stored(state: State, now: float, wall: float) -> Any:
    """The state as it comes back from where it is kept."""
    return json.loads(json.dumps(to_json(state, now, wall)))


def remaining(state: State, now: float) -> float:
    """The seconds until a try is allowed."""
    given = verdict(state, ONE, now)
    return given.resume_at - now if given.resume_at is not None else 0.0


WALL = 1_800_000_000.0


@pytest.mark.parametrize(
    ("jump", "left"),
    [
        (0.0, COOL_DOWN),
        (30.0, 70.0),
        (99.0, 1.0),
        (100.0, 0.0),
        (-3600.0, COOL_DOWN),
        (-WALL, COOL_DOWN),
        (10 * YEAR, 0.0),
    ],
    ids=["at-once", "30s", "99s", "over", "an-hour-back", "1970", "ten-years"],
)
def test_after_a_restart_the_wall_clock_counts_but_never_too_much(jump: float, left: float) -> None:
    """The other clock has begun anew; what remains is never more than the whole cool-down."""
    data = stored(open_state(5000.0), 5000.0, WALL)
    state = from_json(data, 3.0, WALL + jump)
    assert remaining(state, 3.0) == left
    assert remaining(state, 3.0 + left) == 0.0


def test_a_clock_that_stays_wrong_does_not_hold_a_step_back_for_good() -> None:
    """With the clock back in 1970, short processes that store what they load get there as well."""
    data = stored(open_state(5000.0), 5000.0, WALL)
    lefts = []
    for at in range(6):
        wall = 20.0 * at
        state = from_json(data, 7.0, wall)
        lefts.append(remaining(state, 7.0))
        data = stored(state, 7.0, wall)
    assert lefts == [100.0, 80.0, 60.0, 40.0, 20.0, 0.0]


def test_a_try_at_a_time_far_ahead_is_cooled_down_from_when_the_clock_is_right_again() -> None:
    """Ten years ahead the try fails; back in the present the wait is one cool-down."""
    state = from_json(stored(open_state(0.0), 0.0, WALL), 0.0, WALL + 10 * YEAR)
    assert verdict(state, ONE, 0.0).kind == "try"
    state = advance(state, new(), ONE, 1.0)
    data = stored(state, 1.0, WALL + 10 * YEAR)
    assert remaining(from_json(data, 0.0, WALL + 5), 0.0) == COOL_DOWN


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e10, 1e10)), min_size=1))
def test_whatever_the_clocks_say_the_wait_is_bounded(times: list[tuple[float, float]]) -> None:
    """Over any number of restarts, each with any two clocks."""
    state, now, wall = open_state(0.0), 0.0, WALL
    for then, jumped in times:
        state = from_json(stored(state, now, wall), then, jumped)
        now, wall = then, jumped
        assert 0.0 <= remaining(state, now) <= COOL_DOWN + 1e-3


def test_a_clock_that_goes_back_within_a_process_is_bounded_too() -> None:
    """It must not, but a caller might hand in the wall clock."""
    assert remaining(open_state(WALL), 0.0) == COOL_DOWN
    assert remaining(open_state(WALL), WALL - 1.0) == COOL_DOWN


@pytest.mark.parametrize("letters", ["", "new", "A useless", "A mended B", "xA mended"])
def test_a_state_comes_back_as_it_was(letters: str) -> None:
    """Through JSON, with the same clocks; the fresh one too."""
    state = State()
    for at, letter in enumerate(letters.split()):
        state = advance(state, LETTERS[letter](), BASE, float(at))
    assert from_json(stored(state, 50.0, WALL), 50.0, WALL) == state
    assert verdict(from_json(stored(state, 50.0, WALL), 50.0, WALL), BASE, 50.0) == verdict(state, BASE, 50.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("signatures", value) for value in (None, "x", [1], {}, ["x", None])),
        *(("digests", value) for value in (None, "x", [[]])),
        *(("fixes", value) for value in (None, -1, 1.5, True, "1")),
        *(("failing", value) for value in (None, 1, "yes")),
        *(("since", value) for value in ("now", True, float("nan"), float("inf"), 10**400, [])),
    ],
)
def test_what_is_no_state_is_refused(name: str, value: Any) -> None:
    """One wrong field, or one that is missing: ValueError, with its name."""
    data = to_json(advance(State(), new(), BASE, 0.0), 0.0, WALL)
    with pytest.raises(ValueError, match=name):
        from_json({**data, name: value}, 0.0, WALL)
    del data[name]
    with pytest.raises(ValueError, match=name):
        from_json(data, 0.0, WALL)


@pytest.mark.parametrize("data", [None, [], "x", 1, {}])
def test_what_is_no_object_is_refused(data: Any) -> None:
    """JSON of another shape."""
    with pytest.raises(ValueError, match="no state of a breaker"):
        from_json(data, 0.0, WALL)
