"""The prompt that an editing tool is given: a Jinja2 template filled from the workstream."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError
from wsbuild.statedir import PROMPTS, make_dir

if TYPE_CHECKING:
    from wsbuild.plan.records import WorkstreamPlan

TEMPLATE = "config/prompts/edit.txt.j2"


def template_path(root: str) -> str:
    """The template in force: the repository's own, or the shipped one."""
    from wsbuild.schemas import data_path

    own = os.path.join(root, TEMPLATE)
    return own if os.path.lexists(own) else data_path("config", "prompts", "edit.txt.j2")


def _template(root: str) -> str:
    try:
        with open(template_path(root), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{TEMPLATE}: cannot be read: {error}", "the template is a UTF-8 file") from error


def render(root: str, ws: WorkstreamPlan) -> str:
    """The prompt for a workstream, by the repository's template or the shipped one.

    Raises UserError naming the template and its line when it is not one.
    """
    from jinja2 import Environment, StrictUndefined, TemplateError

    jinja = Environment(  # noqa: S701 - the prompt is plain text
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    try:
        return jinja.from_string(_template(root)).render(
            ws_id=ws.id, repo_root=root, worktree_path=root, **ws.context
        )
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{TEMPLATE}:{line}" if line else TEMPLATE
        raise UserError(f"{where}: {error.message}", "see the names in the shipped template") from error


def write(root: str, run_id: str, task: str, number: int, text: str) -> str:
    """Keep the prompt of one attempt; gives its absolute path. Raises OSError."""
    directory = make_dir(root, f"{PROMPTS}/{run_id}")
    path = os.path.join(directory, f"{task.replace(':', '.')}.{number}.txt")
    write_atomic(path, text.encode())
    return path
