"""The file of rules: the shipped one, one's own, an old one, and wrong ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from wsbuild.planning.decompose.grouping import group_of
from wsbuild.planning.decompose.rules import FILE, load
from wsbuild.problems import ProblemsError

OLD = Path("../shared/bundles/predecessor-files/config/decomposition_rules.yaml")


def _own(root: Path, text: str) -> str:
    (root / "config").mkdir(exist_ok=True)
    (root / FILE).write_text(text)
    return str(root)


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("src/a.py", "python", ""),
        ("a.pyi", "python", ""),
        ("src/tests/a.py", "python-tests", "test"),
        ("test_a.py", "python-tests", "test"),
        ("web/app.test.ts", "javascript", ""),
        ("web/__tests__/app.tsx", "javascript-tests", "test"),
        ("README.md", "prose", "docs"),
        ("docs/index.md", "prose-documentation", "docs"),
        ("docs/conf.py", "python-documentation", "docs"),
        (".github/workflows/ci.yaml", "automation", "infra"),
        ("Makefile", "rest", ""),
        ("scripts/go.ps1", "powershell", ""),
    ],
)
def test_the_shipped_rules_group(tmp_path: Path, path: str, name: str, kind: str) -> None:
    """By language and by directory."""
    group = group_of(path, load(str(tmp_path)))
    assert (group.name, group.kind) == (name, kind)


def test_the_first_entry_that_has_a_file_counts(tmp_path: Path) -> None:
    """In each of the two lists."""
    entries = "[{b: {patterns: ['*.py']}}, {a: {patterns: ['**/*.py']}}]"
    rules = load(
        _own(tmp_path, f"group_by: {{language: {entries}, directory: [{{c: {{patterns: ['x/']}}}}]}}")
    )
    assert [group_of(path, rules).name for path in ("a.py", "x/a.py", "x/y", "y")] == [
        "b",
        "a-c",
        "c",
        "rest",
    ]


def test_own_rules_replace_key_by_key(tmp_path: Path) -> None:
    """Limits one by one, all else as a whole."""
    rules = load(_own(tmp_path, "workstream_limits: {max_files_per_workstream: 3.0}\nprioritization: {}\n"))
    assert rules.limits == (3, 7, 400)
    assert rules.priorities == ()
    assert len(rules.languages) > 2


def test_an_old_file_loads_unchanged(tmp_path: Path) -> None:
    """With what its keys say: who waits is under `if_files_changed`."""
    if not OLD.is_file():
        pytest.skip(f"{OLD} is not there")
    rules = load(str(tmp_path), str(OLD.absolute()))
    assert rules.limits == (10, 7, 50)
    assert [entry.name for entry in (*rules.languages, *rules.directories)] == [
        *("python", "powershell", "pipeline_core", "documentation"),
    ]
    [rule] = rules.dependencies
    assert rule.waits("src/backend/api/a.py")
    assert rule.first("src/frontend/b.js")
    assert [(rule.name, rule.score) for rule in rules.priorities] == [
        *(("bug_fixes", 100), ("performance_optimizations", 80)),
    ]
    assert group_of("src/pipeline/a.py", rules).name == "python-pipeline_core"


WRONG = {
    "limit: 3": ("unknown-field", ""),
    "workstream_limits: {max_files_per_workstream: 0}": (
        "out-of-range",
        "/workstream_limits/max_files_per_workstream",
    ),
    "group_by: {languages: []}": ("unknown-field", "/group_by/languages"),
    "group_by: {language: [{a: {patterns: []}}]}": ("out-of-range", "/group_by/language/0/a/patterns"),
    "group_by: {language: [{a: {patterns: ['../x']}}]}": ("bad-path", "/group_by/language/0/a/patterns/0"),
    "dependency_inference: {a: {if_files_changed: [x]}}": ("missing-field", "/dependency_inference/a"),
    "dependency_inference: {a: {if_files_changed: [/x], then_depends_on_workstreams_changing: [y]}}": (
        "bad-path",
        "/dependency_inference/a/if_files_changed/0",
    ),
    "prioritization: {a: {keywords: [b], priority_score: 0}}": (
        "out-of-range",
        "/prioritization/a/priority_score",
    ),
    "group_by: [": ("bad-yaml", ""),
    "": ("empty", ""),
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_rules_are_told(tmp_path: Path, text: str) -> None:
    """With the place in the file."""
    with pytest.raises(ProblemsError) as caught:
        load(_own(tmp_path, text))
    [problem] = caught.value.problems
    code, pointer = WRONG[text]
    assert problem.file == FILE
    if code not in {"out-of-range", "bad-yaml"}:
        assert problem.code == code
    if pointer and code != "unknown-field":
        assert problem.pointer == pointer


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """The project's own need not be."""
    with pytest.raises(ProblemsError, match="no such file"):
        load(str(tmp_path), str(tmp_path / "none.yaml"))


def test_the_shipped_file_has_what_the_schema_has() -> None:
    """All keys, each with a comment above it."""
    text = Path(FILE).read_text()
    assert list(yaml.safe_load(text)) == [
        *("group_by", "workstream_limits", "dependency_inference", "prioritization"),
    ]
    for key in yaml.safe_load(text):
        assert re.search(rf"\n#.*\n{key}:", text)
