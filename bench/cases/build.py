"""The same graph built by every tool: at first, with nothing to do, after a change, after a touch.

The tools that take minutes with many workstreams are compared with few, beside some that do not.
"""

from __future__ import annotations

import itertools
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from bench.cases.field import REFERENCES, Field, build_size, look_size, make_field, show_size
from bench.cases.profile import profile
from bench.cases.setting import (
    NOOP_WARMUP,
    Setting,
    Site,
    base_of,
    cold,
    counted,
    listed,
    noop,
    renamed,
    wait,
)
from bench.generate import change, touch
from bench.measure import Command, environment, median, once
from bench.peers import wsbuild, wsbuild_run
from bench.peers.peer import BUILD, BUILD_TWO, LIST
from bench.peers.registry import PEERS
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OWN = wsbuild_run.NAME
NOTHING = f"{OWN}, nothing to do"
STEPS_ALONE = "the steps alone"
AFTERWARDS = f"{OWN}, the run after"

NOOP = 1.2
"""How long `wsbuild run` may take to find nothing to do, in units of what ninja takes."""

CHANGE_MS = 60
"""How long it may take after a change, beyond what it takes with nothing to do and what the steps take."""

TOUCH = 4
"""How long it may take where all inputs were touched, in units of what it takes with nothing to do."""

TWO_JOBS = 2.5
"""How long a first build with two jobs may take it, in units of what ninja takes."""


def _changed(site: Site) -> Command:
    """A build after a change to one input of the last workstream."""
    numbers = itertools.count()
    last = site.graph.workstreams[site.graph.last]

    def prepare() -> None:
        wait(site)
        change(site.root, last.files[0], next(numbers))

    return Command(
        site.peer.NAME,
        site.argv(BUILD),
        site.root,
        prepare,
        partial(counted, site, len(last.steps)),
    )


def _touched(site: Site) -> Command:
    """A build after all inputs were touched: that of wsbuild runs nothing."""

    def prepare() -> None:
        wait(site)
        touch(site.root, site.graph)

    steps = 0 if site.peer in {wsbuild, wsbuild_run} else None
    return Command(site.peer.NAME, site.argv(BUILD), site.root, prepare, partial(counted, site, steps))


def _resting(site: Site) -> Command:
    """A build with nothing to do, and none before it either; what came before that does not matter."""
    argv = site.argv(BUILD)

    def prepare() -> None:
        subprocess.run(argv, cwd=site.root, env=environment(), check=True, capture_output=True)

    return Command(NOTHING, argv, site.root, prepare, partial(counted, site, 0))


def _steps_alone(site: Site) -> Command:
    """What a change calls for, started by a shell alone; the outputs go elsewhere."""
    aside = f"{site.root}.alone"
    steps = site.graph.workstreams[site.graph.last].steps
    lines = [f"sh -c 'sha256sum {' '.join(step.inputs)} > {aside}'" for step in steps]
    return Command(STEPS_ALONE, ["/bin/sh", "-ec", "\n".join(lines)], site.root)


def _first(field: Field) -> Iterator[Table]:
    """One after the other, which leaves all outputs in place for what comes after."""
    sites = field.taking_part(build_size)
    found = field.setting.short().measure([cold(site) for site in sites], warmup=0)
    yield field.table("The first build", "Neither outputs nor state.", found, build_size)


def _first_by_two(field: Field) -> Iterator[Table]:
    sites = [site for site in field.taking_part(build_size) if site.has(BUILD_TWO)]
    found = field.setting.short().measure([cold(site, BUILD_TWO) for site in sites], warmup=0)
    names = list(found)
    note = "Neither outputs nor state. Only those that were asked for two jobs."
    targets = {OWN: TWO_JOBS} if base_of(names) == "ninja" else {}
    yield Table(f"The first build, two jobs at a time: {field.size}", note, base_of(names), found, targets)


def _nothing(field: Field) -> Iterator[Table]:
    sites = field.taking_part(look_size)
    found = field.setting.measure([noop(site) for site in sites], warmup=NOOP_WARMUP)
    targets = {OWN: NOOP} if field.above is None and base_of(list(found)) == "ninja" else {}
    yield field.table("Nothing to do", "All outputs are as built.", found, look_size, targets)


def _after_change(field: Field) -> Iterator[Table]:
    sites = field.taking_part(look_size)
    beside = [make(site) for site in sites if site.peer is wsbuild_run for make in (_resting, _steps_alone)]
    # In front: most of a turn has passed since the last change, so its times can be believed.
    found = field.setting.measure([*beside, *(_changed(site) for site in sites)])
    limits = {}
    if beside:
        rest, alone = (median(found[command.name]).wall_s * 1000 for command in beside)
        limits[OWN] = rest + alone + CHANGE_MS
    steps = len(field.graph.workstreams[field.graph.last].steps)
    note = f"It belongs to the last workstream, so {steps} steps are run again."
    yield field.table("One input file changed", note, found, look_size, limits=limits)


def _after_touch(field: Field) -> Iterator[Table]:
    sites = field.taking_part(build_size)
    commands, own = [], None
    for site in sites:
        commands.append(_touched(site))
        if site.peer is wsbuild_run:
            own = noop(site)
            commands.append(renamed(own, AFTERWARDS))
    if own:
        # In front: after the turn before it is at rest.
        commands.insert(0, renamed(own, NOTHING))
    found = field.setting.short().measure(commands)
    limits = {OWN: TOUCH * median(found[NOTHING]).wall_s * 1000} if own else {}
    note = "All have a new time of change and the contents they had; who compares times builds all again."
    yield field.table("All input files touched", note, found, build_size, limits=limits)


def _list(field: Field) -> Iterator[Table]:
    sites = [site for site in field.taking_part(show_size) if site.has(LIST)]
    commands = [
        Command(
            site.peer.NAME,
            site.argv(LIST),
            site.root,
            verify=partial(listed, site.graph),
        )
        for site in sites
    ]
    found = field.setting.measure(commands)
    yield field.table("The list", "Every workstream is named.", found, show_size)


MEASURES = {
    "cold": _first,
    "cold-two": _first_by_two,
    "noop": _nothing,
    "profile": profile,
    "change": _after_change,
    "touch": _after_touch,
    "list-each": _list,
}
"""In this order: what comes later is of what the first builds leave."""


def _compare(field: Field, chosen: Sequence[str]) -> Iterator[Table]:
    measures = {name: measure for name, measure in MEASURES.items() if name in chosen}
    if measures.pop("cold", None):
        yield from (table for table in _first(field) if table.found or table.absent)
    measured = field.taking_part(build_size) if "cold" in chosen else []
    for site in field.sites:
        if site not in measured:
            field.setting.tell(f"the first build by {site.peer.NAME}")
            once(cold(site), field.setting.scratch)
    for measure in measures.values():
        yield from (table for table in measure(field) if table.found or table.absent)


def build(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:
    """Every tool that is installed over the same graph."""
    yield from _compare(make_field(setting, PEERS, setting.workstreams, None), chosen)
    slow = [peer for peer in PEERS if min(peer.LARGEST.build, peer.LARGEST.look) < setting.workstreams]
    if slow:
        field = make_field(
            setting.short(), [*REFERENCES, *slow], min(setting.few, setting.workstreams), setting.workstreams
        )
        yield from _compare(field, [name for name in chosen if name not in {"cold-two", "profile"}])
