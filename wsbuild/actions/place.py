"""Where the files are that steps read and write: the checkout, or a workspace beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wsbuild.actions.freshness import Decision, Freshness
    from wsbuild.cache.entry import Entry
    from wsbuild.plan.records import StepPlan


class Place(Protocol):
    """Files of the project, and what is up to date among them."""

    @property
    def root(self) -> str:
        """The absolute path of the project there."""

    @property
    def freshness(self) -> Freshness:
        """Whether steps are up to date there."""


class Isolated(Place, Protocol):
    """A place of one workstream's own."""

    @property
    def is_supposed(self) -> bool:
        """Whether there are no files yet."""

    @property
    def where(self) -> str:
        """The path of its files from the checkout's root, for a person; '' where there are none yet."""

    def suppose(self, entry: Entry) -> None:
        """Let a recorded result be there."""

    def watch(self) -> None:
        """A tool is about to work here: remember what is around."""

    @property
    def strays(self) -> list[str]:
        """What was done elsewhere while a tool worked here, as found by `violations`, a line each."""

    def violations(self) -> list[str]:
        """What was done here that the workstream may not do, a line each."""

    def settle(self) -> None:
        """Have files that were edited here as they will be where they land."""

    def quarantine(self, name: str) -> list[str]:
        """Take all that was done here out of the way, kept under `name`; gives lines that say where."""

    def decide(self, step: StepPlan) -> Decision:
        """Whether a step is up to date here; landing is not before it has landed."""
