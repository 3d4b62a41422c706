"""The usual forms of `wsbuild detect` and `wsbuild run`, understood without the whole command line: they
are asked often.

Part of the hot path: imports nothing heavy. Whatever is not understood here is left to the command line,
which knows all options and tells what is wrong.
"""

from __future__ import annotations

import os

from wsbuild.root import path_from_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wsbuild.cli.answers import Request
    from wsbuild.cli.running import RunRequest

_WHICH = {"--staged": "staged", "--changed": "changed"}
_FORMS = {"--json": "json"}
_SWITCHES = {"-c": "go_on", "--continue": "go_on", "--no-wait": "no_wait", "--json": "as_json"}


def request_of(words: Sequence[str], root: str) -> Request | None:
    """What the words behind `detect` ask for; None where the command line is to read them."""
    which, form, new_only = "", "text", False
    only: list[str] = []
    paths: list[str] = []
    here = os.path.realpath(os.getcwd())
    rest = iter(words)
    for word in rest:
        if word in _WHICH and not which:
            which = _WHICH[word]
        elif word in _FORMS:
            form = _FORMS[word]
        elif word == "--new-only":
            new_only = True
        elif word in {"-d", "--detector"}:
            name = next(rest, "")
            if not name or name.startswith("-"):
                return None
            only.append(name)
        elif word.startswith("-") or not word:
            return None
        else:
            paths.append(path_from_root(word, root, here))
    from wsbuild.cli.answers import Request

    return Request(tuple(paths), tuple(only), 0, form, new_only=new_only, which=which)


def run_of(words: Sequence[str], root: str) -> RunRequest | None:
    """What the words behind `run` ask for; None where the command line is to read them."""
    given: dict[str, Any] = {}
    targets: list[str] = []
    here = os.path.realpath(os.getcwd())
    rest = iter(words)
    for word in rest:
        if word in _SWITCHES:
            given[_SWITCHES[word]] = True
        elif word in {"-j", "--jobs"}:
            count = next(rest, "")
            if not (count.isascii() and count.isdigit() and int(count)):
                return None
            given["jobs"] = int(count)
        elif word.startswith("-") or not word:
            return None
        else:
            targets.append(path_from_root(word, root, here))
    from wsbuild.doit_plugin.importing import import_doit

    import_doit()
    from wsbuild.cli.running import RunRequest

    return RunRequest(tuple(targets), **given)
