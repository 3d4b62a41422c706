"""What a step starts: commands of tool profiles, of acceptance tests, and of detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsbuild.aim.registry import variables
from wsbuild.plan.read import edit_tool, is_routed
from wsbuild.plan.records import CommandPlan
from wsbuild.tools.profiles import FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsbuild.config import Config
    from wsbuild.detectors.contract import Detector
    from wsbuild.model import AcceptanceTest, Workstream
    from wsbuild.plan.read import Loaded
    from wsbuild.tools.profiles import Profile

ROUTE = ("{python}", "-P", "-m", "wsbuild", "aim", "route")
"""How a capability is asked for: in a process of its own, as detectors are."""

ROUTE_ENV = ("AIM_REGISTRY_PATH", "AIDER_MODEL", "WSBUILD_CACHE_DIR")
ROUTE_USED = (
    r"^aim: used \$(?P<cost_usd>[\d.,]+), (?P<tokens_sent>[\d,]+) tokens sent, "
    r"(?P<tokens_received>[\d,]+) received$"
)
ROUTE_LIMITED = r"^aim: limited until (?P<at>\d+)$"
"""What it says of itself; what tools have said is indented."""

JUDGE = ("{python}", "-P", "-m", "wsbuild", "detect", "--home", "{home}", "--files-from", "{files_from}")
"""How detectors are asked: in a process of their own, with what `wsbuild detect` remembers."""


def checks(names: Iterable[str], loaded: Loaded, timeout: float | None = None) -> list[CommandPlan]:
    """The commands that names stand for, without those that name nothing. Detectors in a row are asked
    together.
    """
    found: list[CommandPlan] = []
    row: list[Detector] = []

    def end_row() -> None:
        if row:
            found.append(judging(row, loaded.config, timeout))
            row.clear()

    for name in names:
        if is_detector(name, loaded):
            row.append(loaded.detectors[name])
        elif name in loaded.profiles:
            end_row()
            found.append(profile_command(loaded.profiles[name], loaded.config, timeout))
    end_row()
    return found


def is_detector(name: str, loaded: Loaded) -> bool:
    """Whether a check is a detector: a profile of the repository goes before one of its name, and that
    before a shipped profile.
    """
    profile = loaded.profiles.get(name)
    return name in loaded.detectors and (profile is None or profile.source != FILE)


def profile_inputs(names: Iterable[str], loaded: Loaded) -> list[str]:
    """What the profiles among checks say that they read."""
    return [
        path
        for name in names
        if name in loaded.profiles and not is_detector(name, loaded)
        for path in loaded.profiles[name].inputs
    ]


def judging(detectors: Sequence[Detector], config: Config, timeout: float | None) -> CommandPlan:
    """The command that has detectors judge the files of a workstream; one that cannot work fails it."""
    options = [word for one in detectors for word in ("-d", one.id)]
    passed = {name: None for one in detectors for name in one.manifest.pass_env}
    can_fix = any(one.manifest.fixed for one in detectors)
    return CommandPlan(
        label=", ".join(one.id for one in detectors),
        argv=(*JUDGE, "--strict", *options),
        profile="detectors",
        env=dict(passed),
        pass_env=("PIPELINE_DB_PATH",),
        timeout=timeout or config.timeout_sec,
        fix=(*JUDGE, "--fix", *options) if can_fix else (),
        detectors=tuple(one.id for one in detectors),
    )


def profile_command(profile: Profile, config: Config, timeout: float | None = None) -> CommandPlan:
    """The command of a tool profile; `timeout` is in seconds."""
    return CommandPlan(
        label=profile.name,
        argv=(profile.command, *profile.args),
        profile=profile.name,
        env=dict(profile.env),
        pass_env=profile.pass_env,
        cwd=profile.working_dir or "",
        timeout=timeout or profile.timeout_sec or config.timeout_sec,
        success=tuple(profile.success_exit_codes),
        version=tuple(profile.version_command),
        fix=(profile.command, *profile.fix_args) if profile.fix_args else (),
        failure_output=profile.failure_output,
        usage_output=profile.usage_output,
        limit_output=profile.limit_output,
    )


def editing(ws: Workstream, loaded: Loaded) -> list[CommandPlan]:
    """The command that edits: what a capability is routed by, or the tool profile; none where there is
    neither.
    """
    aim, tool = loaded.aim, edit_tool(ws, loaded.profiles)
    if is_routed(ws, loaded):
        return [_routing(ws.capability, loaded)]
    if not tool:
        return []
    command = profile_command(loaded.profiles[tool], loaded.config)
    why = (aim.off or "no rule speaks of it") if ws.capability and aim is not None else ""
    return [command._replace(unrouted=why)]


def _routing(capability: str, loaded: Loaded) -> CommandPlan:
    """The command that has a capability served: in a process of its own, which knows the time limits."""
    assert loaded.aim is not None
    rule = loaded.aim.rule(capability)
    tools = [loaded.aim.tools[name] for name in rule.chain if name in loaded.aim.tools] if rule else []
    passed = (name for tool in tools for name in (*tool.pass_env, *variables(tool)))
    return CommandPlan(
        label=f"aim {capability}",
        argv=(*ROUTE, capability, "--payload", "{payload_file}", "--home", "{home}"),
        profile="aim",
        pass_env=tuple(dict.fromkeys((*ROUTE_ENV, *passed))),
        usage_output=(ROUTE_USED,),
        limit_output=(ROUTE_LIMITED,),
        capability=capability,
    )


def command_fields(commands: Sequence[CommandPlan]) -> list[dict[str, Any]]:
    """What of commands decides their result: not how long they may take. The environment has
    lines of its own in the key, as its values may be secrets.
    """
    return [
        {
            "argv": list(command.argv),
            "shell": command.shell,
            "cwd": command.cwd,
            "success": sorted(command.success),
            **({} if command.blocking else {"blocking": False}),
            **({"failure_output": list(command.failure_output)} if command.failure_output else {}),
        }
        for command in commands
    ]


def test_command(test: AcceptanceTest, config: Config) -> CommandPlan:
    """The command of an acceptance test."""
    return CommandPlan(
        label=test.id,
        argv=test.run,
        shell=test.shell,
        timeout=test.timeout_sec or config.timeout_sec,
    )
