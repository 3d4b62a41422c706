"""Advice on workstreams that are valid and could be better. Each rule has a stable code.

Advice is for authors. Nothing here is an error, and nothing is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.planning.authoring import advice_files, advice_work
from wsbuild.planning.authoring.grounds import Grounds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from wsbuild.model import Problem, Workstream
    from wsbuild.plan.read import Loaded

    Rule = Callable[[Workstream, Grounds], Iterator[Problem]]
    Rules = Mapping[str, Rule]

OF_ONE: Rules = {**advice_work.RULES, **advice_files.RULES}
"""By code, the rules that look at one workstream."""

OF_ALL = advice_work.RULES_OF_ALL
"""By code, the rules that look at all of them together."""

CODES = tuple(sorted({*OF_ONE, *OF_ALL}))


def advise(root: str, loaded: Loaded, skip: Collection[str] = ()) -> list[Problem]:
    """What could be better, in the order of files and lines; without the rules to `skip`.

    Files with problems are left out: what is wrong there comes first.
    """
    grounds = Grounds(root, loaded)
    found: list[Problem] = []
    for code, rule in OF_ONE.items():
        if code not in skip:
            for ws in grounds.workstreams:
                found += rule(ws, grounds)
    for code, rule_of_all in OF_ALL.items():
        if code not in skip:
            found += rule_of_all(grounds)
    return sorted(found, key=lambda each: (each.file, each.line, each))
