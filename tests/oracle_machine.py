"""The clean-build oracle: a project, what was done to it, and what a build of it must then do.

What may be done is in `oracle_rules`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import planted
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from oracle_engine import Place, from_scratch, new_base
from oracle_project import (
    JOIN,
    SHAPES,
    Files,
    Model,
    bundles,
    content,
    first_sources,
    join_script,
    put,
    sources,
    tree,
    write,
)


class OracleError(AssertionError):
    """A build did not do what a build from scratch does."""


def change(*, tried: float = 1 / 6, **drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that changes the project; in a share of the cases (`tried`) a build follows at once."""

    def decorate(action: Callable[..., None]) -> Any:
        def run(self: Oracle, then_build: bool, **values: Any) -> None:
            self.dirty = True
            action(self, **values)
            self.used[action.__name__] += 1
            if then_build:
                self.check()

        run.__name__, run.__doc__ = action.__name__, action.__doc__
        return rule(
            **drawn, then_build=st.sampled_from([False] * round(6 - 6 * tried) + [True] * round(6 * tried))
        )(run)

    return decorate


class Oracle(RuleBasedStateMachine):
    """The project and the demands. `used` counts what happened, `found` holds what was wrong."""

    used: ClassVar[Counter[str]] = Counter()
    found: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self.used["sequences"] += 1
        self.cleanup = contextlib.ExitStack()
        base = new_base()
        self.cleanup.callback(shutil.rmtree, base)
        self.place = Place(base)
        self.root = self.place.root
        self.dirty = self.failed = False
        self.cache_is_whole = True

    @initialize(shape=st.sampled_from(SHAPES), settled=st.booleans(), jobs=st.sampled_from([1, 1, 2]))
    def begin(self, shape: tuple[str, ...], settled: bool, jobs: int) -> None:
        """The first build; with `settled` digests are believed sooner."""
        if settled:
            self.cleanup.enter_context(planted.short_margin())
        self.model, self.jobs = Model(shape), jobs
        for path, data in first_sources().items():
            put(self.root, path, ("f", data))
        self.write_bundles()
        self.saved: tuple[Model, Files] = self.model, sources(self.root)
        self.check()

    def teardown(self) -> None:
        """The last build, and the end of the project."""
        with self.cleanup:
            if not self.failed:
                self.settle()

    # --- the oracle

    def check(self) -> None:
        """Build, compare with a build from scratch (O1), and build again (O3)."""
        given = sources(self.root)
        said = self.build()[1]
        expected, made = from_scratch(self.model, given), tree(self.root)
        wrong = sorted(path for path in expected.keys() | made.keys() if expected.get(path) != made.get(path))
        shown = [f"{path}: {made.get(path)}, from scratch {expected.get(path)}" for path in wrong]
        self.demand(not wrong, "\n".join([*shown, said]))
        self.dirty = False
        self.idle("built again")

    def settle(self) -> None:
        """Build what has been changed, if anything has."""
        if self.dirty:
            self.check()

    def idle(self, what: str) -> None:
        """A build after something that makes no difference."""
        started, said = self.build()
        self.demand(not started, f"{what}, it ran {started}: {said}")
        self.used[what] += 1

    def build(self, *words: str) -> tuple[list[str], str]:
        """A build that must succeed: which commands it started, and what it said."""
        built = self.place.build(self.model, *words, jobs=self.jobs)
        self.demand(built.code == 0, f"the build failed: {built.said}")
        return built.started, built.said

    def demand(self, holds: bool, otherwise: str) -> None:
        """What must hold."""
        if not holds:
            self.failed = True
            self.found.append(otherwise)
            raise OracleError(otherwise)

    # --- the project

    def write_bundles(self, how: str = "plain") -> None:
        """Have the bundles say what the model says."""
        for path, data in bundles(self.model).items():
            target = self.root / path
            if not target.exists() or target.read_bytes() != data:
                write(target, data, how)

    def pick(self, which: int, *below: str) -> Path | None:
        """One of the files below some places; None where there are none."""
        found = [p for p in sorted(tree(self.root)) if any(p == b or p.startswith(b + "/") for b in below)]
        found = [p for p in found if os.path.exists(self.root / p)]
        return self.root / found[which % len(found)] if found else None

    def new_content(self, path: Path, digit: int) -> bytes:
        """A content for a source: most have the size of what is there."""
        return join_script(digit) if path == self.root / JOIN else content(digit)
