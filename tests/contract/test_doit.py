"""What wsbuild relies on in doit without doit documenting it: one test a hook.

When a new release of doit breaks one of these, the seam in `doit_plugin` has to change with it.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest
from doit import cmd_base, cmd_run, control, dependency, runner
from doit.cmd_list import List
from doit.doit_cmd import DoitMain
from doit.task import Task

from wsbuild.doit_plugin.dependency import WorkDependency
from wsbuild.doit_plugin.loader import Loader, NullBackend
from wsbuild.doit_plugin.node import OrderedNode, install_order_only
from wsbuild.doit_plugin.reporter import StepReporter
from wsbuild.tasks import WorkTask


def _source(thing: object) -> str:
    return inspect.getsource(thing)  # type: ignore[arg-type]


def test_the_installed_doit_is_of_the_tested_range() -> None:
    """The range in pyproject.toml is the range that these tests were run with."""
    major, minor = map(int, version("doit").split(".")[:2])
    assert (0, 36) <= (major, minor) < (0, 38)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("doit.LOADER", "wsbuild"),
        ("doit.BACKEND", "wsbuild"),
        ("doit.REPORTER", "wsbuild"),
        ("doit.COMMAND", "dumpdb"),
    ],
)
def test_plugins_are_found(group: str, name: str) -> None:
    """doit finds plugins as entry points of these groups."""
    found = [entry for entry in entry_points(group=group) if entry.name == name]
    assert len(found) == 1
    found[0].load()


def test_the_loader_is_asked_in_this_order() -> None:
    """setup, load_doit_config, the dependency manager, load_tasks; then the command."""
    source = _source(cmd_base.DoitCmdBase.execute)
    order = [
        "loader.setup(",
        "load_doit_config(",
        "self.dep_manager is None",
        "Globals.dep_manager =",
        "load_tasks(",
        "self._execute(",
    ]
    places = [source.index(text) for text in order]
    assert places == sorted(places)


def test_the_words_of_the_command_line_are_one_list() -> None:
    """The loader renames aliases in place: selection and `pos_args` must be the same object."""
    source = _source(cmd_base.DoitCmdBase.execute)
    assert "self.sel_tasks = args or" in source
    assert "params['pos_args'] = args" in source


def test_run_takes_its_selection_from_the_command_object() -> None:
    """The loader replaces `sel_tasks` by one private group."""
    source = _source(cmd_run.Run._execute)
    assert "self.control.process(self.sel_tasks)" in source
    assert "TaskControl(self.task_list" in source


def test_options_are_read_after_the_loader_has_set_them() -> None:
    """`par_type` and `single` are changed in `setup`."""
    names = inspect.signature(cmd_run.Run._execute).parameters
    assert {"par_type", "single", "always", "num_process"} <= names.keys()
    assert "params[n]) for n in args_name" in _source(cmd_base.DoitCmdBase.execute)


def test_every_use_of_the_dependency_manager_is_covered() -> None:
    """Each public method of doit's is overridden: none reaches a database that is not there."""
    theirs = {
        name for name, _ in inspect.getmembers(dependency.Dependency, inspect.isfunction) if name[0] != "_"
    }
    assert theirs <= set(vars(WorkDependency))
    assert {"remove", "remove_all"} <= set(vars(WorkDependency))


def test_the_backend_has_what_doit_calls() -> None:
    """The same methods as doit's own backends."""
    theirs = {name for name, _ in inspect.getmembers(dependency.JsonDB, inspect.isfunction) if name[0] != "_"}
    assert theirs <= set(dir(NullBackend))


def test_the_reporter_has_what_the_runners_call() -> None:
    """Every method of doit's console reporter that a runner calls."""
    called = {
        line.split("self.reporter.")[1].split("(")[0]
        for line in _source(runner).splitlines()
        if "self.reporter." in line and "(" in line.split("self.reporter.")[1]
    }
    assert called <= set(dir(StepReporter)) | {"__class__"}


def test_a_light_task_has_every_attribute_of_a_real_one() -> None:
    """doit's constructor is skipped; nothing that it sets may be missing."""
    assert set(vars(Task("x", None))) <= set(dir(WorkTask("x")))


def test_light_tasks_share_nothing_that_changes() -> None:
    """Two tasks do not see each other's dependencies, values or targets."""
    one, two = WorkTask("one"), WorkTask("two")
    for name in ("task_dep", "file_dep", "calc_dep", "values", "targets"):
        assert getattr(one, name) is not getattr(two, name), name


def test_the_dispatcher_looks_its_node_up_by_name() -> None:
    """Order-only dependencies replace `control.ExecNode`, and rely on `parent_status`."""
    assert "ExecNode(self.tasks[task_name], parent)" in _source(control.TaskDispatcher._gen_node)
    assert "parent_status(" in _source(control.TaskDispatcher._update_waiting)
    before = control.ExecNode
    try:
        install_order_only()
        assert control.ExecNode is OrderedNode
    finally:
        control.ExecNode = before


@pytest.mark.parametrize(("after", "blocked"), [(("up",), False), ((), True)])
def test_a_failure_blocks_only_what_depends_on_it(after: tuple[str, ...], blocked: bool) -> None:
    """The replaced node differs from doit's for `after` only."""
    up = control.ExecNode(WorkTask("up"), None)
    up.run_status = "failure"
    down = OrderedNode(WorkTask("down", deps=() if after else ("up",), after=after), None)
    down.parent_status(up)
    assert bool(down.bad_deps) is blocked
    assert down.task_dep == ["up"]


def test_a_worker_thread_needs_only_the_name_of_a_task() -> None:
    """doit sends `pickle_safe_dict()` between threads and puts it back with `update_from_pickle`."""
    assert "job.name" in _source(runner.MRunner.execute_task_subprocess)
    task = WorkTask("x", step="s")
    task.update_from_pickle(task.pickle_safe_dict())
    assert task.step == "s"


def test_list_decides_by_these_attributes() -> None:
    """Groups are listed, members hidden, by `subtask_of`; the status map knows our statuses."""
    assert "task.subtask_of" in _source(List._list_all)
    assert {"up-to-date", "run"} <= set(List.STATUS_MAP)


def test_the_loader_is_accepted_as_an_object() -> None:
    """`wsbuild run` hands doit a loader that it has made itself."""
    main = DoitMain(Loader())
    assert isinstance(main.task_loader, Loader)
    assert {option["name"] for option in Loader.cmd_options} == {"dodoFile", "cwdPath", "seek_file"}


SPARING = """
import sys
from wsbuild.doit_plugin.importing import NOT_FOR_RUNS, import_doit

import_doit()
import doit.action, doit.doit_cmd, doit.plugin, doit.runner

print([name for name in NOT_FOR_RUNS if name in sys.modules])
print(doit.plugin.entry_points(group="doit.LOADER")["wsbuild"].name)
print(type(doit.action.pdb.Pdb()).__module__, type(doit.doit_cmd.ConfigParser()).__module__)
print(doit.runner.MRunner.Child is doit.runner.Process, type(doit.runner.Process()).__name__)
print(all(sys.modules[name].__spec__.name == name for name in ("configparser", "importlib.metadata", "pdb")))
"""


def test_what_doit_imports_and_a_run_does_not_need_is_imported_when_it_is_called() -> None:
    """doit takes it by name and calls it: it makes no class of its own from it."""
    done = subprocess.run([sys.executable, "-c", SPARING], capture_output=True, text=True, check=True)
    told = ["[]", "wsbuild", "pdb configparser", "True Process", "True"]
    assert done.stdout.splitlines() == told


def test_what_is_there_already_is_left_as_it_is() -> None:
    """A module that somebody else has imported is the one that doit gets."""
    script = "import importlib.metadata, pdb\nfrom wsbuild.doit_plugin.importing import import_doit\n"
    script += "import_doit(); import doit.action, doit.plugin\n"
    script += "assert doit.action.pdb is pdb\n"
    script += "assert doit.plugin.entry_points is importlib.metadata.entry_points\n"
    subprocess.run([sys.executable, "-c", script], check=True)
