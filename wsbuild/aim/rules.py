"""Coordination rules: who is asked for a capability in which order, and what may be handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.aim.registry import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.aim.registry import Tool
    from wsbuild.model import Problem

QUEUE, REJECT = "queue", "reject"


class Rule(NamedTuple):
    """How a capability is served: the tools of `chain` are asked in this order, each once. `required` are the
    fields that a payload must have. None stands for what the rules leave open.
    """

    capability: str
    chain: tuple[str, ...]
    load_balance: bool = False
    timeout_ms: int | None = None
    max_retries: int = 0
    required: tuple[str, ...] = ()


class Security(NamedTuple):
    """What may be handed to tools; None: anything."""

    patterns: tuple[str, ...] | None = None
    forbidden: tuple[str, ...] = ()
    max_bytes: int | None = None
    max_files: int | None = None


class Rules(NamedTuple):
    """The rules by capability; how many tools are asked at a time (None: any number), and whether who comes
    later waits or is refused.
    """

    by_capability: Mapping[str, Rule]
    security: Security = Security()
    max_concurrent: int | None = None
    strategy: str = QUEUE


def load(path: str, root: str, tools: Iterable[Tool]) -> tuple[Rules, list[Problem]]:
    """The rules in the file `path` ('' for none), and what is wrong with it. Where it says nothing of a
    capability, the tools that list it are asked as they come.
    """
    listed = _by_listing(tools)
    if not path:
        return Rules(listed), []
    data, problems = read(path, root, "aim_rules")
    if problems:
        return Rules(listed), problems
    written = {name: _rule(name, fields) for name, fields in data["capabilities"].items() if name[0] != "_"}
    access = data.get("conflict_resolution", {}).get("concurrent_access", {})
    return Rules(
        {**listed, **written},
        _security(data.get("security", {})),
        access.get("max_concurrent"),
        access.get("strategy", QUEUE),
    ), []


def _by_listing(tools: Iterable[Tool]) -> dict[str, Rule]:
    chains: dict[str, list[str]] = {}
    for tool in tools:
        for capability in dict.fromkeys((*tool.capabilities, *tool.commands)):
            chains.setdefault(capability, []).append(tool.id)
    return {capability: Rule(capability, tuple(chain)) for capability, chain in chains.items()}


def _rule(name: str, fields: Mapping[str, Any]) -> Rule:
    wanted = fields.get("context_requirements", {})
    return Rule(
        capability=name,
        chain=tuple(dict.fromkeys((fields["primary"], *fields.get("fallback", ())))),
        load_balance=fields.get("loadBalance", False),
        timeout_ms=fields.get("timeout_ms"),
        max_retries=fields.get("max_retries", 0),
        required=tuple(field for field, need in wanted.items() if need == "required"),
    )


def _security(fields: Mapping[str, Any]) -> Security:
    patterns = fields.get("allowed_file_patterns")
    return Security(
        None if patterns is None else tuple(patterns),
        tuple(fields.get("forbidden_paths", ())),
        fields.get("max_payload_size_bytes"),
        fields.get("max_file_count"),
    )
