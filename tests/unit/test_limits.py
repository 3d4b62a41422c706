"""The limits of the fix loop: from which file, and what each of them changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from wsbuild import limits
from wsbuild.breaker import Event, Failed, Fixed, Limits, State, advance, verdict
from wsbuild.plan.cached import load_plan
from wsbuild.problems import ProblemsError
from wsbuild.shipped import data_path

SHIPPED = yaml.safe_load(Path(data_path("config", "circuit_breakers.yaml")).read_text())
KEYS = sorted(
    json.loads(Path(data_path("schema", "circuit_breakers.schema.json")).read_text())["properties"][
        "defaults"
    ]["properties"]
)
GOOD_FOR_ALL = {
    "max_attempts_per_step": 50,
    "max_fix_attempts_per_step": 50,
    "max_attempts_per_error_signature": 50,
    "oscillation_window": 0,
    "no_progress_limit": 50,
}


def settings(root: Path, data: Any = None) -> limits.Settings:
    """The settings of a project whose own file holds `data`, or that has none."""
    if data is not None:
        path = root / limits.FILE
        path.parent.mkdir(exist_ok=True)
        path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    found, problems = limits.load(str(root))
    assert problems == []
    return found


def loop(given: Limits, files: str = "", errors: str = "", *, mended: bool = True) -> list[str]:
    """What a fix loop does until it is stopped, or for 20 times.

    Each failure has the next of `errors` and finds the next of `files` (letters, from the start again
    after the last), or such as never were. A fix is `mended` or changes nothing.
    """

    def names(letters: str, kind: str) -> Iterator[str]:
        return (letters[at % len(letters)] if letters else f"{kind} {at}" for at in count())

    digests, signatures = names(files, "files"), names(errors, "error")
    state, done = State(), []
    for at in range(20):
        next_is = verdict(state, given, float(at))
        done.append(next_is.kind)
        if next_is.kind not in {"try", "fix"}:
            return [*done, str(next_is.resume_at)]
        event: Event = Failed(next(signatures), next(digests)) if next_is.kind == "try" else Fixed(mended)
        state = advance(state, event, given, float(at))
    return done


@pytest.mark.parametrize(
    ("key", "value", "world"),
    [
        ("max_attempts_per_step", 2, {}),
        ("max_fix_attempts_per_step", 2, {}),
        ("max_attempts_per_error_signature", 3, {"errors": "xy"}),
        ("oscillation_window", 5, {"files": "AB"}),
        ("oscillation_threshold", 3, {"files": "AB"}),
        ("no_progress_limit", 2, {"mended": False}),
        ("cool_down_sec", 7.5, {}),
        ("enable_fix_for_steps", ["runtime"], {}),
    ],
)
@pytest.mark.parametrize("phase", limits.PHASES)
def test_every_key_changes_what_is_done(
    tmp_path: Path, key: str, value: Any, world: dict[str, Any], phase: str
) -> None:
    """In the defaults of the project's own file, and for one step; enabling names steps itself."""
    base: dict[str, Any] = dict(GOOD_FOR_ALL)
    if key == "oscillation_threshold":
        base["oscillation_window"] = 9
    if key == "cool_down_sec":
        base["max_attempts_per_step"] = 3
    before = loop(limits.for_step(settings(tmp_path, {"defaults": base}), phase, {}), **world)
    other = {"defaults": {**base, key: value}}
    after = loop(limits.for_step(settings(tmp_path, other), phase, {}), **world)
    assert (after != before) == (key != "enable_fix_for_steps" or phase not in value)
    if key != "enable_fix_for_steps":
        other = {"defaults": base, "per_step": {phase: {key: value}}}
        assert loop(limits.for_step(settings(tmp_path, other), phase, {}), **world) == after
        other = {"defaults": base, "per_step": {({*limits.PHASES} - {phase}).pop(): {key: value}}}
        assert loop(limits.for_step(settings(tmp_path, other), phase, {}), **world) == before


def test_the_test_above_has_every_key() -> None:
    """A key that is added needs a world in which it can be seen."""
    tested = {mark.args[1][at][0] for mark in _marks() for at in range(len(mark.args[1]))}
    assert sorted(tested) == KEYS == sorted(SHIPPED["defaults"])


def _marks() -> list[Any]:
    marks = test_every_key_changes_what_is_done.pytestmark  # type: ignore[attr-defined]
    return [mark for mark in marks if mark.args[0] != "phase"]


def test_as_shipped(tmp_path: Path) -> None:
    """Three tries and two fixes for static checks, one less for runtime; A, A and A, B, A are stopped."""
    static, runtime = (limits.for_step(settings(tmp_path), phase, {}) for phase in limits.PHASES)
    assert loop(static) == ["try", "fix", "try", "fix", "try", "wait", "304.0"]
    assert loop(runtime) == ["try", "fix", "try", "wait", "302.0"]
    assert loop(static, files="A") == ["try", "fix", "try", "wait", "302.0"]
    assert loop(static, mended=False) == ["try", "fix", "wait", "301.0"]
    state = State()
    for event in (Failed("x", "A"), Fixed(True), Failed("y", "B"), Fixed(True), Failed("z", "A")):
        state = advance(state, event, static, 0.0)
    assert verdict(state, static, 0.0).reason.startswith("the files go back and forth")


def test_the_older_file_loads_unchanged(tmp_path: Path, real_bundles: Path) -> None:
    """And each of its values counts."""
    given = real_bundles / "predecessor-files" / "config" / "circuit_breakers.yaml"
    (tmp_path / "config").mkdir()
    shutil.copy(given, tmp_path / limits.FILE)
    said = yaml.safe_load(given.read_text())
    for phase in limits.PHASES:
        found = limits.for_step(settings(tmp_path), phase, {})
        wanted = {**said["defaults"], **said["per_step"][phase]}
        assert found.fix == (phase in wanted.pop("enable_fix_for_steps"))
        assert {key: getattr(found, key) for key in wanted} == wanted
        assert all(found.origins[key].endswith(f" of {limits.FILE}") for key in wanted)
        assert "shipped" not in "".join(found.origins[key] for key in wanted)


@pytest.mark.parametrize(
    ("own", "bundle", "value", "origin"),
    [
        (None, {}, 2, "per_step.runtime of shipped config/circuit_breakers.yaml"),
        ({"defaults": {"max_attempts_per_step": 5}}, {}, 5, "defaults of config/circuit_breakers.yaml"),
        (
            {
                "defaults": {"max_attempts_per_step": 5},
                "per_step": {"runtime": {"max_attempts_per_step": 6}, "static": {"max_attempts_per_step": 7}},
            },
            {},
            6,
            "per_step.runtime of config/circuit_breakers.yaml",
        ),
        (
            {"per_step": {"runtime": {"max_attempts_per_step": 6}}},
            {"max_attempts": 9},
            9,
            "circuit_breaker.max_attempts of the bundle",
        ),
        (
            {"defaults": {"no_progress_limit": 1}},
            {},
            2,
            "per_step.runtime of shipped config/circuit_breakers.yaml",
        ),
    ],
)
def test_who_goes_before_whom(
    tmp_path: Path, own: Any, bundle: dict[str, Any], value: int, origin: str
) -> None:
    """Bundle, own file, shipped file; in a file the step before the defaults; key by key."""
    found = limits.for_step(settings(tmp_path, own), "runtime", bundle)
    assert (found.max_attempts_per_step, found.origins["max_attempts_per_step"]) == (value, origin)
    assert found.oscillation_window == SHIPPED["defaults"]["oscillation_window"]


@pytest.mark.parametrize(
    ("bundle", "key", "value"),
    [
        ({"max_attempts": 1}, "max_attempts_per_step", 1),
        ({"max_attempts": 4.0}, "max_attempts_per_step", 4),
        ({"max_error_repeats": 0}, "max_attempts_per_error_signature", 1),
        ({"max_error_repeats": 3}, "max_attempts_per_error_signature", 4),
        ({"oscillation_threshold": 0}, "oscillation_threshold", 2),
        ({"oscillation_threshold": 3}, "oscillation_threshold", 3),
        (
            {"more": 1, "step": 2, "fix": 3, "origins": 4, "max_attempts_per_step": 9},
            "max_attempts_per_step",
            3,
        ),
    ],
)
def test_a_bundle_says_it_in_other_words(
    tmp_path: Path, bundle: dict[str, Any], key: str, value: int
) -> None:
    """What comes back n times has come n + 1 times; fields that are passed on have no effect here."""
    found = limits.for_step(settings(tmp_path), "static", bundle)
    assert getattr(found, key) == value
    assert type(getattr(found, key)) is int
    changed = {each for each in KEYS if found.origins[each].startswith("circuit_breaker.")}
    assert changed == ({key} if "more" not in bundle else set())
    assert (found.step, found.fix) == ("static", True)


def test_whole_numbers_may_be_written_with_a_point(tmp_path: Path) -> None:
    """As JSON Schema has it; a part of a second is one."""
    data = {"defaults": {"oscillation_window": 3.0, "cool_down_sec": 2.5}}
    found = limits.for_step(settings(tmp_path, data), "static", {})
    assert (found.oscillation_window, found.cool_down_sec) == (3, 2.5)
    assert loop(found, files="AB")[-2:] == ["wait", "6.5"]


def test_comments_are_no_limits(tmp_path: Path) -> None:
    """Keys that begin with `_comment` are the user's, at each level."""
    note = {"_comment": "x"}
    data = {**note, "defaults": {**note, "cool_down_sec": 2}, "per_step": {**note, "static": {**note}}}
    found = limits.for_step(settings(tmp_path, data), "static", note)
    assert found.cool_down_sec == 2
    assert sorted(found.origins) == KEYS


@pytest.mark.parametrize(
    ("text", "pointer", "line", "words"),
    [
        ("a: 1\n", "/a", 1, "known: defaults, per_step"),
        ("# x\ndefault: {}\n", "/default", 2, "did you mean `defaults`?"),
        ("defaults:\n  max_attempts: 3\n", "/defaults/max_attempts", 2, "`max_attempts_per_step`?"),
        ("defaults:\n  cooldown_sec: 3\n", "/defaults/cooldown_sec", 2, "`cool_down_sec`?"),
        ("per_step:\n  statics: {}\n", "/per_step/statics", 2, "`static`?"),
        (
            "per_step:\n  static:\n    enable_fix_for_steps: []\n",
            "/per_step/static/enable_fix_for_steps",
            3,
            "no known field",
        ),
        ("defaults:\n  max_attempts_per_step: 0\n", "/defaults/max_attempts_per_step", 2, "at least 1"),
        ("defaults:\n  max_attempts_per_step: '3'\n", "/defaults/max_attempts_per_step", 2, "'3'"),
        ("defaults:\n  max_attempts_per_step: 2.5\n", "/defaults/max_attempts_per_step", 2, "2.5"),
        ("defaults:\n  max_attempts_per_step: true\n", "/defaults/max_attempts_per_step", 2, "true"),
        ("defaults:\n\n  max_fix_attempts_per_step: -1\n", "/defaults/max_fix_attempts_per_step", 3, "-1"),
        (
            "defaults: {max_attempts_per_error_signature: 0}\n",
            "/defaults/max_attempts_per_error_signature",
            1,
            "1",
        ),
        ("defaults:\n  oscillation_window: -4\n", "/defaults/oscillation_window", 2, "-4"),
        ("defaults:\n  oscillation_threshold: 1\n", "/defaults/oscillation_threshold", 2, "at least 2"),
        ("defaults:\n  no_progress_limit: -1\n", "/defaults/no_progress_limit", 2, "-1"),
        ("defaults:\n  cool_down_sec: -0.1\n", "/defaults/cool_down_sec", 2, "-0.1"),
        ("defaults:\n  cool_down_sec: .inf\n", "/defaults/cool_down_sec", 2, "finite"),
        ("defaults:\n  enable_fix_for_steps: static\n", "/defaults/enable_fix_for_steps", 2, "array"),
        (
            "defaults:\n  enable_fix_for_steps: [static,\n    edit]\n",
            "/defaults/enable_fix_for_steps/1",
            3,
            "static or runtime",
        ),
        (
            "per_step:\n  static:\n    oscillation_window: x\n",
            "/per_step/static/oscillation_window",
            3,
            "'x'",
        ),
        ("per_step:\n  static:\n", "/per_step/static", 2, "must be an object"),
        ("- 1\n", "", 1, "must be an object"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_not_used(
    tmp_path: Path, text: str, pointer: str, line: int, words: str
) -> None:
    """One problem, in words; the shipped limits stay in force."""
    (tmp_path / "config").mkdir()
    (tmp_path / limits.FILE).write_text(text)
    found, problems = limits.load(str(tmp_path))
    assert [(p.file, p.pointer, p.line) for p in problems] == [(limits.FILE, pointer, line)]
    assert words in problems[0].message + problems[0].hint
    assert limits.for_step(found, "static", {}).max_attempts_per_step == 3


def test_a_link_to_nowhere_is_a_problem(tmp_path: Path) -> None:
    """A file that is meant to be there is not silently left out."""
    (tmp_path / "config").mkdir()
    (tmp_path / limits.FILE).symlink_to("nowhere")
    assert [problem.file for problem in limits.load(str(tmp_path))[1]] == [limits.FILE]


def bundle(root: Path, **fields: Any) -> None:
    """A workstream of the default pipeline with something to check, and one with steps of its own."""
    config, workstreams = root / "config", root / "workstreams"
    workstreams.mkdir()
    config.mkdir()
    (config / "wsbuild.yaml").write_text("pipeline: {static: [ruff]}\n")
    common = {"openspec_change": "X", "ccpm_issue": 1, "gate": 1, "tasks": [], "tool": "aider"}
    data = [
        {"id": "ws-a", "files_scope": ["a"], **common, **fields},
        {
            "id": "ws-b",
            "files_scope": ["b"],
            "steps": [{"name": "s", "run": ["true"]}, {"name": "t", "tool": "pytest"}],
        },
    ]
    (workstreams / "x.json").write_text(json.dumps(data))


def test_the_plan_has_the_limits_of_steps_with_something_to_do(tmp_path: Path) -> None:
    """Through the compiled plan and back; a check for which nothing is configured needs none."""
    bundle(tmp_path, circuit_breaker={"max_attempts": 7})
    (tmp_path / limits.FILE).write_text("defaults:\n  cool_down_sec: 1.5\n")
    for _ in range(2):
        plan = load_plan(str(tmp_path), {}, keep=True)
        assert {ws_id: sorted(plan[ws_id].limits) for ws_id in plan.ids} == {
            "ws-a": ["static"],
            "ws-b": ["runtime"],
        }
        found = Limits(**plan["ws-a"].limits["static"])
        assert found == limits.for_step(settings(tmp_path), "static", {"max_attempts": 7})
        assert (found.max_attempts_per_step, found.cool_down_sec) == (7, 1.5)


def test_the_plan_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    """Together with the problems of other files."""
    bundle(tmp_path, depends_on=["ws-nowhere"])
    (tmp_path / limits.FILE).write_text("defaults:\n  cool_down: 1\n")
    with pytest.raises(ProblemsError, match=r"(?s)circuit_breakers.yaml:2 .*cool_down_sec.*ws-nowhere"):
        load_plan(str(tmp_path), {}, keep=True)
