"""Advice on what is to be done, how it is tested, what it may cost, and in which order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild import config
from wsbuild.plan.read import edit_tool
from wsbuild.steps import COMMAND_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.model import Problem, Workstream
    from wsbuild.planning.authoring.grounds import Grounds

MOST_TASKS = 7
"""What an agent, and who reviews its work, keeps in view. Three to seven are a good size."""

PROGRAMS = frozenset(
    (
        *(
            "pytest",
            "python",
            "python3",
            "pip",
            "tox",
            "nox",
            "mypy",
            "ruff",
            "black",
            "pylint",
            "pre-commit",
        ),
        *("npm", "npx", "node", "yarn", "pnpm", "deno", "bun", "eslint", "tsc", "jest", "cargo", "rustc"),
        *("mvn", "gradle", "dotnet", "pwsh", "powershell", "bash", "sh", "git", "gh", "docker", "kubectl"),
        *("ls", "grep", "rg", "wc", "awk", "sed", "jq", "curl", "wget", "cmake", "ctest", "doit", "wsbuild"),
    )
)
"""No sentence begins with these."""

WORDS = frozenset(
    ("make", "go", "test", "find", "cat", "diff", "head", "tail", "sort", "echo", "invoke-pester", "true")
)
"""Programs whose names are words of English as well."""

PROSE = frozenset(
    (
        "the",
        "a",
        "an",
        "is",
        "are",
        "be",
        "that",
        "this",
        "every",
        "each",
        "and",
        "of",
        "sure",
        "should",
        "must",
    )
)
"""Words that sentences have and commands do not, outside of quotes."""

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SIGN = re.compile(r"(?:^|\s)(?:-\w|--\w|\.{0,2}/|\S+/|\S+\.\w+(?:\s|$)|\||>)")


def looks_like_command(text: str) -> bool:
    """Whether a line that is for a person reads like one for a shell."""
    first, _, rest = text.strip().partition(" ")
    if "\n" in text or PROSE.intersection(_QUOTED.sub("", rest).lower().split()):
        return False
    if first.startswith("./") or (first in PROGRAMS and not first.endswith(".")):
        return True
    return first.lower() in WORDS and (not rest or _SIGN.search(rest) is not None or len(rest.split()) == 1)


def _many_tasks(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    if len(ws.tasks) > MOST_TASKS:
        message = f"{len(ws.tasks)} tasks; 3 to {MOST_TASKS} are a good size"
        hint = "split it: two workstreams, the second with `depends_on` the first"
        yield grounds.advice(ws, "/tasks", "many-tasks", message, hint)


def _is_tested(ws: Workstream, grounds: Grounds) -> bool:
    """Whether a program judges what was edited, besides the acceptance tests."""
    gates = grounds.loaded.config.test_gates
    return bool(grounds.loaded.config.runtime) or any(gates.get(gate["type"]) for gate in ws.test_gates)


def _no_tests(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    if not ws.steps and not ws.acceptance_tests and not _is_tested(ws, grounds):
        message = "nothing tests what is edited: it lands whatever it is"
        hint = "write `acceptance_tests`, such as `$ pytest -q`, or name checks under `pipeline.runtime`"
        yield grounds.advice(ws, "", "no-tests", message, f"{hint} in {config.FILE}")


def _manual_only(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    tests = ws.acceptance_tests
    manual = tests and not ws.steps and all(test.manual for test in tests)
    if manual and not _is_tested(ws, grounds) and not any(looks_like_command(test.text) for test in tests):
        message = "all its tests are for people: it lands before anybody has looked"
        hint = f"write one that is run: it begins with `{COMMAND_MARK}`"
        yield grounds.advice(ws, "/acceptance_tests", "manual-only", message, hint)


def _test_looks_like_command(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    """One advice for all of a workstream: who has forgotten the mark once has forgotten it everywhere."""
    found = [
        at for at, test in enumerate(ws.acceptance_tests) if test.manual and looks_like_command(test.text)
    ]
    if found:
        text = _short(ws.acceptance_tests[found[0]].text)
        one = "a test reads like a command and is not run"
        many = f"{len(found)} tests read like commands and are not run, the first"
        message = f"{many if len(found) > 1 else one}: {text}"
        hint = f"begin what is to be run with `{COMMAND_MARK}`"
        yield grounds.advice(ws, f"/acceptance_tests/{found[0]}", "test-looks-like-command", message, hint)


def _tests_not_run(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    if ws.steps and any(not test.manual for test in ws.acceptance_tests):
        message = "acceptance tests are part of the default pipeline: beside `steps` nothing runs them"
        yield grounds.advice(ws, "/acceptance_tests", "tests-not-run", message, "make each a step, the last")


def _several_changes(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    names = [part.strip() for part in re.split(r"[,;&+]|\band\b", ws.openspec_change)]
    if len(names) > 1 and all(re.fullmatch(r"[\w./-]+", name) for name in names):
        message = f"belongs to {len(names)} changes: {', '.join(names)}"
        hint = "write a workstream for each: they are done, undone and reviewed apart"
        yield grounds.advice(ws, "/openspec_change", "several-changes", message, hint)


def _no_title(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    if not ws.tasks and not ws.metadata.get("title"):
        message = "lists have nothing to show of it but the names of its steps"
        yield grounds.advice(ws, "", "no-title", message, "write `metadata: {title: ...}`")


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return ascii(text) if len(text) <= most else ascii(text[: most - 1]) + "…"


def _spelled_twice(grounds: Grounds) -> Iterator[Problem]:
    first: dict[str, Workstream] = {}
    for ws in grounds.workstreams:
        for at, task in enumerate(ws.tasks):
            other = first.setdefault(" ".join(task.split()).casefold(), ws)
            if other is not ws:
                where = f"{other.source}, line {other.line}"
                message = f"this task is one of {other.id} too ({where}): {_short(task)}"
                hint = "leave it to one of them, or say what each does of it"
                yield grounds.advice(ws, f"/tasks/{at}", "spelled-twice", message, hint)


def _unordered_overlap(grounds: Grounds) -> Iterator[Problem]:
    """One advice for two workstreams, however much both claim."""
    claimed: dict[tuple[str, str], list[str]] = {}
    for overlap in grounds.loaded.graph.overlaps:
        if not overlap.ordered:
            claimed.setdefault(overlap.workstreams, []).append(overlap.witness)
    known = {ws.id: ws for ws in grounds.workstreams}
    turn = {ws_id: at for at, ws_id in enumerate(grounds.loaded.graph.order)}
    for pair, paths in claimed.items():
        first, second = sorted(pair, key=lambda ws_id: (turn.get(ws_id, len(turn)), ws_id))
        if second in known:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            message = f"{first} may change {paths[0]}{more} too, and nothing says who is first"
            hint = f"write `depends_on: [{first}]`, or narrow the scope of one"
            yield grounds.advice(known[second], "/files_scope", "unordered-overlap", message, hint)


def _no_cost_limit(grounds: Grounds) -> Iterator[Problem]:
    """One advice for all: a budget of the project is a limit for each."""
    loaded = grounds.loaded
    if loaded.config.budgets:
        return
    asked = []
    for ws in grounds.workstreams:
        profile = loaded.profiles.get(edit_tool(ws, loaded.profiles)) if not ws.steps else None
        if profile and profile.type == "ai" and ws.max_cost_usd is None:
            asked.append(ws)
    if asked:
        whom = "it" if len(asked) == 1 else f"it and {len(asked) - 1} more workstreams"
        message = f"an agent edits {whom}, and nothing limits what that costs"
        hint = f"set `budgets` in {config.FILE}, or `max_cost_usd` here"
        yield grounds.advice(asked[0], "", "no-cost-limit", message, hint)


RULES = {
    "many-tasks": _many_tasks,
    "no-tests": _no_tests,
    "manual-only": _manual_only,
    "test-looks-like-command": _test_looks_like_command,
    "tests-not-run": _tests_not_run,
    "several-changes": _several_changes,
    "no-title": _no_title,
}
RULES_OF_ALL = {
    "spelled-twice": _spelled_twice,
    "unordered-overlap": _unordered_overlap,
    "no-cost-limit": _no_cost_limit,
}
