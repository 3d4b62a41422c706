"""What the documents promise is there, and what is there is documented."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from wsbuild.cli.app import app

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
AIM = (ROOT / "docs" / "aim.md").read_text()
BUNDLES = (ROOT / "docs" / "bundles.md").read_text()
COMMAND: Any = typer.main.get_command(app)


def _commands(group: Any, prefix: str = "") -> dict[str, Any]:
    """All commands by their names, those of groups too."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= _commands(command, f"{name} ")
        else:
            found[prefix + name] = command
    return found


COMMANDS = _commands(COMMAND)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    """By its long name, and its short one."""
    assert re.search(rf"`(wsbuild )?{name}\b", REFERENCE)
    for parameter in COMMANDS[name].params:
        for option in [*parameter.opts, *parameter.secondary_opts]:
            if option.startswith("-"):
                assert f"`{option}" in REFERENCE, option


def test_every_command_has_help() -> None:
    """And every option."""
    for command in [COMMAND, *COMMANDS.values()]:
        assert command.help
        for parameter in command.params:
            assert getattr(parameter, "help", "x"), (command.name, parameter.name)


@pytest.mark.parametrize("key", sorted(yaml.safe_load((ROOT / "config/wsbuild.yaml").read_text())))
def test_every_setting_is_documented(key: str) -> None:
    """In the reference and in the schema, and nowhere unknown."""
    assert f"`{key}`" in REFERENCE
    assert key in json.loads((ROOT / "schema/wsbuild.schema.json").read_text())["properties"]


def _properties(name: str, *path: str) -> list[str]:
    found: Any = json.loads((ROOT / "schema" / f"{name}.schema.json").read_text())
    for part in path:
        found = found[part]
    return sorted(found["properties"])


@pytest.mark.parametrize("field", [f for f in _properties("workstream") if f not in {"$schema", "doc_id"}])
def test_every_field_of_a_workstream_is_documented(field: str) -> None:
    """In docs/bundles.md."""
    assert f"`{field}`" in BUNDLES


@pytest.mark.parametrize("field", _properties("workstream", "properties", "steps", "items"))
def test_every_field_of_a_step_is_documented(field: str) -> None:
    """In docs/bundles.md."""
    assert f"`{field}`" in BUNDLES or f"`{field}:" in BUNDLES


PROFILE_KEYS = [key for key in _properties("tool_profiles", "$defs", "profile") if "-" not in key]


@pytest.mark.parametrize("key", [key for key in PROFILE_KEYS if key not in {"capture_output", "timeout"}])
def test_every_key_of_a_profile_is_documented(key: str) -> None:
    """But for other spellings, and what is accepted without meaning anything."""
    assert f"`{key}`" in BUNDLES


@pytest.mark.parametrize("key", sorted(yaml.safe_load((ROOT / "config/aim_config.yaml").read_text())))
def test_every_setting_of_routing_is_documented(key: str) -> None:
    """On its page and in the schema, with its meaning above it in the shipped file."""
    assert f"\n| `{key}` |" in AIM
    assert key in _properties("aim_config")
    assert re.search(rf"\n\n# (.*\n# )*.*\n{key}:", (ROOT / "config/aim_config.yaml").read_text())


@pytest.mark.parametrize("key", _properties("path_standards"))
def test_every_path_standard_is_documented(key: str) -> None:
    """On the page of detectors, and in the shipped file with its meaning above it."""
    assert f"\n| `{key}` |" in (ROOT / "docs" / "detectors.md").read_text()
    assert re.search(rf"(\n#.*)+\n{key}:", (ROOT / "config/path_standards.yaml").read_text())


@pytest.mark.parametrize("key", _properties("circuit_breakers", "properties", "defaults"))
def test_every_limit_of_the_fix_loop_is_documented(key: str) -> None:
    """In the reference, and in the shipped file with its meaning above it."""
    assert f"\n| `{key}` |" in REFERENCE
    shipped = (ROOT / "config/circuit_breakers.yaml").read_text()
    assert re.search(rf"\n  # .*\n  {key}:", shipped)


@pytest.mark.parametrize("field", _properties("workstream", "properties", "circuit_breaker"))
def test_every_limit_of_a_bundle_is_documented(field: str) -> None:
    """In the reference, beside the key that it stands for."""
    assert f"`{field}`" in REFERENCE


def test_every_event_is_documented() -> None:
    """The types that the code appends."""
    source = "".join(path.read_text() for path in (ROOT / "wsbuild").rglob("*.py"))
    kinds = set(re.findall(r'events\.append\(\s*conn,\s*[\w()]+,\s*"(\w+)"', source))
    assert len(kinds) >= 8
    for kind in kinds:
        assert f"`{kind}`" in REFERENCE, kind


def test_every_variable_is_documented() -> None:
    """The environment variables that the code reads."""
    source = "".join(path.read_text() for path in (ROOT / "wsbuild").rglob("*.py"))
    for name in set(re.findall(r"\b(?:PIPELINE|AIDER)_[A-Z_]+\b", source)) - {"AIDER_NO_AUTO_COMMITS"}:
        assert f"`{name}`" in REFERENCE, name
    for name in set(re.findall(r"\bAIM_[A-Z_]+\b", source)) - {"AIM_"}:
        assert f"`{name}`" in AIM, name


@pytest.mark.parametrize("page", sorted(path.name for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]))
def test_links_lead_somewhere(page: str) -> None:
    """Links within the project."""
    path = next(p for p in (ROOT / page, ROOT / "docs" / page) if p.exists())
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_readme_names_the_two_commands() -> None:
    """They are all that a newcomer needs, and the Makefile has them."""
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for command in ("demo", "test"):
        assert f"make {command}" in readme
        assert f"\n{command}:" in makefile
