"""One command over one project: the plan, the store, the files, and what was asked for."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from wsbuild.actions.doings import Doings
from wsbuild.actions.tally import Tally
from wsbuild.plan.cached import load_plan
from wsbuild.plan.records import BRANCH
from wsbuild.statedir import database_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wsbuild.actions.again import Again
    from wsbuild.actions.freshness import Decision, Freshness
    from wsbuild.actions.place import Isolated, Place
    from wsbuild.actions.reader import Reader
    from wsbuild.actions.stacks import Stacks
    from wsbuild.actions.tally import StepReport
    from wsbuild.cache.cache import Cache
    from wsbuild.errors import WsbuildError
    from wsbuild.plan.order import Chosen
    from wsbuild.plan.records import StepPlan, WorkstreamPlan
    from wsbuild.store.clean import CleanRow
    from wsbuild.store.db import Store
    from wsbuild.tools.redact import Redactor
    from wsbuild.worktrees.git import Git


class Session:
    """Everything a command needs, made when it is first needed.

    A session that does not write opens the database read-only and leaves every byte of state as it
    is. Of a run it holds what was asked for (`chosen`, `force`: even what is up to date, `wait`: for
    the tree if somebody else has it), and what became of it (`run_id`: None while nothing was worth
    recording, `tally`, `ended_by`: the signal that ended it, `fatal`: why it could not go on). `tell` is
    called with steps that are told of when they are recorded, not when they end. `again` is what remembers
    a run that has found nothing to do.
    """

    def __init__(
        self, root: str, environ: Mapping[str, str], *, writing: bool, again: Again | None = None
    ) -> None:
        self.again = again
        self.root = root
        self.environ = environ
        self.writing = writing
        self.python = sys.executable
        self.database = database_path(root, environ)
        if again is not None:
            again.look_at_database(self.database)
        if again is None:
            self.plan = load_plan(root, environ, keep=writing)
        else:
            watch = again.watch
            self.plan = load_plan(root, environ, keep=writing, note=watch.note, look=watch.look)
            again.has_looked_at_all()
        self.chosen: Chosen = {}
        self.force = False
        self.wait = True
        self.run_id: str | None = None
        self.tally = Tally(self.redacted)
        self.ended_by = 0
        self.fatal: WsbuildError | None = None
        self.tell: Callable[[Sequence[StepReport]], None] = lambda _: None
        self.workspaces: dict[str, Isolated] = {}
        self.landing = RLock()
        self.doings = Doings()
        self._old: Store | None = None
        self._changes = 0
        self._latest: tuple[str, str, int, Decision] | None = None
        self._warned: set[str] = set()

    @cached_property
    def store(self) -> Store:
        """The history database; read-only until `begin_writing`."""
        from wsbuild.store.db import open_store

        store = open_store(self.database, readonly=True)
        if not self.writing:
            self._warn(store)
        return store

    @cached_property
    def reader(self) -> Reader:
        """What the store says of steps."""
        from wsbuild.actions.reader import Reader

        return Reader(self.store)

    @cached_property
    def freshness(self) -> Freshness:
        """Whether steps are up to date."""
        from wsbuild.actions.freshness import Freshness
        from wsbuild.cache.expand import Tree
        from wsbuild.cache.files import FileStates
        from wsbuild.identity import Tools, search_path
        from wsbuild.store import files, tool_versions

        store = self.store
        watch = self.again.watch if self.again else None
        states = FileStates(
            self.root,
            store.seed,
            lambda paths: store.read(lambda conn: files.get_many(conn, paths)),
            stat_file=watch.lstat_file if watch else os.lstat,
            stat_around=watch.lstat_around if watch else None,
        )
        tools = Tools(
            states.beside(),
            search_path(self.environ, self.python),
            self.python,
            lambda asked: store.read(lambda conn: tool_versions.get(conn, asked)),
        )
        tree = Tree(self.root, self.plan.config.ignore, watch.note if watch else None)
        paths = self._literal_paths()
        states.prime(paths)
        self.reader.prime_paths(paths)
        model = self.environ.get("AIDER_MODEL") or self.plan.config.model
        return Freshness(self.plan, tree, states, tools, self.reader, self.environ, model)

    def _literal_paths(self) -> list[str]:
        """The files that the chosen steps name, which will all be asked about."""
        found: dict[str, None] = {}
        for ws_id, names in self.chosen.items():
            for step in self.plan[ws_id].steps:
                if step.name in names:
                    found.update(dict.fromkeys((*step.inputs, *step.outputs)))
        return list(found)

    @cached_property
    def git(self) -> Git | None:
        """The project's git; None where there is none to make worktrees with."""
        from wsbuild.worktrees.git import Git

        return Git.find(self.root, self.plan.config.ignore)

    @property
    def cache_dir(self) -> str:
        """The absolute path of the cache."""
        from wsbuild.cache.place import cache_dir

        return cache_dir(self.root, self.environ)

    @cached_property
    def cache(self) -> Cache | None:
        """The cache of results; None where the settings want none."""
        from wsbuild.cache.cache import Cache

        mode = self.plan.config.cache_mode
        if mode == "off":
            return None
        writable = self.writing and mode == "read-write"
        return Cache(self.cache_dir, self.root, writable=writable, deferred=True)

    @cached_property
    def redactor(self) -> Redactor:
        """What takes secrets out of all that is kept or shown: those of the caller's environment, and
        those that the chosen workstreams (before a choice: all) give their tools.
        """
        from wsbuild.tools.redact import Redactor, secrets_of

        steps = (step for ws_id in self.chosen or self.plan.ids for step in self.plan[ws_id].steps)
        given = [
            (name, value)
            for step in steps
            for command in step.commands
            for name, value in command.env.items()
            if value is not None
        ]
        return Redactor(secrets_of(self.environ, self.plan.config.secrets, given))

    @cached_property
    def visible(self) -> dict[str, str]:
        """What every tool may see of the caller's environment."""
        from wsbuild.tools.environment import tool_env

        return tool_env(self.environ, {})

    def redacted(self, text: str) -> str:
        """Text without secrets."""
        return self.redactor.text(text) if text else ""

    def begin_writing(self) -> None:
        """Open the database for writing; called by whoever holds the tree's lock.

        What was known until then may have been changed by the lock's last holder, and is dropped.
        Threads that are in the middle of a question get its answer from the old connection, which
        stays open: their answer is asked for again before anything is done.
        """
        from wsbuild.actions.reader import Reader
        from wsbuild.store.db import open_store

        again = self.again
        if again is not None and not again.look_at_database_again():
            again.is_spoiled = True
        is_as_left = again is not None and again.trace is not None and not again.is_spoiled
        store = open_store(self.database, is_as_left=is_as_left)
        self._warn(store)
        self._old = self.__dict__.get("store")
        self.store = store
        before, self.reader = self.reader, Reader(store)
        self._moved_on()
        self.reader.take_over(before)
        known = self.__dict__.pop("freshness", None)
        if known is not None and known.states.seed == store.seed:
            self.freshness.states.adopt(known.states)
            self.freshness.tools.unsaved.update(known.tools.take_unsaved())

    @property
    def has_warned(self) -> bool:
        """Whether the user was told something besides what became of the steps."""
        return bool(self._warned)

    def warn(self, line: str) -> None:
        """Tell the user something that does not stop anything, once; '' is nothing."""
        line = self.redacted(line)
        if line and line not in self._warned:
            self._warned.add(line)
            sys.stderr.write(f"wsbuild: {line}\n")

    def _warn(self, store: Store) -> None:
        for warning in store.warnings:
            self.warn(warning)

    def step(self, ws_id: str, name: str) -> tuple[WorkstreamPlan, StepPlan]:
        """A step of the plan by name."""
        ws = self.plan[ws_id]
        return ws, next(step for step in ws.steps if step.name == name)

    def place(self, ws: WorkstreamPlan) -> Place:
        """Where the steps of a workstream find their files now."""
        return self.workspaces.get(ws.id) or self.ground(ws)

    def ground(self, ws: WorkstreamPlan) -> Place:
        """Where they find them without a workspace, and what one is begun from."""
        return self.stacks.place(ws) if ws.land == BRANCH and self.git is not None else self

    @cached_property
    def stacks(self) -> Stacks:
        """The branches of workstreams that land so."""
        from wsbuild.actions.stacks import Stacks

        return Stacks(self.plan, lambda: self.git, lambda: self.freshness)

    def decide(self, ws_id: str, name: str) -> Decision:
        """Whether a step is up to date, and why not."""
        changes = self._changes
        ws, step = self.step(ws_id, name)
        space = self.workspaces.get(ws_id)
        decision = space.decide(step) if space else self.ground(ws).freshness.decide(ws, step)
        self._latest = (ws_id, name, changes, decision)
        return decision

    def forget_decisions(self) -> None:
        """What was decided last does not count: the files are others now."""
        self._moved_on()

    def _moved_on(self) -> None:
        self._changes += 1
        if "stacks" in self.__dict__:
            self.stacks.look_again()

    def changed(self, task: str = "", row: CleanRow | None = None, wrote: Iterable[str] = ()) -> None:
        """Something was recorded of `task` (without one: of any), and of the files it `wrote`: earlier
        answers do not count. `row` is what says now that it is up to date.
        """
        self._moved_on()
        if task:
            self.reader.changed(task, row, wrote)
        else:
            self.reader.all_changed()

    def decided(self, ws_id: str, name: str) -> Decision:
        """The answer for a step, given just now or anew."""
        latest = self._latest
        if latest is not None and latest[:3] == (ws_id, name, self._changes):
            return latest[3]
        return self.decide(ws_id, name)

    def close(self) -> None:
        """Let go of the database."""
        for store in (self._old, self.__dict__.get("store")):
            if store is not None:
                store.close()
