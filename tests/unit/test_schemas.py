"""Strict reading of documents, and schema errors in words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import wsbuild
from wsbuild.schemas import Document, check, read_document
from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = sorted(Path(data_path("schema")).glob("*.schema.json"))


def read(path: Path, content: bytes | str) -> tuple[Any, list[tuple[str, str, int]]]:
    """Write and read a document: its data, and the problems without their words."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    document, problems = read_document(str(path), path.name)
    assert (document is None) == bool(problems)
    assert all(problem.file == path.name and problem.message for problem in problems)
    return document and document.data, [(p.code, p.pointer, p.line) for p in problems]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ("empty", "", 0)),
        (b" \n\n ", ("empty", "", 0)),
        (b"\xef\xbb\xbf", ("empty", "", 0)),
        (b'{\n"a": "\xff"}', ("not-utf8", "", 2)),
        ('{"a": 1}'.encode("utf-16"), ("not-utf8", "", 1)),
        (b"\n" + b"[" * 100_000, ("too-deep", "", 2)),
        (b"[" * 65 + b"]" * 65, ("too-deep", "", 1)),
        (b'{"a":' * 100_000, ("too-deep", "", 1)),
        (b'{"a": 1, "a": 1, \n"a": 2}', ("duplicate-key", "/a", 1)),
        (b'{"a": {"b/~": 1,\n"b/~": 2}}', ("duplicate-key", "/a/b~1~0", 2)),
        (b'{"a": ' + b"1" * 5000 + b"}", ("bad-number", "/a", 1)),
        (b'{"a": 9223372036854775808}', ("bad-number", "/a", 1)),
        (b'{"a": 1e400}', ("bad-number", "/a", 1)),
        (b"[\n-Infinity]", ("bad-number", "/0", 2)),
        (b'["\\udfff"]', ("not-unicode", "/0", 1)),
        (b'["\\u0000"]', ("control-character", "/0", 1)),
        (b'["a\x00"]', ("syntax", "", 1)),
        (b"{'a': 1}", ("syntax", "", 1)),
        (b"[1,\n]", ("syntax", "", None)),
        (b"{} {}", ("syntax", "", 1)),
        (b'["' + b'\\"' * 50_000, ("syntax", "", 1)),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else None,
)
def test_json_refused(tmp_path: Path, content: bytes, problem: tuple[str, str, int | None]) -> None:
    """What JSON readers disagree on, or could be harmed by, is a problem with its place."""
    found = read(tmp_path / "x.json", content)[1][0]
    assert (found[0], found[1], found[2] if problem[2] is not None else None) == problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"[" * 64 + b"]" * 64, eval("[" * 64 + "]" * 64)),
        (b'["' + b"[" * 100 + b'", "\\"]"]', ["[" * 100, '"]']),
        (b"[" + b"[]," * 200 + b"{}]", [[]] * 200 + [{}]),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        (b"[1.5e3, -0, true, null]", [1500.0, 0, True, None]),
        (b"null", None),
    ],
    ids=range(8),
)
def test_json_accepted(tmp_path: Path, content: bytes, expected: Any) -> None:
    """Valid JSON is read as it is, whatever editors put before it."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    document, problems = read_document(str(path), "x.json")
    assert (document and document.data, problems) == (expected, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("# only this", ("empty", "", 0)),
        ("a: [1", ("syntax", "", None)),
        ("a: 1\n b: 2", ("syntax", "", 2)),
        ("a: \x01", ("control-character", "", 1)),
        ('a: "\\0"', ("control-character", "/a", 1)),
        ("a: &x 1", ("alias", "/a", 1)),
        ("a: 1\nb: *a", ("alias", "/b", 2)),
        ("&x a: 1", ("alias", "", 1)),
        ("a: !!python/object/apply:os.system [x]", ("tag", "/a", 1)),
        ("a: !!str 1", ("tag", "/a", 1)),
        ("a: !x {}", ("tag", "/a", 1)),
        ("a: 1\n--- \nb: 1", ("several-documents", "", 2)),
        ("a:\n  <<: {b: 1}", ("merge-key", "/a", 2)),
        ("1: a", ("bad-key", "", 1)),
        ("{a: 1, ~: 2}", ("bad-key", "", 1)),
        ("? [a]\n: 1", ("bad-key", "", 1)),
        ("a: .inf", ("bad-number", "/a", 1)),
        ("a: -.INF", ("bad-number", "/a", 1)),
        ("a: .NaN", ("bad-number", "/a", 1)),
        ("a: " + "9" * 5000, ("bad-number", "/a", 1)),
        ("a: 1\nb: 2\na: 3", ("duplicate-key", "/a", 3)),
        ("- " * 65, ("too-deep", "", 1)),
        ("{a: " * 100_000, ("too-deep", "", 1)),
        ('a: "\\ud800"', None),
        ('a: "\\U99999999"', ("syntax", "", None)),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str) else None,
)
@pytest.mark.parametrize("scanner", ["C", "Python"])
def test_yaml_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scanner: str,
    content: str,
    problem: tuple[str, str, int | None] | None,
) -> None:
    """YAML beyond plain data is a problem with its place, also where PyYAML has no C library."""
    if scanner == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    found = read(tmp_path / "x.yaml", content)[1][0]
    if problem is None:
        assert found[0] in {"syntax", "not-unicode"}
    else:
        assert (found[0], found[1]) == problem[:2]
        assert problem[2] is None or found[2] == problem[2]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", "yes"),
        ("Off", "Off"),
        ("2025-11-20", "2025-11-20"),
        ("1:20", "1:20"),
        ("1_000", "1_000"),
        ("=", "="),
        ("'12'", "12"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("+1", 1),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("TRUE", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("<<", "<<"),
        ("|\n  text\n", "text\n"),
    ],
)
def test_yaml_words(tmp_path: Path, word: str, value: object) -> None:
    """Words mean what the core schema of YAML 1.2 says, not what YAML 1.1 said."""
    data, problems = read(tmp_path / "x.yml", f"a: {word}")
    assert problems == []
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_all_problems_of_one_file(tmp_path: Path) -> None:
    """One reading finds every problem, and a duplicate key names both lines."""
    path = tmp_path / "x.json"
    path.write_text('{"a": NaN,\n"b": 1,\n"b": [1e999]}')
    problems = read_document(str(path), "x.json")[1]
    assert [(p.code, p.line) for p in problems] == [
        ("bad-number", 1),
        ("duplicate-key", 3),
        ("bad-number", 3),
    ]
    assert "line 2" in problems[1].message
    assert "line 3" in problems[1].message


@pytest.fixture
def no_file(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Something at a bundle's place that is no readable regular file."""
    path = tmp_path / "x.json"
    kind: str = request.param
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "loop":
        path.symlink_to("x.json")
    elif kind == "device":
        path.symlink_to("/dev/null")
    return (yield path)


@pytest.mark.parametrize(
    ("no_file", "code"),
    [
        ("fifo", "not-a-file"),
        ("directory", "not-a-file"),
        ("device", "not-a-file"),
        ("dangling", "unreadable"),
        ("loop", "unreadable"),
        ("missing", "unreadable"),
    ],
    indirect=["no_file"],
)
def test_no_regular_file(no_file: Path, code: str) -> None:
    """What is no regular file is a problem and never waited for."""
    document, problems = read_document(str(no_file), "x.json")
    assert document is None
    assert [problem.code for problem in problems] == [code]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path: Path) -> None:
    """A file without permission is a problem that says so."""
    path = tmp_path / "x.json"
    path.write_text("{}")
    path.chmod(0)
    assert "permission" in read_document(str(path), "x.json")[1][0].message


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    """A sparse terabyte is refused by its size; a file at the limit is read."""
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert read_document(str(path), "x.json")[1][0].code == "too-large"
    path.write_text('"' + "x" * 98 + '"')
    assert read_document(str(path), "x.json", 100)[1] == []
    assert read_document(str(path), "x.json", 99)[1][0].code == "too-large"


def test_unknown_extension(tmp_path: Path) -> None:
    """A file of another kind is refused by its name."""
    assert read(tmp_path / "x.toml", "a = 1")[1] == [("unknown-format", "", 0)]


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_lines(tmp_path: Path, name: str) -> None:
    """Every value has its line, a field that of its name; what is missing that of what it is in."""
    text = '\n{\n"a": [1,\n {"b~/": "x\\ny"}],\n"c":\n 2}\n'
    path = tmp_path / name
    path.write_text(text)
    document = read_document(str(path), name)[0]
    assert document is not None
    lines = {"": 2, "/a": 3, "/a/0": 3, "/a/1": 4, "/a/1/b~0~1": 4, "/c": 5}
    assert dict(document.lines) == lines
    assert len(document.lines) == len(lines)
    assert document.line("/a/1/nope/deeper") == 4


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_schemas_are_schemas(path: Path) -> None:
    """Every shipped schema is valid for its draft, and every property is documented."""
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    undocumented = [
        name
        for name, each in schema.get("properties", {}).items()
        if not (each.get("title") and each.get("description"))
    ]
    assert undocumented == []


STEP = {"name": "x", "run": "true"}
MAKE = {"id": "ws-a", "files_scope": ["a"], "steps": [STEP]}


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ({"file_scope": []}, "'file_scope' is no known field", "did you mean `files_scope`?"),
        ({"depends-on": []}, "'depends-on' is no known field", "did you mean `depends_on`?"),
        ({"x" * 70: 1}, "'" + "x" * 58 + "… is no known field", "known: $schema"),
        ({"kind": "tests"}, "must be design, impl, test, docs", "did you mean `test`?"),
        ({"id": "ws-a\n"}, "'ws-a\\n' does not have the right form", "`ws-`"),
        ({"id": "ws-" + "a" * 98}, "may have 100 characters at most", ""),
        ({"id": 7}, "must be a string, not 7", ""),
        ({"gate": True}, "must be a whole number, not true", ""),
        ({"ccpm_issue": None}, "must be a whole number or a string, not null", ""),
        ({"tasks": [["x"]]}, "must be a string, not an array", ""),
        ({"gate": 0}, "must be at least 1, not 0", ""),
        ({"steps": []}, "needs 1 or more entries, not []", ""),
        ({"steps": [{**STEP, "timeout_sec": 0}]}, "must be more than 0, not 0", "Seconds"),
        ({"steps": [{**STEP, "retries": 11}]}, "must be at most 10, not 11", ""),
        ({"steps": [{**STEP, "run": ""}]}, "needs 1 or more characters", ""),
        ({"steps": [{**STEP, "tool": "y"}]}, "it has `run` and `tool`", ""),
        ({"steps": [{"name": "x"}]}, "needs exactly one of `run`, `tool` or `detectors`", ""),
        ({"steps": [{"name": "x", "tool": "y", "shell": False}]}, "`shell` goes with `run`", ""),
    ],
)
def test_words(change: dict[str, Any], message: str, hint: str) -> None:
    """A schema error is one short sentence, and the hint is the next step."""
    problems = check(Document({**MAKE, **change}, {}), "workstream", "x.json")
    assert len(problems) == 1
    assert message in problems[0].message
    assert hint in problems[0].hint
    assert len(problems[0].message) < 160


def test_part_of_a_document() -> None:
    """A part is checked at its place; a part that is null is that part, not the whole document."""
    document = Document(MAKE, {"": 1, "/0": 2})
    problems = check(document, "workstream", "x.json", at="/0", data=None)
    assert [(p.code, p.pointer, p.line) for p in problems] == [("wrong-type", "/0", 2)]
    assert check(Document([None, MAKE], {}), "workstream", "x.json", at="/1", data=MAKE) == []


def test_many_problems_are_cut() -> None:
    """A document with endless problems gives many of them and says that there are more."""
    problems = check(Document({**MAKE, "tasks": [1] * 100_000}, {}), "workstream", "x.json")
    assert len(problems) == 201
    assert problems[-1].code == "more-problems"


def test_data_of_an_installed_package(tmp_path: Path) -> None:
    """An installed package has its data inside, not beside it."""
    package = tmp_path / "wsbuild"
    shutil.copytree(Path(wsbuild.__file__).parent, package)
    shutil.copytree(data_path("schema"), package / "_data" / "schema")
    code = "from wsbuild.shipped import data_path; print(data_path('schema', 'x'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(package / "_data" / "schema" / "x")
