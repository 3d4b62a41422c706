"""Which tasks a doit command needs: as few as possible, in the order they must run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from doit.globals import Globals

from wsbuild import tasks
from wsbuild.actions.again import Again
from wsbuild.actions.engine import Engine
from wsbuild.actions.restrict import restricted
from wsbuild.actions.session import Session
from wsbuild.doit_plugin.dependency import WorkDependency
from wsbuild.doit_plugin.node import install_order_only
from wsbuild.doit_plugin.stream import quiet_stdout
from wsbuild.errors import UserError
from wsbuild.plan.order import closure, just
from wsbuild.plan.select import Target, select
from wsbuild.root import find_root, path_from_root

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doit.cmd_base import DoitCmdBase as Command

    from wsbuild.actions.again import Before
    from wsbuild.actions.tally import Tally
    from wsbuild.doit_plugin.detecting import Detecting

NAME = "wsbuild"
"""The reporter whose output is known beforehand."""

JUDGING = frozenset({"run", "list", "info"})
WRITING = frozenset({"run", "forget", "ignore", "reset-dep", "clean"})


def _detecting(session: Session, cmd: Command, words: list[str]) -> Detecting | None:
    """The detectors that are asked for; None where there are none."""
    asked = [word for word in words if tasks.is_detecting(word)]
    if not asked:
        return None
    if cmd.name not in JUDGING:
        hint = "what they have found is known by what it depends on; .wsbuild/detect.db may be removed"
        raise UserError(f"doit {cmd.name} does nothing for detectors", hint)
    from wsbuild.doit_plugin.detecting import Detecting

    return Detecting(session, asked)


def _run_tasks(
    engine: Engine, cmd: Command, words: list[str], beside: list[Any], *, single: bool
) -> list[Any]:
    """The closure of what was asked for, with the tasks `beside` it, behind one private group that holds it
    in order.

    doit walks a chain of dependencies recursively in memory that grows with the square of its
    length; handing it the order spares that.
    """
    found_before = restricted(engine.session)
    if found_before is not None:
        chosen, others = found_before
    else:
        own = [word for word in words if not tasks.is_detecting(word)]
        targets, others = select(engine.session.plan, own), []
        chosen = just(engine.session.plan, targets) if single else closure(engine.session.plan, targets)
    loaded: set[str] = set()
    found = []
    for ws_id, steps in chosen.items():
        made = tasks.workstream_tasks(
            engine.session.plan[ws_id], engine.perform, steps=steps, loaded=loaded.__contains__
        )
        loaded.add(made[-1].name)
        found.extend(made)
    found.extend(beside)
    names = [task.name for task in found]
    cmd.sel_tasks = [tasks.SELECTION]
    install_order_only()
    engine.start(chosen, others)
    return [*found, tasks.selection_task(names)]


def _named_tasks(engine: Engine, words: list[str]) -> list[Any]:
    """The workstreams named (or all of them), with their steps, without edges between them."""
    plan = engine.session.plan
    own = [word for word in words if word != tasks.ALL and not tasks.is_detecting(word)]
    targets = [target for word in own for target in select(plan, [word])]
    if not words or tasks.ALL in words:
        targets = [Target(ws_id) for ws_id in plan.ids]
    found = []
    for ws_id in dict.fromkeys(target.ws_id for target in targets):
        made = tasks.workstream_tasks(plan[ws_id], engine.perform)
        found.extend([made[-1], *made[:-1]])
    return found


def _all_group(found: list[Any]) -> list[Any]:
    """The tasks, with `ws` over the workstreams among them."""
    groups = [task for task in found if not task.step]
    for task in groups:
        task.subtask_of = tasks.ALL
    return [tasks.all_task([task.name for task in groups]), *found]


def _canonical_words(engine: Engine, words: list[str], *, wildcards: bool) -> list[str]:
    """The words as names of tasks: aliases and paths resolved; wildcards left to doit."""
    names: list[str] = []
    for word in words:
        if word == tasks.ALL or tasks.is_detecting(word) or (wildcards and "*" in word):
            names.append(word)
            continue
        for target in select(engine.session.plan, [word]):
            ws = engine.session.plan[target.ws_id]
            names.append(ws.step_task(target.step) if target.step else ws.task)
    return list(dict.fromkeys(names))


def _list_tasks(engine: Engine, words: list[str], options: Mapping[str, Any]) -> list[Any]:
    """What `doit list` shows: without words, one line a workstream unless it asks for all."""
    whole = options.get("subtasks") or options.get("status")
    if not words and not whole:
        return [
            tasks.WorkTask("ws:" + row.id.removeprefix("ws-"), doc=row.doc, group=True, ws_id=row.id)
            for row in engine.session.plan.summaries
        ]
    found = _named_tasks(engine, words)
    if tasks.ALL in words:
        found = _all_group(found)
    if options.get("list_deps"):
        for task in (task for task in found if task.ws_id):
            task.file_dep = engine.inputs_of(task.ws_id, task.step)
    return found


def _single_tasks(engine: Engine, words: list[str]) -> list[Any]:
    """`doit info`: the one task, with its inputs as file dependencies and its outputs as targets."""
    found = _named_tasks(engine, words)
    if tasks.ALL in words:
        found = _all_group(found)
    _fill_targets(engine, found)
    for task in found:
        if task.name in words and task.step:
            task.file_dep = engine.inputs_of(task.ws_id, task.step)
            task.task_dep = engine.upstream_of(task.ws_id, task.step)
            task.meta = engine.meta_of(task.ws_id, task.step)
    return found


def _fill_targets(engine: Engine, found: list[Any]) -> None:
    for task in found:
        if task.step:
            task.targets = engine.made_by(task.ws_id, task.step)


def load(
    cmd: Command,
    words: list[str],
    options: dict[str, Any],
    *,
    single: bool,
    session: Session | None = None,
    words_again: Sequence[str] = (),
    before: Before | None = None,
) -> list[Any]:
    """The tasks for `cmd`, and its dependency manager replaced by ours.

    `words` is changed in place: doit looks the names up in what is loaded. A run that finds nothing to do
    is remembered as `words_again`, where that is not empty; what an earlier one knows is in `before`. Raises
    WsbuildError.
    """
    if cmd.name == "strace":
        raise UserError("doit strace follows shell actions only", "strace -f doit run TASK follows a step")
    if session is None:
        cwd = os.path.realpath(os.getcwd())
        is_plain = options.get("reporter") == NAME and not any(map(tasks.is_detecting, words))
        again = Again(words_again, before) if words_again and is_plain else None
        session = Session(find_root(cwd), os.environ, writing=cmd.name in WRITING, again=again)
        if again is not None:
            again.render = as_text
        words[:] = [path_from_root(word, session.root, cwd) for word in words]
    cmd.outstream = quiet_stdout()
    session.force = bool(options.get("always"))
    os.chdir(session.root)
    engine = Engine(session)
    detecting = _detecting(session, cmd, words)
    cmd.dep_manager = WorkDependency(engine, accepting=cmd.name == "reset-dep", detecting=detecting)
    Globals.dep_manager = cmd.dep_manager
    beside = detecting.tasks() if detecting else []
    if cmd.name == "run":
        if beside and all(map(tasks.is_detecting, words)):
            options["continue"] = True  # they are judged in one go: all of it is told
            cmd.sel_tasks = [task.name for task in beside if task.detector]
            engine.start({})
            return beside
        return _run_tasks(engine, cmd, words, beside, single=single)
    if not words and cmd.name == "ignore":
        return []
    words[:] = _canonical_words(engine, words, wildcards=cmd.name == "clean")
    if cmd.name == "list":
        return [*_list_tasks(engine, words, options), *beside]
    if cmd.name == "info":
        return [*_single_tasks(engine, words), *beside] if len(words) == 1 else []
    found = _all_group(_named_tasks(engine, [] if _wild(words) else words))
    if cmd.name == "clean":
        _fill_targets(engine, found)
    if not words:
        cmd.sel_tasks = [tasks.ALL]
    return found


def as_text(tally: Tally) -> str:
    """What a run that finds nothing to do prints."""
    return "".join(f"{line}\n" for line in tally.summary_lines(None))


def _wild(words: list[str]) -> bool:
    return any("*" in word for word in words)
