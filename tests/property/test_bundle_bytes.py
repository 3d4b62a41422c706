"""Whatever bytes a bundle file holds, there are workstreams or problems, and nothing is raised."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from wsbuild import bundle
from wsbuild.schemas import read_document

EXAMPLES = Path(__file__).parents[1] / "examples"
SEEDS = [
    (path.suffix, path.read_bytes())
    for path in sorted([*(EXAMPLES / "accept").iterdir(), *(EXAMPLES / "reject").iterdir()])
    if path.suffix != ".expected"
]
ROUNDS = settings(max_examples=3000 if os.environ.get("WSBUILD_TEST_FULL") else 200, deadline=None)
WORDS = rb"{ [ } ] , \" \\ & * !!x - : --- <<: NaN 1e999 \ud800 ../ .git"
MORE = [b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b": ", b"- ", b"&a ", b"*a"]
PIECES = st.sampled_from([*WORDS.split(), *MORE])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KNOWN = st.sampled_from(["id", "files_scope", "steps", "run", "name", "env", "tasks", "gate", "tool"])
RECORDS = st.dictionaries(KNOWN, JSON | st.lists(st.dictionaries(KNOWN, JSON)))


def parse(suffix: str, content: bytes) -> tuple[int, int]:
    """How many workstreams and problems a bundle file with this content has."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"x{suffix}")
        path.write_bytes(content)
        workstreams, problems = bundle.parse_file(str(path), path.name, directory)
        lines = content.count(b"\n") + content.count(b"\r") + content.count(b"\xe2\x80") + 2
        assert all(p.file == path.name and p.code and p.message for p in problems)
        assert all(0 <= p.line <= lines for p in problems)
        return len(workstreams), len(problems)


@ROUNDS
@given(st.sampled_from(SEEDS), st.data())
def test_mutations(seed: tuple[str, bytes], data: st.DataObject) -> None:
    """A bundle file with some bytes put in, taken out or exchanged raises nothing."""
    suffix, content = seed
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 8)))
        content = content[:start] + data.draw(PIECES | st.binary(max_size=4)) + content[end:]
    parse(suffix, content)


@ROUNDS
@given(st.sampled_from([".json", ".yaml"]), RECORDS | st.lists(RECORDS) | JSON)
def test_random_documents(suffix: str, value: object) -> None:
    """Random data, also below the names of known fields, gives workstreams or problems."""
    workstreams, problems = parse(suffix, json.dumps(value).encode())
    assert workstreams or problems


@ROUNDS
@given(JSON)
def test_lines_of_json_and_yaml_agree(value: object) -> None:
    """Both readers find the same data, and the same places, in a text that is JSON and YAML."""
    with tempfile.TemporaryDirectory() as directory:
        found = []
        for name in ("x.json", "x.yaml"):
            path = Path(directory, name)
            path.write_text(json.dumps(value, indent=1, ensure_ascii=True))
            document, _problems = read_document(str(path), "x")
            found.append(document and (document.data, dict(document.lines)))
    if None not in found:
        assert found[0] == found[1]
