"""How often a check may be tried and fixed: its circuit breaker, moved on, judged, and put on record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wsbuild import breaker
from wsbuild.store.breakers import BreakerRow

if TYPE_CHECKING:
    from wsbuild.actions.outcome import Outcome
    from wsbuild.plan.records import StepPlan


class Guard:
    """The breaker of the check `task`; `editor` is the step that fixes what it finds, `editor_key` the key
    of that step's result.

    What was `seen` (what `wsbuild.breaker.to_json` gives, None for nothing) counts on the same `basis`.
    """

    def __init__(
        self,
        task: str,
        ws_id: str,
        limits: breaker.Limits,
        editor: StepPlan,
        editor_key: str,
        basis: str,
        seen: Any,
    ) -> None:
        self.editor = editor
        self.editor_key = editor_key
        self.limits = limits
        self.story: list[str] = []
        self._at = (task, ws_id, basis)
        try:
            self._state = breaker.from_json(seen, time.monotonic(), time.time()) if seen else breaker.State()
        except ValueError:
            self._state = breaker.State()
        self._is_known_failing = self._state.failing

    def verdict(self) -> breaker.Verdict:
        """What to do next."""
        return breaker.verdict(self._state, self.limits, time.monotonic())

    def row(self) -> BreakerRow:
        """What has been seen, for the record."""
        is_over = self._state == breaker.State()
        state = None if is_over else breaker.to_json(self._state, time.monotonic(), time.time())
        return BreakerRow(*self._at, state)

    def failed(self, outcome: Outcome, digest: str) -> bool:
        """Note how the check ended with the workstream's files as `digest` says; gives whether it is to be
        fixed now.
        """
        if not outcome.is_finding:
            return False
        # An earlier run has seen this failure; it was run again to tell what it finds.
        is_known, self._is_known_failing = self._is_known_failing, False
        if not (is_known and self._state.digests[-1:] == (digest,)):
            self._advance(breaker.Failed(outcome.signature, digest))
        verdict = self.verdict()
        if verdict.kind != "fix":
            self.story.append(f"not fixed any more: {verdict.reason}")
            return False
        self.story.append(f"failed: {outcome.message}")
        return True

    def fixed(self, *, changed: bool) -> None:
        """Note that a fix was made."""
        self._advance(breaker.Fixed(changed))

    def passed(self) -> bool:
        """Note that the check has passed; gives whether what is recorded of it is over now."""
        was, self._state = self._state, breaker.State()
        return was != self._state

    def _advance(self, event: breaker.Event) -> None:
        self._state = breaker.advance(self._state, event, self.limits, time.monotonic())
