"""Routing: a capability and a payload in, and what the first tool that succeeds has made of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.aim.admission import is_too_large, refusals, size_of
from wsbuild.aim.audit import About
from wsbuild.aim.invoke import INTERRUPTED, OK, REFUSED, Attempt, invoke, missing
from wsbuild.aim.rules import QUEUE
from wsbuild.aim.turns import least_recent, turn, turns_dir
from wsbuild.errors import BusyError, StateError
from wsbuild.tools.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.aim.audit import Trail
    from wsbuild.aim.invoke import Where
    from wsbuild.aim.load import Aim
    from wsbuild.aim.lookup import Lookup
    from wsbuild.aim.registry import Tool
    from wsbuild.aim.rules import Rule

PAUSE_S = 0.05


class Routed(NamedTuple):
    """What became of a request: `tool_id` has served it ('' if none has), `attempts` are all in their order,
    `audits` the entries of them, from the root.
    """

    capability: str
    success: bool
    message: str
    content: Mapping[str, Any]
    tool_id: str
    attempts: list[Attempt]
    audits: list[str]

    @property
    def passed(self) -> bool:
        """Whether it was served, and what was checked is all right."""
        return self.success and self.content.get("passed") is not False

    @property
    def usage(self) -> Usage:
        """What all attempts have used, as far as they tell."""
        total = Usage()
        for one in self.attempts:
            told = one.content.get("usage")
            total = total.plus(Usage(**told)) if isinstance(told, dict) else total
        return total

    @property
    def limited_until(self) -> float | None:
        """When a tool may be asked again, in seconds since 1970, where all that are there have reached their
        usage limits.
        """
        there = [one for one in self.attempts if one.state not in {"missing", REFUSED}]
        times = [one.content.get("limited_until") for one in there if one.reason == "usage_limit"]
        known = [float(at) for at in times if isinstance(at, int | float)]
        return min(known) if known and len(known) == len(there) else None


class Router:
    """Routes of one project. `tell` hears of what happens, `pause` sleeps."""

    def __init__(
        self,
        aim: Aim,
        lookup: Lookup,
        where: Where,
        trail: Trail,
        tell: Callable[[str], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._aim = aim
        self._lookup = lookup
        self._where = where
        self._trail = trail
        self._tell = tell
        self._pause = pause

    def route(self, capability: str, payload: Mapping[str, Any]) -> Routed:
        """Have a request served. Raises StateError where it cannot be recorded, or locks cannot be had."""
        environ = self._where.environ
        about = About(
            route=os.urandom(6).hex(),
            capability=capability,
            payload=payload,
            workstream=environ.get("WSBUILD_WORKSTREAM", ""),
            step=environ.get("WSBUILD_STEP", ""),
        )
        rule = self._aim.rule(capability)
        if rule is None:
            known = ", ".join(sorted(self._aim.rules.by_capability)) or "none"
            return self._refuse(about, f"nobody serves the capability {capability!r}; known: {known}")
        security = self._aim.rules.security
        if why := refusals(payload, rule, security, self._where.cwd):
            kept = {"size_bytes": size_of(payload)} if is_too_large(payload, security) else payload
            return self._refuse(about._replace(payload=kept), "; ".join(why))
        return self._serve(about, rule, payload)

    def _refuse(self, about: About, why: str) -> Routed:
        attempt = Attempt("", REFUSED, why)
        audit = self._recorded(about, attempt)
        return Routed(about.capability, False, why, {}, "", [attempt], self._relative([audit]))

    def _serve(self, about: About, rule: Rule, payload: Mapping[str, Any]) -> Routed:
        attempts: list[Attempt] = []
        audits: list[str] = []
        request = {"capability": about.capability, "payload": dict(payload)}
        timeout_s = self._aim.timeout_ms(rule, payload) / 1000
        tries = self._aim.max_retries(rule, payload) + 1
        for order, name in enumerate(self._order(rule), 1):
            for number in range(1, tries + 1):
                told = about._replace(tool=name, order=order, number=number)
                attempt, audit = self._ask(told, request, timeout_s)
                attempts.append(attempt)
                audits.append(audit)
                if attempt.state == OK:
                    return Routed(
                        about.capability,
                        True,
                        attempt.message,
                        attempt.content,
                        name,
                        attempts,
                        self._relative(audits),
                    )
                self._tell(f"{name}: {attempt.message}")
                if attempt.is_final or number == tries:
                    break
                self._pause(self._aim.settings.retry_backoff_ms / 1000 * 2 ** (number - 1))
        said = dict.fromkeys(f"{one.tool}: {one.message}" for one in attempts)
        message = f"no tool has served {about.capability}: {'; '.join(said)}"
        return Routed(about.capability, False, message, {}, "", attempts, self._relative(audits))

    def _order(self, rule: Rule) -> list[str]:
        """The tools in the order in which they are asked, each once."""
        if not rule.load_balance:
            return list(rule.chain)
        there = [name for name in rule.chain if self._find(name)]
        rest = [name for name in rule.chain if name not in there]
        return [*least_recent(self._turns_dir(), there), *rest]

    def _find(self, name: str) -> Tool | None:
        """A tool that is there."""
        tool = self._aim.tools.get(name)
        return tool if tool is not None and self._lookup.find(tool) else None

    def _ask(self, about: About, request: Mapping[str, Any], timeout_s: float) -> tuple[Attempt, str]:
        """Ask a tool when it is its turn, with a record of it."""
        tool = self._find(about.tool)
        if tool is None:
            known = self._aim.tools.get(about.tool)
            attempt = missing(known) if known else Attempt(about.tool, "missing", "it is in no registry")
            return attempt, self._recorded(about, attempt)
        rules = self._aim.rules
        try:
            with turn(
                self._turns_dir() if rules.max_concurrent is not None else "",
                rules.max_concurrent,
                f"{about.capability} by {about.tool}",
                wait=rules.strategy == QUEUE,
            ):
                return self._invoke(tool, about, request, timeout_s)
        except BusyError as error:
            attempt = Attempt(about.tool, REFUSED, error.message)
            return attempt, self._recorded(about, attempt)

    def _recorded(self, about: About, attempt: Attempt) -> str:
        path = self._trail.begin(about)
        self._trail.end(path, about, attempt)
        return path

    def _invoke(
        self, tool: Tool, about: About, request: Mapping[str, Any], timeout_s: float
    ) -> tuple[Attempt, str]:
        path = self._trail.begin(about)
        attempt = Attempt(tool.id, INTERRUPTED, "it was interrupted")
        try:
            attempt = invoke(tool, request, self._lookup, self._where, timeout_s, about.number)
        finally:
            self._trail.end(path, about, attempt)
        if attempt.note:
            self._tell(f"{tool.id}: {attempt.note}")
        return attempt, path

    def _turns_dir(self) -> str:
        try:
            return turns_dir(self._where.home)
        except OSError as error:
            raise StateError(
                f"there can be no locks: {error}", "make the state directory writable"
            ) from error

    def _relative(self, audits: list[str]) -> list[str]:
        return [os.path.relpath(path, self._where.home) for path in audits if path]
