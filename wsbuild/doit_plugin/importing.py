"""doit as a run needs it: half of what it imports is for its plugins, its debugger and its other commands."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from types import ModuleType
from typing import Any

NOT_FOR_RUNS = ("configparser", "importlib.metadata", "multiprocessing", "pdb", "pprint")
"""Modules that doit imports and, for a run of ours, never calls."""


class _StandIn(ModuleType):
    """Has every name of a module. To call one imports the module, and calls what it has by that name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return partial(_call, self.__name__, name)


def _call(module: str, name: str, *args: Any, **kwargs: Any) -> Any:
    _take_back(module)
    return getattr(importlib.import_module(module), name)(*args, **kwargs)


def _take_back(module: str) -> None:
    if isinstance(sys.modules.get(module), _StandIn):
        del sys.modules[module]


def import_doit() -> None:
    """Import doit without the modules that are not for runs: it gets stand-ins of them, and nobody else does.

    To be called before anything else imports doit, and while no other thread imports anything.
    """
    sys.modules.update({name: _StandIn(name) for name in NOT_FOR_RUNS if name not in sys.modules})
    try:
        importlib.import_module("doit")
    finally:
        for name in NOT_FOR_RUNS:
            _take_back(name)
