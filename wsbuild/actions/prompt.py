"""The prompts that an editing tool is given: Jinja2 templates filled from the workstream."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError
from wsbuild.statedir import PROMPTS, make_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.plan.records import WorkstreamPlan

EDIT = "config/prompts/edit.txt.j2"
FIX = "config/prompts/fix.txt.j2"


def template_path(root: str, template: str = EDIT) -> str:
    """The template in force: the repository's own, or the shipped one."""
    from wsbuild.shipped import data_path

    own = os.path.join(root, template)
    return own if os.path.lexists(own) else data_path(*template.split("/"))


def _template(root: str, template: str) -> str:
    try:
        with open(template_path(root, template), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{template}: cannot be read: {error}", "the template is a UTF-8 file") from error


def render(root: str, ws: WorkstreamPlan) -> str:
    """The prompt for a workstream whose files are in the project at `root`, by the repository's template
    or the shipped one.

    Raises UserError naming the template and its line when it is not one.
    """
    return _render(root, EDIT, ws, {})


def render_fix(root: str, ws: WorkstreamPlan, step: str, message: str, output: str) -> str:
    """The prompt to fix what the check `step` found: how it ended, and what it said. Raises UserError as
    `render` does.
    """
    found = {"message": message, "output": output.strip()}
    return _render(root, FIX, ws, {"step": step, "found": found})


def _render(root: str, template: str, ws: WorkstreamPlan, more: Mapping[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined, TemplateError

    jinja = Environment(  # noqa: S701 - the prompt is plain text
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    try:
        return jinja.from_string(_template(root, template)).render(
            ws_id=ws.id, repo_root=root, worktree_path=root, **more, **ws.context
        )
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{template}:{line}" if line else template
        raise UserError(f"{where}: {error.message}", "see the names in the shipped template") from error


def write(root: str, run_id: str, task: str, number: int, text: str, kind: str = "txt") -> str:
    """Keep the prompt of one attempt, or what else of some `kind` it is given; gives its absolute path.
    Raises OSError.
    """
    directory = make_dir(root, f"{PROMPTS}/{run_id}")
    path = os.path.join(directory, f"{task.replace(':', '.')}.{number}.{kind}")
    write_atomic(path, text.encode("utf-8", "surrogateescape"))
    return path
