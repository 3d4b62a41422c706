"""Tool profiles: two files, three spellings, one meaning."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from wsbuild.shipped import data_path
from wsbuild.tools import profiles, template

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = {
    *("cwd", "repo_root", "worktree_path", "ws_id", "run_id", "step", "attempt", "prompt_file"),
    *("model_name", "message", "files", "files_scope", "files_create", "python"),
}


def write(root: Path, data: Any) -> str:
    """Give the project at `root` profiles of its own."""
    path = root / profiles.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=1))
    return str(root)


def test_shipped_profiles_are_sound(tmp_path: Path) -> None:
    """All shipped profiles load, say their version, but for the one of any agent, and use only variables that
    there are.
    """
    found, problems = profiles.load(str(tmp_path))
    assert problems == []
    assert {"pytest", "ruff", "mypy", "aider", "claude", "codex", "gh", "echo"} <= set(found)
    for profile in found.values():
        assert profile.version_command[:1] == (() if profile.name == "agent" else (profile.command,))
        assert set(template.names([*profile.args, profile.working_dir])) <= VARIABLES, profile.name
        assert profile.source == data_path("config", "tool_profiles.json")


def test_every_variable_is_documented() -> None:
    """The schema names each variable that there is."""
    with open(data_path("schema", "tool_profiles.schema.json")) as file:
        text = json.load(file)["description"]
    assert [name for name in sorted(VARIABLES) if name not in text] == []


def test_older_file_loads_unchanged(tmp_path: Path, real_bundles: Path) -> None:
    """A file with keys in both spellings loads, and each key has its effect."""
    given = real_bundles / "predecessor-files" / "config" / "tool_profiles.json"
    target = tmp_path / profiles.FILE
    target.parent.mkdir()
    shutil.copy(given, target)
    found, problems = profiles.load(str(tmp_path))
    assert problems == []
    assert set(json.loads(given.read_text())) <= set(found)
    assert (found["pytest"].timeout_sec, found["pytest"].success_exit_codes) == (600, (0, 5))
    assert (found["aider"].timeout_sec, found["aider"].working_dir) == (1800, "{worktree_path}")
    assert found["ruff"].working_dir == "{repo_root}"
    assert found["sleep-test"].timeout_sec == 2


def test_own_entry_wins_whole(tmp_path: Path) -> None:
    """A profile of the repository takes nothing from the shipped one of its name."""
    root = write(tmp_path, {"pytest": {"type": "test", "command": "tox"}})
    found, problems = profiles.load(root)
    assert problems == []
    assert found["pytest"] == profiles.Profile(
        name="pytest", type="test", command="tox", source=profiles.FILE
    )
    assert found["ruff"].source != profiles.FILE


@pytest.mark.parametrize("key", ["timeout", "timeout-sec", "timeout_sec"])
def test_spellings_of_the_timeout(tmp_path: Path, key: str) -> None:
    """All three spellings mean seconds until the end."""
    found, problems = profiles.load(write(tmp_path, {"a": {"type": "ai", "command": "x", key: 7.5}}))
    assert problems == []
    assert found["a"].timeout_sec == 7.5


def test_a_profile_may_leave_all_to_defaults(tmp_path: Path) -> None:
    """Without a word, 0 is success, the timeout is the project's and comments are no profiles."""
    data = {"_comment": "x", "a": {"type": "ai", "command": "x", "_comment_1": ["y"]}}
    found, problems = profiles.load(write(tmp_path, data))
    assert problems == []
    assert "_comment" not in found
    assert found["a"].success_exit_codes == (0,)
    assert found["a"].timeout_sec is None


def test_null_passes_a_variable_through(tmp_path: Path) -> None:
    """A variable may be declared without a value."""
    data = {"a": {"type": "ai", "command": "x", "env": {"KEY": None, "B": "1"}}}
    found, problems = profiles.load(write(tmp_path, data))
    assert problems == []
    assert found["a"].env == {"KEY": None, "B": "1"}


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"envv": {}}, "/a/envv", "did you mean"),
        ({"success_codes": [0]}, "/a/success_codes", "success_exit_codes"),
        ({"timeout": 1, "timeout-sec": 1}, "/a/timeout-sec", "same field"),
        ({"working_dir": ".", "working-dir": "."}, "/a/working-dir", "same field"),
        ({"type": "linter"}, "/a/type", "static-check"),
        ({"timeout": 0}, "/a/timeout", "0"),
        ({"timeout": "5"}, "/a/timeout", "number"),
        ({"args": "-q"}, "/a/args", "array"),
        ({"args": [1]}, "/a/args/0", "string"),
        ({"success_exit_codes": [256]}, "/a/success_exit_codes/0", "256"),
        ({"success_exit_codes": []}, "/a/success_exit_codes", "[]"),
        ({"failure_output": ["^ok", "("]}, "/a/failure_output/1", "regular expression"),
        ({"failure-output": ["["]}, "/a/failure-output/0", "regular expression"),
        ({"env": {"A": 1}}, "/a/env/A", "1"),
        ({"command": ""}, "/a/command", ""),
    ],
)
def test_wrong_fields_are_problems(tmp_path: Path, fields: dict[str, Any], pointer: str, words: str) -> None:
    """Each wrong field is one problem with its place, and the file is not used."""
    root = write(tmp_path, {"a": {"type": "ai", "command": "x", **fields}})
    found, problems = profiles.load(root)
    assert [(p.file, p.pointer) for p in problems] == [(profiles.FILE, pointer)]
    assert words in problems[0].message + problems[0].hint
    assert problems[0].line > 1
    assert "a" not in found
    assert "pytest" in found


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "{", '{"a": {"type": "ai"}}'])
def test_wrong_files_are_problems(tmp_path: Path, text: str) -> None:
    """What is no object of profiles is a problem, never an exception."""
    _, problems = profiles.load(write(tmp_path, text))
    assert [p.file for p in problems] == [profiles.FILE]


def test_a_dangling_link_is_a_problem(tmp_path: Path) -> None:
    """A file of profiles that is meant to be there but cannot be read is told."""
    (tmp_path / "config").mkdir()
    (tmp_path / profiles.FILE).symlink_to("nowhere")
    _, problems = profiles.load(str(tmp_path))
    assert [p.file for p in problems] == [profiles.FILE]
