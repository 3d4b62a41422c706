"""The tools that capabilities may be routed to: a repository's own, and behind them those of wsbuild."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.aim import settings
from wsbuild.aim.expand import unset
from wsbuild.errors import UserError
from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.model import Problem

VARIABLE = "AIM_REGISTRY_PATH"
ADAPTERS = "WSBUILD_ADAPTERS"
"""In the texts of a registry: the directory of the adapters that come with wsbuild."""

NAME = "AIM_registry.json"
PLACES = ("aim/.AIM_ai-tools-registry", ".AIM_ai-tools-registry", "aim/registry")
"""Where a registry is looked for, from the project's root."""

SHIPPED = ("config", "aim_registry.json")


class Tool(NamedTuple):
    """A tool of the registry, as it is written there: `detect` are names on PATH and paths, `adapter` is what
    is started to ask it, with `args`, or `commands` are what serves each capability in its place. It sees
    the variables `pass_env`. `shipped` is what wsbuild itself would ask the tool by, where the adapter cannot
    be started.
    """

    id: str
    name: str
    detect: tuple[str, ...]
    version: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    adapter: str = ""
    args: tuple[str, ...] = ()
    commands: Mapping[str, tuple[str, ...]] = {}
    pass_env: tuple[str, ...] = ()
    shipped: tuple[str, ...] = ()


class Registry(NamedTuple):
    """The tools by id, those of them that are the repository's `own`, the path of the rules as it is written
    ('' for none), and the directory that this is from ('' for what comes with wsbuild alone).
    """

    tools: Mapping[str, Tool]
    own: tuple[str, ...]
    rules_path: str
    folder: str


def find(root: str, environ: Mapping[str, str], given: str) -> str:
    """The directory of the registry of the project at `root`: that of AIM_REGISTRY_PATH, else the one that
    the settings have `given`, else the first of PLACES that there is; '' for none. Raises UserError for one
    that is named and is not there.
    """
    named = environ.get(VARIABLE, "")
    origin = f"{VARIABLE} names"
    if not named and given != settings.AUTO:
        named, origin = given, f"registry_path in {settings.FILE} names"
    if not named:
        places = (os.path.join(root, place) for place in PLACES)
        return next((place for place in places if os.path.isfile(os.path.join(place, NAME))), "")
    path = os.path.normpath(os.path.join(root, os.path.expanduser(named)))
    folder = os.path.dirname(path) if os.path.basename(path) == NAME else path
    if not os.path.isfile(os.path.join(folder, NAME)):
        hint = "name the directory that holds it, or leave it out to have it looked for"
        raise UserError(f"{origin} {named}, where there is no {NAME}", hint)
    return folder


def load(folder: str, root: str) -> tuple[Registry, list[Problem]]:
    """The registry in `folder` ('' for none), over what comes with wsbuild, and what is wrong with it."""
    data, problems = read(data_path(*SHIPPED), root, "aim_registry")
    shipped = {name: _with_own_adapter(_tool(name, fields)) for name, fields in _entries(data)}
    own: dict[str, Tool] = {}
    rules_path = ""
    if folder:
        data, own_problems = read(os.path.join(folder, NAME), root, "aim_registry")
        problems = [*problems, *own_problems]
        rules_path = data.get("crossToolRulesPath", "")
        own = {name: _tool(name, fields, shipped.get(name)) for name, fields in _entries(data)}
    return Registry({**shipped, **own}, tuple(own), rules_path, folder), problems


def read(path: str, root: str, schema: str) -> tuple[dict[str, Any], list[Problem]]:
    """What a file of AIM says, nothing where something is wrong with it; and what that is."""
    from wsbuild import schemas

    rel = os.path.relpath(path, root) if path.startswith(os.path.join(root, "")) else path
    document, problems = schemas.read_document(path, rel)
    if document is None:
        return {}, problems
    problems = [*problems, *schemas.check(document, schema, rel)]
    return ({} if problems else document.data), problems


def _entries(data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    tools = data.get("tools", {})
    return [(name, fields) for name, fields in tools.items() if not name.startswith("_comment")]


def _tool(name: str, fields: Mapping[str, Any], by_us: Tool | None = None) -> Tool:
    return Tool(
        id=name,
        name=fields["name"],
        detect=tuple(fields["detectCommands"]),
        version=tuple(fields.get("versionCommand", ())),
        install=tuple(fields.get("installCommand", by_us.install if by_us else ())),
        capabilities=tuple(fields.get("capabilities", ())),
        adapter=fields.get("adapterScript", ""),
        args=tuple(fields.get("adapterArgs", ())),
        commands={key: tuple(words) for key, words in fields.get("commands", {}).items()},
        pass_env=tuple(fields.get("passEnv", ())),
        shipped=by_us.shipped if by_us else (),
    )


def _with_own_adapter(tool: Tool) -> Tool:
    return tool._replace(shipped=(tool.adapter, *tool.args))


def variables(tool: Tool) -> list[str]:
    """The environment variables that the texts of a tool name."""
    texts = (*tool.detect, *tool.version, tool.adapter, *tool.args)
    return [name for text in texts for name in unset(text, {}) if name not in {ADAPTERS, VARIABLE}]


def adapters_folder() -> str:
    """The directory of the adapters that come with wsbuild."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "adapters")
