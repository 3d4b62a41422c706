"""All that routing goes by, read and checked together: settings, registry and rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.aim import registry, rules, settings
from wsbuild.aim.expand import expand, unset
from wsbuild.aim.registry import VARIABLE, Tool
from wsbuild.aim.rules import Rule, Rules
from wsbuild.errors import UserError
from wsbuild.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.tools.profiles import Profile


PROFILE_ADAPTER = f"%{registry.ADAPTERS}%/profile.py"


class Aim(NamedTuple):
    """What routing goes by. `folder` is that of the registry; without one `off` says why, and the tools are
    those of the tool profiles, of which the first that lists a capability serves it.
    """

    settings: settings.Settings
    tools: Mapping[str, Tool]
    rules: Rules
    folder: str
    off: str = ""

    def rule(self, capability: str) -> Rule | None:
        """How a capability is served; None for one that nobody serves."""
        return self.rules.by_capability.get(capability)

    def timeout_ms(self, rule: Rule, payload: Mapping[str, object]) -> int:
        """Milliseconds that one attempt may take: as the payload says, else the rules, else the settings."""
        given = payload.get("timeout_ms")
        if type(given) is int and given > 0:
            return given
        return rule.timeout_ms or self.settings.default_timeout_ms

    def max_retries(self, rule: Rule, payload: Mapping[str, object]) -> int:
        """How often a tool is asked again: as the payload says, else the rules."""
        given = payload.get("max_retries")
        return given if type(given) is int and given >= 0 else rule.max_retries


def load(root: str, environ: Mapping[str, str], profiles: Mapping[str, Profile]) -> tuple[Aim, list[Problem]]:
    """What routing goes by in the project at `root`, and what is wrong with its files. Raises UserError for a
    registry that is named and is not there.
    """
    known, problems = settings.load(root)
    if not known.enable_aim:
        return _direct(known, profiles, f"enable_aim is off in {settings.FILE}"), problems
    folder = registry.find(root, environ, known.registry_path)
    if not folder:
        why = (
            f"there is no registry ({VARIABLE} is not set, and none of {', '.join(registry.PLACES)} is there)"
        )
        return _direct(known, profiles, why), problems
    found, registry_problems = registry.load(folder, root)
    path, rules_problems = rules_path(found)
    spoken, more = rules.load(path, root, [found.tools[name] for name in found.own])
    problems = [*problems, *registry_problems, *rules_problems, *more]
    tools = {name: _with_profile(tool, profiles) for name, tool in found.tools.items()}
    return Aim(known, tools, spoken, folder), problems


def profile_of(tool: Tool, profiles: Mapping[str, Profile]) -> Profile | None:
    """The tool profile by which wsbuild itself would ask a tool."""
    by_profile = tool.shipped[:1] == (PROFILE_ADAPTER,)
    return profiles.get(tool.shipped[1]) if by_profile else None


def _with_profile(tool: Tool, profiles: Mapping[str, Profile]) -> Tool:
    """A tool that also sees what its profile passes to it."""
    profile = profile_of(tool, profiles)
    if profile is None:
        return tool
    named = (
        *tool.pass_env,
        *profile.pass_env,
        *(name for name, value in profile.env.items() if value is None),
    )
    return tool._replace(pass_env=tuple(dict.fromkeys(named)))


def named_files(root: str, environ: Mapping[str, str]) -> list[str]:
    """The files that others name: the registry of the settings, and the rules of the registry."""
    known, problems = settings.load(root)
    if problems or not known.enable_aim:
        return []
    try:
        folder = registry.find(root, environ, known.registry_path)
    except UserError:
        return []
    if not folder:
        return []
    found, _ = registry.load(folder, root)
    path, _ = rules_path(found)
    return [os.path.join(folder, registry.NAME), *([path] if path else [])]


def rules_path(found: registry.Registry) -> tuple[str, list[Problem]]:
    """The file of the rules of a registry ('' for none), and what is wrong with its name."""
    written, variables = found.rules_path, {VARIABLE: found.folder}
    if not written:
        return "", []
    if lacking := unset(written, variables):
        file = os.path.join(found.folder, registry.NAME)
        message = f"{written} names {lacking[0]}; only {VARIABLE} may be named here"
        hint = f"%{VARIABLE}% stands for the directory of the registry"
        return "", [Problem(file, "/crossToolRulesPath", 0, "unset-variable", message, hint)]
    return os.path.normpath(os.path.join(found.folder, expand(written, variables))), []


def _direct(known: settings.Settings, profiles: Mapping[str, Profile], why: str) -> Aim:
    """Tool profiles in the place of a registry."""
    tools = {name: _of_profile(profile) for name, profile in sorted(profiles.items())}
    listed, _ = rules.load("", "", tools.values())
    first = {name: rule._replace(chain=rule.chain[:1]) for name, rule in listed.by_capability.items()}
    return Aim(known, tools, Rules(first), "", why)


def _of_profile(profile: Profile) -> Tool:
    return Tool(
        id=profile.name,
        name=profile.name,
        detect=(profile.command,),
        version=profile.version_command,
        capabilities=profile.aim_capabilities,
        adapter=PROFILE_ADAPTER,
        args=(profile.name,),
        pass_env=profile.pass_env,
        shipped=(PROFILE_ADAPTER, profile.name),
    )
