"""Which tools there are, and which of them serves what, and why: without asking any."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wsbuild.aim.opening import Opened
    from wsbuild.aim.rules import Rule


class ToolRow(NamedTuple):
    """A tool, whether it is there, where, and how it is got."""

    id: str
    found: bool
    path: str
    version: str
    install: str


class CapabilityRow(NamedTuple):
    """A capability, the tools that are asked for it, who would be the first to serve it now ('' for nobody),
    and why.
    """

    name: str
    chain: tuple[str, ...]
    served_by: str
    why: str


def tools(aim: Opened) -> list[ToolRow]:
    """The tools of the registry, and those that only rules name, by their ids."""
    known = aim.known.tools
    named = {name for rule in aim.known.rules.by_capability.values() for name in rule.chain}
    if aim.known.off:
        known = {name: tool for name, tool in known.items() if tool.capabilities}
    rows = [ToolRow(name, False, "", "", "it is in no registry") for name in named - known.keys()]
    for name, tool in known.items():
        path = aim.lookup.find(tool)
        version = aim.lookup.version(tool) if path else ""
        rows.append(ToolRow(name, bool(path), path, version, " ".join(tool.install)))
    return sorted(rows)


def capabilities(aim: Opened) -> list[CapabilityRow]:
    """What is served, by name."""
    return [_row(aim, rule) for _, rule in sorted(aim.known.rules.by_capability.items())]


def _row(aim: Opened, rule: Rule) -> CapabilityRow:
    lacks = {name: _lack(aim, name) for name in rule.chain}
    there = [name for name, lack in lacks.items() if not lack]
    skipped = [f"{name} {lack}" for name, lack in lacks.items() if lack]
    if not there:
        return CapabilityRow(rule.capability, rule.chain, "", "; ".join(skipped))
    first = there[0]
    if rule.load_balance and len(there) > 1:
        return CapabilityRow(rule.capability, rule.chain, first, f"in turn: {', '.join(there)}")
    before = rule.chain[: rule.chain.index(first)]
    if not before:
        return CapabilityRow(rule.capability, rule.chain, first, "it is asked first")
    why = "; ".join(f"{name} {lacks[name]}" for name in before)
    return CapabilityRow(rule.capability, rule.chain, first, why)


def _lack(aim: Opened, name: str) -> str:
    """Why a tool cannot be asked; '' where it can."""
    tool = aim.known.tools.get(name)
    if tool is None:
        return "is in no registry"
    if not aim.lookup.find(tool):
        return "is missing"
    why = aim.lookup.adapter(tool).why_not
    return f"cannot be asked: {why}" if why else ""
