"""The schemas for editors: whole, old enough for every reader, and of one mind with what is checked here."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from toolbox.install import NoToolError, box

from wsbuild.bundle import parse_file
from wsbuild.documents.document import Document
from wsbuild.documents.read import read_document
from wsbuild.errors import UserError
from wsbuild.planning.authoring import editors
from wsbuild.schemas import check

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[3] / "examples"
BY_PEOPLE = {
    path.relative_to(EXAMPLES).as_posix(): document.data
    for path in sorted(EXAMPLES.glob("*/*"))
    for document in read_document(str(path), path.name)[:1]
    if document and document.data
}
"""Bundles that are accepted, and those that are not for what a schema can say."""

AJV = """
const Ajv = require("ajv").default;
const Newer = require("ajv/dist/2020").default;
const [older, newer, ...documents] = JSON.parse(require("fs").readFileSync(0));
const one = new Ajv({strict: false, allErrors: true}).compile(older);
const two = new Newer({strict: false, allErrors: true}).compile(newer);
console.log(JSON.stringify(documents.map((each) => [one(each), two(each)])));
"""


def _within(schema: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a schema, with where it stands."""
    yield at, schema
    inner = (
        schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    )
    for name, value in inner:
        yield from _within(value, f"{at}/{name}")


@pytest.mark.parametrize("name", editors.FOR_EDITORS)
def test_a_file_needs_no_other(name: str) -> None:
    """All that it refers to is in it, it is valid, and no word in it is newer than draft-07."""
    schema = editors.for_editors(name)
    Draft7Validator.check_schema(schema)
    Draft202012Validator.check_schema(editors.schema(name))
    assert schema["$schema"] == editors.DIALECT
    newer = {
        "$defs",
        "dependentRequired",
        "dependentSchemas",
        "prefixItems",
        "unevaluatedProperties",
        "$anchor",
    }
    for at, value in _within(schema):
        if isinstance(value, dict) and not at.endswith(("/properties", "/patternProperties")):
            assert not newer & set(value), at
            reference = value.get("$ref", "#/")
            assert reference.startswith("#/")
            found: Any = schema
            for part in reference.split("/")[1:] if reference != "#/" else ():
                found = found[part]
            assert "$schema" not in value or at == ""


@pytest.mark.parametrize("name", editors.FOR_EDITORS)
def test_every_field_has_a_title_and_is_explained(name: str) -> None:
    """It is what editors show."""
    schema = editors.for_editors(name)
    seen = 0
    for at, value in _within(schema):
        # What stands below a condition only narrows a field that is explained elsewhere.
        if at.endswith("/properties") and "/if/" not in at and "/then/" not in at and isinstance(value, dict):
            for field, own in value.items():
                other = own.get("$ref", "").rpartition("/")[2]
                what = schema["definitions"][other] | own if other else own
                assert what.get("title"), f"{at}/{field}"
                assert what.get("description"), f"{at}/{field}"
                seen += 1
    assert seen >= 3


@pytest.mark.parametrize("path", BY_PEOPLE)
def test_both_say_the_same_of_a_file(path: str) -> None:
    """Of those that are accepted here, and of those that are not."""
    data = BY_PEOPLE[path]
    wrong = [
        problem
        for ws in (data if isinstance(data, list) else [data])
        for problem in check(Document(ws, {}), "workstream", path)
    ]
    assert Draft7Validator(editors.for_editors("bundle")).is_valid(data) == (not wrong)
    assert Draft202012Validator(editors.schema("bundle")).is_valid(data) == (not wrong)


def test_a_javascript_validator_agrees() -> None:
    """ajv, in both dialects, on all examples, and on ids and names that end in a line."""
    try:
        place = box("editors.json").parent.parent
    except NoToolError as error:
        pytest.skip(str(error))
    documents = list(BY_PEOPLE.values())
    verdicts = [Draft202012Validator(editors.schema("bundle")).is_valid(data) for data in documents]
    step = {"name": "a", "run": "true"}
    for ws_id, name, accepted in (
        ("ws-a", "a", True),
        ("ws-a\n", "a", False),
        ("ws-a", "a\n", False),
        ("ws-A", "a", False),
    ):
        documents.append({"id": ws_id, "files_scope": ["a"], "steps": [{**step, "name": name}]})
        verdicts.append(accepted)
    assert set(verdicts) == {True, False}
    asked = json.dumps([editors.for_editors("bundle"), editors.schema("bundle"), *documents])
    done = subprocess.run(
        ["node", "-e", AJV], cwd=place, input=asked, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[verdict, verdict] for verdict in verdicts]


def test_files_of_others_stay(tmp_path: Path) -> None:
    """Nothing is written where one of them is; its own are written anew."""
    folder = str(tmp_path / "schema")
    paths = editors.write(folder, editors.FOR_EDITORS)
    assert sorted(os.listdir(folder)) == sorted(map(os.path.basename, paths))
    assert len(paths) == len(editors.FOR_EDITORS)
    first = Path(paths[0])
    first.write_text(json.dumps({"$comment": editors.MARK}))
    editors.write(folder, editors.FOR_EDITORS)
    assert json.loads(first.read_text()) == editors.for_editors("bundle")
    for text in ("{}", "[]", "not JSON", '{"$comment": "mine"}', "[" * 100_000):
        Path(paths[-1]).write_text(text)
        first.write_text(json.dumps({"$comment": editors.MARK}))
        with pytest.raises(UserError, match="wsbuild has not written it"):
            editors.write(folder, editors.FOR_EDITORS)
        assert Path(paths[-1]).read_text() == text
        assert json.loads(first.read_text()) == {"$comment": editors.MARK}


def test_bundles_that_name_the_schema_are_accepted(tmp_path: Path) -> None:
    """`$schema` has no effect, whatever it says."""
    path = tmp_path / "a.json"
    ws = {"id": "ws-a", "files_scope": ["a"], "steps": [{"name": "a", "run": "true"}]}
    path.write_text(json.dumps(ws))
    plain = parse_file(str(path), "a.json", str(tmp_path))
    path.write_text(json.dumps({"$schema": "https://example.org/none", **ws}))
    assert parse_file(str(path), "a.json", str(tmp_path)) == plain
