"""What editors make of bundles: their own engines complete, explain and mark what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from editor import Editor
from space import Space
from toolbox.install import NoToolError, box

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text()
SETTINGS = {
    "json": {"validate": {"enable": True}, "schemas": []},
    "yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}},
}
SERVERS = {"json": "vscode-json-language-server", "yaml": "yaml-language-server"}
WRONG = {
    "json": """\
{
  HEAD
  "id": "WS-x",
  "files_scope": [],
  "kind": "dogs",
  "stepz": [],
  "steps": [{"name": "a", "shell": true}],
  "land": ""
}
""",
    "yaml": """\
# HEAD

id: WS-x
files_scope: []
kind: dogs
stepz: []
steps: [{name: a, shell: true}]
land: \n
""",
}


@pytest.fixture(scope="module")
def servers() -> Path:
    """Where the language servers are."""
    try:
        return box("editors.json")
    except NoToolError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["json", "yaml"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _editor(servers: Path, language: str, space: Space, settings: Any = None) -> Editor:
    given = {language: {**SETTINGS[language], **(settings or {})}}
    return Editor([str(servers / SERVERS[language]), "--stdio"], space.root, given)


def _new(space: Space, language: str, *words: str) -> Path:
    space.wsbuild("new", "x", "--scope", "x.txt", "--step", "a=touch x.txt", "--format", language, *words)
    return space.root / f"workstreams/x.{language}"


def _wrong(space: Space, language: str) -> Path:
    """A file with mistakes that names the schema as `new` does."""
    head = {"json": '"$schema": "%s",', "yaml": "yaml-language-server: $schema=%s"}[language]
    text = WRONG[language].replace("HEAD", head % "../.wsbuild/schema/bundle.schema.json")
    return space.write(f"workstreams/wrong.{language}", text)


def test_nothing_is_marked_in_what_new_writes(servers: Path, space: Space, language: str) -> None:
    """And a mistake in it is: it is the schema that says so."""
    path = _new(space, language, "--editor")
    with _editor(servers, language, space) as editor:
        assert editor.open(path) == []
    path.write_text(path.read_text().replace("ws-x", "WS-x"))
    with _editor(servers, language, space) as editor:
        [said] = editor.open(path)
        assert "lower case letters, digits and `-`" in said


def test_mistakes_are_marked(servers: Path, space: Space, language: str) -> None:
    """On their lines, in a single workstream and in a list."""
    _new(space, language, "--editor")
    path = _wrong(space, language)
    with _editor(servers, language, space) as editor:
        said = "\n".join(editor.open(path))
        for expected in (
            r"3: .*lower case",
            "4: .*few items",
            "5: .*not accepted",
            "6: .*stepz",
            '7: .*"run"',
        ):
            assert re.search(expected, said), (expected, said)
        text = path.read_text()
        if language == "json":
            several = space.write("workstreams/list.json", f"[{re.sub('.*schema.*', '', text)}, {{}}]")
            settings = {"schemas": [{"fileMatch": ["*.json"], "url": _url(space)}]}
            with _editor(servers, language, space, settings) as other:
                assert any("stepz" in one for one in other.open(several))


def _url(space: Space) -> str:
    return (space.root / ".wsbuild/schema/bundle.schema.json").as_uri()


def test_fields_and_values_are_offered_and_explained(servers: Path, space: Space, language: str) -> None:
    """With what the schema says of them; not those that are there already."""
    _new(space, language, "--editor")
    path = _wrong(space, language)
    line, column = {"json": (8, 3), "yaml": (2, 1)}[language]
    with _editor(servers, language, space) as editor:
        editor.open(path)
        offered = editor.complete(path, line, column)
        assert offered["max_cost_usd"].startswith("The most this may cost")
        assert not {"id", "files_scope", "steps"} & set(offered)
        values = editor.complete(path, 8, {"json": 12, "yaml": 7}[language])
        assert {"files", "commit", "branch"} <= set(values)
        shown = editor.hover(path, 4, 5)
        assert "Files in scope" in shown
        assert "What this may change" in shown


def test_the_settings_of_the_guide_work(servers: Path, space: Space, language: str) -> None:
    """In files that name no schema, and in the settings of wsbuild and its tools."""
    space.wsbuild("schema", "--write", ".wsbuild/schema")
    settings = next(
        json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.S) if "fileMatch" in text
    )
    root = space.root.as_uri()
    if language == "json":
        # The editor itself makes paths of the workspace absolute, before it tells the server.
        schemas: Any = [{**one, "url": root + one["url"][1:]} for one in settings["json.schemas"]]
        wrong = {"workstreams/a.json": '{"stepz": 1}', "config/tool_profiles.json": '{"a": {"commandd": 1}}'}
    else:
        schemas = {root + url[1:]: globs for url, globs in settings["yaml.schemas"].items()}
        wrong = {
            "workstreams/a.yaml": "stepz: 1\n",
            "workstreams/b.yml": "- stepz: 1\n",
            "config/wsbuild.yaml": "overlapp: warn\n",
            "config/circuit_breakers.yaml": "defaultz: {}\n",
        }
    with _editor(servers, language, space, {"schemas": schemas}) as editor:
        for name, text in wrong.items():
            field = re.search(r"(\w+(?:z|dd|pp))\b", text)
            assert field
            assert any(field[1] in one for one in editor.open(space.write(name, text))), name
        assert editor.open(space.write(f"other/a.{language}", '{"stepz": 1}\n')) == []
