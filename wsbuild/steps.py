"""What a bundle says of steps and acceptance tests, read and checked. Files are `bundle`'s business."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from wsbuild.model import AcceptanceTest, CompensationAction, Problem, StepSpec
from wsbuild.paths import BadPathError, canonical, is_inside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.schemas import Document

COMMAND_MARK = "$ "

# What means something to a shell but nothing to a program that is started without one.
_SHELL_SIGN = re.compile(r"[|&;<>()$`*?\[~\n]")
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)
_OPERATOR = re.compile(r"(?:^|\s)[0-9]?[|&;<>]+(?:&?[0-9])?(?=\s|$)|;(?=\s|$)")


class Source:
    """The place a workstream is read from, and what is wrong there."""

    def __init__(self, document: Document, rel: str, at: str, root: str) -> None:
        self.document = document
        self.rel = rel
        self.at = at
        self.root = root
        self.problems: list[Problem] = []
        self._real: dict[str, str] = {}

    def refuse(self, pointer: str, code: str, message: str, hint: str = "") -> None:
        """Note what is wrong at `pointer`, from the workstream on."""
        place = self.at + pointer
        line = self.document.line(place)
        self.problems.append(Problem(self.rel, place, line, code, message, hint))

    def path(self, text: str, pointer: str) -> str:
        """The canonical path, empty where it may not be used."""
        try:
            path = canonical(text)
        except BadPathError as error:
            self.refuse(pointer, "bad-path", f"{text!r:.80} {error}", "paths stay in the project")
            return ""
        if not is_inside(self.root, path, self._real):
            message = f"{path!r:.80} leads to a place where workstreams may not write, by a link"
            self.refuse(pointer, "outside", message, "name the real place, or remove the link")
            return ""
        return path

    def paths(self, texts: Sequence[str], pointer: str) -> tuple[str, ...]:
        """The canonical paths, each once."""
        found = [self.path(text, f"{pointer}/{at}") for at, text in enumerate(texts)]
        return tuple(dict.fromkeys(path for path in found if path))


def _command(
    run: str | Sequence[str], shell: bool, pointer: str, source: Source
) -> tuple[tuple[str, ...], str]:
    """A list of arguments, or a line for the shell; the other one is empty."""
    try:
        if isinstance(run, str):
            words = [run] if shell else shlex.split(run)
        else:
            words = [*run]
    except ValueError as error:
        hint = "quotes come in pairs; a list of arguments needs none"
        source.refuse(pointer, "bad-command", f"cannot be split: {str(error).lower()}", hint)
        return (), ""
    if not words or not words[0].strip():
        source.refuse(pointer, "bad-command", "names no program", "write what is to be run")
    return ((), words[0]) if shell else (tuple(words), "")


def _step_command(raw: Mapping[str, Any], pointer: str, source: Source) -> tuple[tuple[str, ...], str]:
    """What a step runs; a shell only where it is asked for."""
    run, shell = raw.get("run"), raw.get("shell", False)
    if run is None:
        return (), ""
    sign = _OPERATOR.search(_QUOTED.sub("_", run)) if isinstance(run, str) and not shell else None
    if sign:
        hint = "write `shell: true`, or put it in quotes if the program is to see it"
        message = f"`{sign[0].strip()}` means something to a shell only, and none runs this"
        source.refuse(f"{pointer}/run", "shell-sign", message, hint)
    return _command(run, shell, f"{pointer}/run", source)


def _needs_shell(run: str | Sequence[str]) -> bool:
    return isinstance(run, str) and _SHELL_SIGN.search(run) is not None


def wants_shell(run: str) -> bool:
    """Whether `run` was meant for a shell: outside of quotes it has what means something to one."""
    return _SHELL_SIGN.search(_QUOTED.sub("_", run)) is not None


def _marked_command(text: str, pointer: str, source: Source) -> tuple[tuple[str, ...], str]:
    """What a line runs that has the mark of a command; any other is for a person, and runs nothing."""
    if not text.startswith(COMMAND_MARK):
        return (), ""
    line = text.removeprefix(COMMAND_MARK)
    return _command(line, _needs_shell(line), pointer, source)


def _acceptance_test(raw: Any, number: int, source: Source) -> AcceptanceTest:
    pointer = f"/acceptance_tests/{number}"
    if isinstance(raw, str):
        name = f"test-{number + 1}"
        run, shell = _marked_command(raw, pointer, source)
        return AcceptanceTest(id=name, text=raw, run=run, shell=shell)
    in_shell = raw.get("shell", _needs_shell(raw["run"]))
    run, shell = _command(raw["run"], in_shell, f"{pointer}/run", source)
    text = raw["run"] if isinstance(raw["run"], str) else shlex.join(raw["run"])
    return AcceptanceTest(id=raw["id"], text=text, run=run, shell=shell, timeout_sec=raw.get("timeout_sec"))


def compensation_actions(raw: Sequence[str], source: Source) -> tuple[CompensationAction, ...]:
    """What undoes a workstream; a line with the mark of a command is one."""
    found = []
    for at, text in enumerate(raw):
        run, shell = _marked_command(text, f"/compensation_actions/{at}", source)
        found.append(CompensationAction(text=text, run=run, shell=shell))
    return tuple(found)


def acceptance_tests(raw: Sequence[Any], source: Source) -> tuple[AcceptanceTest, ...]:
    tests = tuple(_acceptance_test(each, number, source) for number, each in enumerate(raw))
    ids = [test.id for test in tests]
    for at, name in enumerate(ids):
        if (first := ids.index(name)) != at:
            message = f"two tests are named {name!r}; the other is /acceptance_tests/{first}"
            source.refuse(f"/acceptance_tests/{at}", "duplicate-test", message, "rename one")
    return tests


def _check_outputs(step: StepSpec, pointer: str, owned: Sequence[str], source: Source) -> None:
    from wsbuild.patterns import covers

    for at, output in enumerate(step.outputs):
        # A directory is judged by a file in it; what is owned may turn out to be a directory.
        path = f"{output}_" if output.endswith("/") else output
        if output not in owned and not any(covers(pattern, path, True) for pattern in owned):
            message = f"{output} is not in the workstream's `files_scope` or `files_create`"
            place = f"{pointer}/outputs/{at}"
            source.refuse(place, "output-outside-scope", message, "add it to one of them")


def _step(raw: Mapping[str, Any], pointer: str, source: Source) -> StepSpec:
    run, shell = _step_command(raw, pointer, source)
    needs, env = raw.get("needs"), raw.get("env", {})
    return StepSpec(
        name=raw["name"],
        run=run,
        shell=shell,
        tool=raw.get("tool", ""),
        detectors=tuple(raw.get("detectors", ())),
        needs=None if needs is None else tuple(dict.fromkeys(needs)),
        inputs=source.paths(raw["inputs"], f"{pointer}/inputs") if "inputs" in raw else None,
        outputs=source.paths(raw.get("outputs", ()), f"{pointer}/outputs"),
        env=dict.fromkeys(env) if isinstance(env, list) else dict(env),
        pass_env=tuple(raw.get("pass_env", ())),
        timeout_sec=raw.get("timeout_sec"),
        retries=int(raw.get("retries", 0)),
        cache=raw.get("cache", True),
        incremental=raw.get("incremental", False),
    )


def _check_needs(steps: Sequence[StepSpec], source: Source) -> None:
    names = [step.name for step in steps]
    for at, step in enumerate(steps):
        if (first := names.index(step.name)) != at:
            message = f"two steps are named {step.name!r}; the other is /steps/{first}"
            source.refuse(f"/steps/{at}/name", "duplicate-step", message, "rename one")
        for number, need in enumerate(step.needs or ()):
            if need not in names:
                message = f"no step of this workstream is named {need!r:.80}"
                source.refuse(f"/steps/{at}/needs/{number}", "unknown-step", message, _near(need, names))


def _near(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name[:100], names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"its steps: {', '.join(names)}"


def _check_cycle(steps: Sequence[StepSpec], source: Source) -> None:
    from graphlib import CycleError, TopologicalSorter

    needs: dict[str, tuple[str, ...]] = {}
    for at, step in enumerate(steps):
        before = (steps[at - 1].name,) if at else ()
        needs.setdefault(step.name, before if step.needs is None else step.needs)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        cycle = [str(name) for name in reversed(error.args[1])]
        at = next(at for at, step in enumerate(steps) if step.name in cycle)
        message = f"these steps need each other: {' -> '.join(cycle)}"
        source.refuse(f"/steps/{at}", "step-cycle", message, "remove one of their `needs`")


def _check_makers(found: Sequence[StepSpec], source: Source) -> None:
    """Whatever is made is made by one step: with two, each would find the other's work tampered with."""
    makers: dict[str, str] = {}
    for at, step in enumerate(found):
        for number, path in enumerate(step.outputs):
            maker = makers.setdefault(path.rstrip("/"), step.name)
            if maker != step.name:
                message = f"{path!r:.80} is an output of step {maker!r} too"
                hint = "let one step make it; the other can have it as an input"
                source.refuse(f"/steps/{at}/outputs/{number}", "duplicate-output", message, hint)


def steps(raw: Sequence[Mapping[str, Any]], owned: Sequence[str], source: Source) -> tuple[StepSpec, ...]:
    """The explicit steps; what is wrong with them is noted in `source`."""
    found = tuple(_step(each, f"/steps/{at}", source) for at, each in enumerate(raw))
    for at, step in enumerate(found):
        _check_outputs(step, f"/steps/{at}", owned, source)
    _check_makers(found, source)
    _check_needs(found, source)
    _check_cycle(found, source)
    return found
