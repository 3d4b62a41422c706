"""Asks a tool as its tool profile says: `profile.py NAME`.

An agent is given the prompt of the payload, and has succeeded where it ends well; a check or a test has
succeeded where it has run, and `passed` says what came of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from wsbuild import config
from wsbuild.aim.adapters.looking import Files
from wsbuild.aim.adapters.serving import Asked, Told, failed, serve, tail, unsupported
from wsbuild.identity import search_path
from wsbuild.tools import process, profiles, template
from wsbuild.tools.usage import complaint, limited_until, used

if TYPE_CHECKING:
    from wsbuild.tools.profiles import Profile

SPARE_S = 2.0

CHECKS = {"static-check": "linting", "test": "testing"}
"""What profiles that list no capability can do, by their type."""


def answer(asked: Asked) -> Told:
    """Start the tool of the profile that the command line names."""
    known, _ = profiles.load(asked.home)
    profile = known.get(sys.argv[1])
    if profile is None:
        return failed(f"there is no tool profile {sys.argv[1]!r}", "unsupported")
    can = profile.aim_capabilities or tuple(filter(None, [CHECKS.get(profile.type)]))
    if can and asked.capability not in can:
        return unsupported(asked, ", ".join(can))
    settings, _ = config.load(asked.home)
    files = Files(asked.cwd, asked.paths("files"), settings.ignore)
    with tempfile.TemporaryDirectory(prefix="wsbuild-prompt-") as folder:
        log = os.path.join(folder, "log")
        result = process.run(
            _command(profile, asked, settings, folder), log=log, success=profile.success_exit_codes
        )
        process.shutdown()
        with open(log, "rb") as file:
            output = file.read().decode("utf-8", "replace")
    changed = files.changed()
    return _judged(profile, result, output, changed, settings)


def _command(profile: Profile, asked: Asked, settings: config.Config, folder: str) -> process.Command:
    values: dict[str, Any] = {
        **profiles.VARIABLES,
        **dict.fromkeys(("cwd", "repo_root", "worktree_path"), asked.cwd),
        "home": asked.home,
        "python": sys.executable,
        "model_name": os.environ.get("AIDER_MODEL") or settings.model,
        "message": asked.text("prompt"),
        "files": asked.paths("files"),
        "files_scope": asked.paths("files_scope"),
        "files_create": asked.paths("files_create"),
        "ws_id": os.environ.get("WSBUILD_WORKSTREAM", ""),
        "step": os.environ.get("WSBUILD_STEP", ""),
        "attempt": "1",
        "prompt_file": _write(folder, "prompt.txt", asked.text("prompt")),
        "files_from": _write(folder, "files", "".join(f"{path}\0" for path in asked.paths("files"))),
    }
    where = f"tool profile {profile.name}"
    args = template.render(profile.args, values, where, paths={"files", "files_scope", "files_create"})
    cwd = template.render([profile.working_dir or asked.cwd], values, where)[0]
    # The variables that the profile passes are here already: whoever started this has passed them.
    given = {**dict.fromkeys(profile.pass_env), **profile.env}
    env = {name: os.environ.get(name) if value is None else value for name, value in given.items()}
    own = {"PATH": search_path(os.environ, sys.executable)}
    own |= {name: value for name, value in os.environ.items() if name.startswith("WSBUILD_")}
    return process.Command(
        argv=(asked.tool or profile.command, *args),
        env=process.tool_env(
            os.environ, {**own, **{name: value for name, value in env.items() if value is not None}}
        ),
        cwd=os.path.join(asked.cwd, cwd),
        timeout_sec=_time_left(settings.grace_sec),
        grace_sec=settings.grace_sec,
    )


def _time_left(grace_s: float) -> float | None:
    """Seconds that the tool may take, so that there are some left to tell of it (None: any number)."""
    given = float(os.environ.get("AIM_TIMEOUT_MS", "0")) / 1000
    return max(given - grace_s - SPARE_S, given / 2) if given else None


def _write(folder: str, name: str, text: str) -> str:
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    return path


def _judged(
    profile: Profile, result: process.Result, output: str, changed: list[str], settings: config.Config
) -> Told:
    usage = used(profile.usage_output, output)._asdict()
    content: dict[str, Any] = {
        "tool_id": profile.name,
        "exit_code": result.exit_code,
        "files_changed": changed,
        "stdout": tail(output),
        "usage": {name: value for name, value in usage.items() if value},
    }
    if limit := limited_until(profile.limit_output, output, time.time(), settings.limit_wait_sec):
        return failed(limit[1], "usage_limit", limited_until=limit[0], **content)
    if profile.type in CHECKS and result.state in {"ok", "failed"}:
        passed = result.state == "ok"
        ended = "found nothing wrong" if passed else f"ended with {result.exit_code}"
        return Told(True, f"{profile.name} {ended}", {**content, "passed": passed})
    if result.state != "ok":
        return failed(*_why(profile, result), **content)
    # What it complains of is the end of it only where it has done nothing.
    if not changed and (said := complaint(profile.failure_output, output)):
        return failed(said, "tool_error", **content)
    did = f"changed {len(changed)} file{'' if len(changed) == 1 else 's'}" if changed else "changed nothing"
    return Told(True, f"{profile.name} {did}", content)


def _why(profile: Profile, result: process.Result) -> tuple[str, str]:
    """Why a tool has failed, in words and as a word."""
    if result.state == "missing":
        return f"{profile.command} cannot be started", "command_not_found"
    if result.state == "timeout":
        return f"{profile.name} took longer than it may", "timeout"
    return f"{profile.name} ended with {result.exit_code} ({result.state})", "tool_error"


if __name__ == "__main__":
    serve(answer)
