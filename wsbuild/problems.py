"""Problems as text for a person, and as the error that ends a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.model import Problem


def describe(problem: Problem) -> str:
    """One problem: where, what and, on a line of its own, the next step."""
    line = f":{problem.line}" if problem.line else ""
    pointer = f" {problem.pointer}" if problem.pointer else ""
    help_line = f"\n  help: {problem.hint}" if problem.hint else ""
    return f"{problem.file}{line}{pointer}: {problem.message} [{problem.code}]{help_line}"


class ProblemsError(UserError):
    """What the user wrote has `problems`; the message holds all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([count, *(describe(problem) for problem in problems)]))
        self.problems = tuple(problems)
