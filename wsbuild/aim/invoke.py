"""One invocation of an adapter: JSON in, JSON out, and what it means where it is not that."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.aim.registry import VARIABLE
from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.aim.lookup import Lookup
    from wsbuild.aim.registry import Tool

OK, FAILED, MISSING, TIMEOUT, CRASHED, INVALID, REFUSED, INTERRUPTED = (
    *("ok", "failed", "missing", "timeout", "crashed", "invalid", "refused", "interrupted"),
)
"""How an attempt may end."""

FINAL_REASONS = frozenset(
    {"timeout", "authentication_required", "command_not_found", "unsupported", "usage_limit"}
)
"""Reasons for which the same tool is not asked again."""

MOST_ANSWER = 16 * 2**20
MOST_SHOWN = 400


class Attempt(NamedTuple):
    """One time that a tool was asked, the `number`th of this tool in its route, and what came of it. `state`
    is one of those above; `content` is what the adapter told besides, whatever it ended with.
    """

    tool: str
    state: str
    message: str
    content: Mapping[str, Any] = {}
    duration_s: float = 0.0
    number: int = 1
    note: str = ""

    @property
    def reason(self) -> str:
        """The reason that the adapter gave for its failure."""
        return str(self.content.get("error_reason", ""))

    @property
    def is_final(self) -> bool:
        """Whether it makes no sense to ask this tool again."""
        return self.state not in {FAILED, CRASHED, INVALID} or self.reason in FINAL_REASONS


class Where(NamedTuple):
    """Where adapters are started, for the project at `home`."""

    home: str
    cwd: str
    environ: Mapping[str, str]
    grace_sec: float


def missing(tool: Tool) -> Attempt:
    """The attempt to ask a tool that is not there."""
    get_it = f"; to get it: {' '.join(tool.install)}" if tool.install else ""
    return Attempt(tool.id, MISSING, f"{tool.name} is not there: looked for {', '.join(tool.detect)}{get_it}")


def invoke(
    tool: Tool, request: Mapping[str, Any], lookup: Lookup, where: Where, timeout_s: float, number: int
) -> Attempt:
    """Ask a tool by its adapter, which has `timeout_s` seconds. Raises StateError where no process can be
    started at all.
    """
    adapter = lookup.adapter(tool)
    if adapter.why_not:
        return Attempt(tool.id, MISSING, f"{tool.name} cannot be asked: {adapter.why_not}", note=adapter.note)
    with tempfile.TemporaryDirectory(prefix="wsbuild-aim-") as folder:
        out = os.path.join(folder, "answer.json")
        with open(os.path.join(folder, "errors"), "wb+") as errors:
            command = process.Command(
                argv=(*adapter.argv, *_command_words(tool, request)),
                env=_environment(tool, lookup, where, timeout_s),
                cwd=where.cwd,
                timeout_sec=timeout_s,
                grace_sec=where.grace_sec,
                stdin=json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogateescape"),
            )
            result = process.run(command, log=out, success=(0,), cap=MOST_ANSWER, errors=errors)
            errors.seek(0, os.SEEK_END)
            errors.seek(max(0, errors.tell() - MOST_SHOWN))
            said = errors.read().decode("utf-8", "replace").strip()
        attempt = _judge(tool, result, out, said, timeout_s)
    return attempt._replace(duration_s=result.duration_s, number=number, note=adapter.note)


def _command_words(tool: Tool, request: Mapping[str, Any]) -> tuple[str, ...]:
    """What the adapter for commands is given: the template for this capability."""
    return ("--", *tool.commands[request["capability"]]) if request["capability"] in tool.commands else ()


def _environment(tool: Tool, lookup: Lookup, where: Where, timeout_s: float) -> dict[str, str]:
    passed = {name: where.environ[name] for name in tool.pass_env if name in where.environ}
    own = {
        "PATH": lookup.path,
        "AIM_TOOL_ID": tool.id,
        "AIM_TOOL_PATH": lookup.find(tool),
        "AIM_VERSION_COMMAND": json.dumps(tool.version),
        "AIM_TIMEOUT_MS": str(int(timeout_s * 1000)),
        "WSBUILD_HOME": where.home,
        **{name: where.environ[name] for name in _KEPT if name in where.environ},
    }
    if VARIABLE in lookup.variables:
        own[VARIABLE] = lookup.variables[VARIABLE]
    return process.tool_env(where.environ, {**own, **passed})


_KEPT = ("WSBUILD_ROOT", "WSBUILD_WORKSTREAM", "WSBUILD_STEP", "AIDER_MODEL")


def _judge(tool: Tool, result: process.Result, answer: str, said: str, timeout_s: float) -> Attempt:
    """What an adapter's end and output mean. What it has told is kept whatever it ended with."""
    body, wrong = _read(answer)
    content = body.get("content") or {}
    message = body.get("message", "")
    adapter = f"the adapter of {tool.name}"
    ended = {
        "interrupted": (INTERRUPTED, "it was interrupted"),
        "timeout": (TIMEOUT, f"{tool.name} took longer than {timeout_s:g} s"),
        "missing": (MISSING, f"{adapter} cannot be started"),
        "crashed": (CRASHED, f"{adapter} was killed by signal {result.signal}"),
    }
    if result.state in ended:
        return Attempt(tool.id, *ended[result.state], content)
    if wrong:
        code = f", and ended with {result.exit_code}" if result.exit_code else ""
        more = f": {said.splitlines()[-1]}" if said else ""
        return Attempt(tool.id, INVALID, f"{adapter} gave {wrong}{code}{more}")
    if body["success"] and not result.exit_code:
        return Attempt(tool.id, OK, message, content)
    if body["success"]:
        message = f"{adapter} ended with {result.exit_code}, although it says: {message}"
    state = TIMEOUT if content.get("error_reason") == "timeout" else FAILED
    return Attempt(tool.id, state, message or "it says no more than that it failed", content)


def _read(path: str) -> tuple[dict[str, Any], str]:
    """What an adapter has written to a file, and what is wrong with it ('' where it is an answer)."""
    from wsbuild import schemas

    document, problems = schemas.read_document(path, "the answer")
    if document is None:
        found = problems[0]
        if found.code == "empty":
            return {}, "no answer"
        line = f" in line {found.line}" if found.line else ""
        return {}, f"an answer that is no JSON: it {found.message}{line}"
    wrong = schemas.check(document, "aim_answer", "the answer")
    if wrong:
        return {}, f"an answer of another form: {wrong[0].pointer or 'it'} {wrong[0].message}"
    return document.data, ""
