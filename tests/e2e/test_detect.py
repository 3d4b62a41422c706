"""`wsbuild detect`: what the real tools find, and nothing judged twice; whatever a tool or a plugin does."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from detecting import FILES, LINES, MANIFEST, TOOLS, calls, detect, own, places, tools_project
from space import BIN, Space


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project with something wrong for each tool, and a note of each call."""
    return tools_project(tmp_path)


def bare(space: Space, *command: str) -> tuple[str, str]:
    """What a tool says when it is asked directly."""
    result = space.run(*command, env={"PATH": f"{BIN}:/usr/bin:/bin"})
    return result.out, result.err


PYTHON = ["src/app.py", "src/broken.py", "src/clean.py", "src/with space.py", "script"]
YAML = ["conf/a.yaml", "conf/broken.yaml", "./-odd.yml"]


def test_findings_are_those_of_the_bare_tools(space: Space) -> None:
    """Each of them, and no other."""
    found = detect(space)
    assert found["errors"] == []
    out, _ = bare(space, "ruff", "check", "--no-cache", "--output-format=concise", *PYTHON)
    lines = re.findall(r"(?m)^(.+?):(\d+):(\d+): (\S+?):? ", out)
    assert places(found, "ruff") == sorted((p, int(r), int(c), code) for p, r, c, code in lines)
    out, _ = bare(space, "bandit", "-q", "-f", "csv", *PYTHON)
    rows = [
        (os.path.normpath(r["filename"]), int(r["line_number"]), int(r["col_offset"]) + 1, r["test_id"])
        for r in csv.DictReader(io.StringIO(out))
    ]
    assert places(found, "bandit") == sorted([*rows, ("src/broken.py", 0, 0, "syntax")])
    _, err = bare(space, "black", "--check", *PYTHON)
    would = re.findall(r"(?m)^would reformat (.+)$", err)
    wrong = [(os.path.normpath(path), 0, 0, "unformatted") for path in would]
    assert places(found, "black") == sorted([*wrong, ("src/broken.py", 1, 6, "syntax")])
    out, _ = bare(space, "yamllint", "-f", "parsable", *YAML)
    lines = re.findall(r"(?m)^(.+?):(\d+):(\d+): .*?(?:\(([a-z-]+)\))?$", out)
    rows = [(os.path.normpath(p), int(r), int(c), code or "syntax") for p, r, c, code in lines]
    assert places(found, "yamllint") == sorted(rows)
    out, _ = bare(space, "codespell", *(path for path in FILES if path not in {"data.bin", "-odd.yml"}))
    rows = [
        (os.path.normpath(p), int(r), 0, "misspelling") for p, r in re.findall(r"(?m)^(.+?):(\d+): ", out)
    ]
    assert places(found, "codespell") == sorted(rows)
    assert all(places(found, name) for name in TOOLS)


def test_the_second_run_calls_no_tool(space: Space) -> None:
    """And finds the same; not after every file was touched either."""
    first = detect(space)
    assert calls(space)
    for _ in range(2):
        again = detect(space)
        assert (again["findings"], again["counts"]["tool_calls"]) == (first["findings"], 0)
        assert {one["status"] for one in again["detectors"]} == {"cached"}
        for path in FILES:
            os.utime(space.root / path, ns=(1, 1))
    assert calls(space) == []


def test_one_changed_file_is_judged_by_its_detectors(space: Space) -> None:
    """It alone."""
    before = detect(space)
    calls(space)
    space.write("src/clean.py", "import json\n")
    after = detect(space)
    assert calls(space) == [f"{name} src/clean.py" for name in TOOLS if name != "yamllint"]
    new = [one for one in after["findings"] if one not in before["findings"]]
    assert {one["path"] for one in new} == {"src/clean.py"}
    space.write("src/clean.py", FILES["src/clean.py"])
    assert detect(space)["findings"] == before["findings"]
    assert calls(space) == []


def test_another_version_of_a_tool_judges_all_again(space: Space) -> None:
    """That one, and no other."""
    detect(space)
    calls(space)
    shim = space.root.parent / "shims/yamllint"
    shim.write_text(shim.read_text().replace("--version*) ;;", "--version*) echo yamllint 99; exit;;"))
    found = detect(space)
    assert {call.split()[0] for call in calls(space)} == {"yamllint"}
    assert {one["id"]: one["version"] for one in found["detectors"]}["yamllint"] == "yamllint 99"


def test_an_edit_of_a_configuration_concerns_what_lies_below_it(space: Space) -> None:
    """Of the tools that read it: there, not there before, and gone again."""
    before = detect(space)
    calls(space)
    space.write("src/ruff.toml", "lint.ignore = ['F401']\n")
    after = detect(space)
    called = calls(space)
    assert [call for call in called if call.startswith("ruff")] == ["ruff space.py"]
    assert {call.split()[0] for call in called} == {"ruff", "codespell"}, "the new file is text, too"
    gone = {one["fingerprint"] for one in before["findings"]} - {
        one["fingerprint"] for one in after["findings"]
    }
    assert {one["code"] for one in before["findings"] if one["fingerprint"] in gone} == {"F401"}
    (space.root / "src/ruff.toml").unlink()
    assert detect(space)["findings"] == before["findings"]
    assert calls(space) == []
    space.write(".yamllint", "extends: relaxed\n")
    assert {call.split()[0] for call in calls(space)} == set()
    detect(space)
    assert {call.split()[0] for call in calls(space)} == {"yamllint", "codespell"}


def test_a_finding_is_known_where_its_line_has_moved(space: Space) -> None:
    """Another one in an equal line is another."""
    space.write("src/app.py", "import os\n\n\ndef f():\n    import os\n")
    before = [one for one in detect(space, "-d", "ruff", "src/app.py")["findings"] if one["code"] == "F401"]
    space.write("src/app.py", '"""Above."""\n\nimport os\n\n\ndef f():\n    import os\n')
    after = [one for one in detect(space, "-d", "ruff", "src/app.py")["findings"] if one["code"] == "F401"]
    assert [one["line"] for one in before] != [one["line"] for one in after]
    assert [one["fingerprint"] for one in before] == [one["fingerprint"] for one in after]
    assert len({one["fingerprint"] for one in after}) == len(after) == 2


def test_words_choose_files_and_detectors(space: Space) -> None:
    """And what there is not is told, with what there is."""
    found = detect(space, "-d", "ruff", "-d", "black", "src/clean.py", code=0)
    assert (found["counts"]["files"], [one["id"] for one in found["detectors"]]) == (1, ["ruff", "black"])
    said = space.wsbuild("detect", "-d", "nope", code=2).err
    assert "no detector 'nope'" in said
    assert "bandit, black" in said
    assert "nowhere.py is not there" in space.wsbuild("detect", "nowhere.py", code=2).err
    listed = space.wsbuild("detect", "--list").out
    assert {line.split()[0] for line in listed.splitlines()} >= set(TOOLS)


@pytest.mark.parametrize("lean", [True, False])
@pytest.mark.parametrize(
    "words",
    [".", "./", "{root}", "{root}/", "../project", "src/..", "./src ./README.md ./conf ./script ./-odd.yml"],
)
def test_it_is_the_same_however_it_is_named(space: Space, words: str, *, lean: bool) -> None:
    """Paths are told, and results kept, from the root by the shortest way."""
    more = [] if lean else ["--all"]
    whole = detect(space, *more)
    named = detect(space, *more, *words.format(root=space.root).split())
    assert named["findings"] == whole["findings"]
    assert named["errors"] == []
    assert named["counts"]["tool_calls"] == 0


@pytest.mark.parametrize("word", ["/etc/hostname", "..", "../beside.py", "src/../../beside.py"])
def test_what_lies_elsewhere_is_not_judged(space: Space, word: str) -> None:
    (space.root.parent / "beside.py").write_text("import os\n")
    result = space.wsbuild("detect", word, code=2)
    assert f"{word} is outside of the project {space.root}" in result.err


def test_what_is_shown_to_a_person(space: Space) -> None:
    """By file, with place, severity and code; and the count."""
    said = space.wsbuild("detect", code=1).out
    assert "src/app.py\n" in said
    assert "`os` imported but unused  [ruff F401]" in said
    assert re.search(r"\n\d+ findings in \d+ of 12 files; \d+ tool calls\n$", said), said


# --- a repository's own detectors, and what they may do


def test_an_own_detector_works_like_any(space: Space) -> None:
    """Its code and its configuration are part of what it depends on."""
    own(space, 'grep -l Teh -- "$@" && exit 1; exit 0', types=["markdown"])
    found = detect(space, "-d", "own")
    assert [(one["path"], one["code"]) for one in found["findings"]] == [("README.md", "X")]
    assert detect(space, "-d", "own")["counts"]["tool_calls"] == 0
    own(space, 'grep -l Teh -- "$@" && exit 1; exit 0', LINES.replace("'bad'", "'worse'"), types=["markdown"])
    assert detect(space, "-d", "own")["findings"][0]["message"] == "worse"


def test_a_missing_tool_is_skipped_and_never_clean(space: Space) -> None:
    """With how to get it; when it is there it is asked."""
    own(space, "exit 0", types=["markdown"], command="not-there", install="pip install not-there")
    found = detect(space, "-d", "own", "-d", "yamllint")
    [skipped] = [one for one in found["detectors"] if one["id"] == "own"]
    assert skipped["status"] == "skipped"
    assert skipped["reason"] == "not-there is not on PATH: pip install not-there"
    assert found["counts"]["skipped_detectors"] == 1
    assert "skipped   own: not-there is not on PATH" in space.wsbuild("detect", "-d", "own", code=0).out
    tool = space.root.parent / "shims/not-there"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert detect(space, "-d", "own", code=0)["counts"]["tool_calls"] == 1


def test_what_changes_while_it_is_judged_is_not_judged(space: Space) -> None:
    """Also where the tool itself did that; it is not kept."""
    own(space, 'for file in "$@"; do echo more >> "$file"; done', types=["markdown"])
    found = detect(space, "-d", "own", "README.md")
    assert found["errors"][0]["message"] == "it was changed while it was judged"
    assert detect(space, "-d", "own", "README.md")["counts"]["tool_calls"] == 1


def test_a_whole_project_is_one_result(space: Space) -> None:
    """Of all its files together: any that changes has all of it judged again."""
    own(space, "echo README.md; exit 1", types=["python"], granularity="project")
    first = detect(space, "-d", "own")
    assert [one["path"] for one in first["findings"]] == ["README.md"]
    assert first["counts"]["tool_calls"] == 1
    assert detect(space, "-d", "own")["counts"]["tool_calls"] == 0
    space.write("README.md", "not one of its files\n")
    assert detect(space, "-d", "own")["counts"]["tool_calls"] == 0
    space.write("src/clean.py", "1\n")
    assert detect(space, "-d", "own")["counts"]["tool_calls"] == 1


@pytest.mark.parametrize(
    ("manifest", "plugin", "told"),
    [
        ({"unheard": 1}, None, "'unheard' is no known field"),
        ({"id": "other"}, None, "is not the name of its folder"),
        ({"version": 0}, None, "/version"),
        ({}, "import nowhere_to_be_found\n", "ModuleNotFoundError"),
        ({}, "raise SystemExit(0)\n", "SystemExit"),
        ({}, "def command(files): return []\n", "has no attribute 'parse'"),
    ],
)
def test_a_detector_that_is_none_is_told(
    space: Space, manifest: dict[str, Any], plugin: str | None, told: str
) -> None:
    """With its file; nothing is judged as if it were not there."""
    own(space, "exit 0")
    space.write("config/detectors/own/manifest.json", json.dumps({**MANIFEST, **manifest}))
    if plugin is not None:
        space.write("config/detectors/own/plugin.py", plugin)
    result = space.wsbuild("detect", code=2)
    assert told in result.err
    assert "config/detectors/own/" in result.err
    assert "Traceback" not in result.err
    assert calls(space) == []


def test_a_damaged_memory_costs_time_only(space: Space) -> None:
    """It is begun anew, with one warning."""
    first = detect(space)
    (space.root / ".wsbuild/detect.db").write_bytes(b"garbage" * 1000)
    shutil.rmtree(space.root / ".wsbuild/detect")
    result = space.wsbuild("detect", "--json", code=1)
    assert result.json["findings"] == first["findings"]
    assert result.err.count("was damaged, and is begun anew") == 1
    assert detect(space)["counts"]["tool_calls"] == 0


def test_a_result_that_was_tampered_with_is_not_believed(space: Space) -> None:
    """It is made again."""
    first = detect(space)
    with sqlite3.connect(space.root / ".wsbuild/detect.db") as conn:
        conn.execute("UPDATE verdicts SET findings = ''")
    shutil.rmtree(space.root / ".wsbuild/detect")
    again = detect(space)
    assert again["findings"] == first["findings"]
    assert again["counts"]["tool_calls"] > 0


def test_no_secret_of_the_caller_is_shown_or_kept(space: Space) -> None:
    """Not even one that a tool prints."""
    space.env["MY_TOKEN"] = "tok-12345-secret"
    own(space, "echo tok-12345-secret; exit 3", types=["markdown"], pass_env=["MY_TOKEN"])
    result = space.wsbuild("detect", "-d", "own", code=1)
    assert "sh ended with 3" in result.out
    kept = [path for path in (space.root / ".wsbuild").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"tok-12345-secret" in path.read_bytes()]
    assert "tok-12345-secret" not in result.out + result.err


@pytest.mark.parametrize(
    "parse",
    [
        "yield Finding('README.md', 1, 1, output.stdout.strip(), 'style', 'warning', output.stdout)",
        "yield Finding('README.md', 1, 1, 'X', 'style', 'warning', 'bad', f'https://x.org/{output.stdout}')",
        "raise __import__('wsbuild').detectors.contract.ToolError(f'sh printed {output.stdout!r}')",
        "yield {}[output.stdout]",
    ],
)
def test_no_secret_is_in_what_a_plugin_makes_of_it(space: Space, parse: str) -> None:
    """In a finding, or in what it cannot read."""
    space.env["MY_TOKEN"] = "tok-12345-secret"
    own(space, 'echo "$MY_TOKEN"; exit 1', parse, types=["markdown"], pass_env=["MY_TOKEN"])
    result = space.wsbuild("detect", "-d", "own", "--json", code=1)
    assert "[redacted:MY_TOKEN]" in result.out
    kept = [path for place in (".wsbuild", "state") for path in (space.root / place).rglob("*")]
    assert not [path for path in kept if path.is_file() and b"tok-12345-secret" in path.read_bytes()]
    assert "tok-12345-secret" not in result.out + result.err


def test_a_file_that_is_called_like_a_secret_is_judged_all_the_same(space: Space) -> None:
    """And no finding is lost with its path."""
    before = detect(space, "-d", "ruff", "-d", "yamllint", "-d", "codespell")
    shutil.rmtree(space.root / ".wsbuild")
    space.env |= {"A_PASSWORD": "src/app.py", "B_PASSWORD": "README.md", "C_PASSWORD": "conf/a.yaml"}
    after = detect(space, "-d", "ruff", "-d", "yamllint", "-d", "codespell")
    assert after["errors"] == []
    assert [one["path"] for one in after["findings"]] == [one["path"] for one in before["findings"]]


@pytest.mark.parametrize("name", ["ruff", "ruff-format"])
def test_what_is_no_text_is_found_once(space: Space, name: str) -> None:
    """It is the content that is wrong: to ask again makes no difference."""
    space.write("config/wsbuild.yaml", f"detectors: [{name}]\n")
    (space.root / "cyrillic.py").write_bytes("# Привет\nX = 1\n".encode("cp1251"))
    told = detect(space)
    [row] = [one for one in told["findings"] if one["path"] == "cyrillic.py"]
    assert (row["category"], row["severity"]) == ("syntax", "error")
    assert "UTF-8" in row["message"]
    assert told["errors"] == []
    shutil.rmtree(space.root / ".wsbuild/detect")
    again = detect(space)
    assert (again["findings"], again["counts"]["tool_calls"]) == (told["findings"], 0)


def test_the_detector_of_the_documentation_works(space: Space) -> None:
    """Its two files, as they are there."""
    text = (Path(__file__).parents[2] / "docs/detectors.md").read_text()
    manifest, plugin = (
        re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[0] for kind in ("json", "python")
    )
    space.write("config/detectors/todo/manifest.json", manifest)
    space.write("config/detectors/todo/plugin.py", plugin)
    space.write("notes.txt", "one\nFIXME: two\n")
    found = detect(space, "-d", "todo", "notes.txt", "README.md")
    assert [(one["path"], one["line"], one["message"]) for one in found["findings"]] == [
        ("notes.txt", 2, "FIXME: two")
    ]
    assert found["errors"] == []


def test_a_new_detector_begins_with_one_that_works(space: Space) -> None:
    """It is that of the documentation; one that is there is left alone."""
    said = space.wsbuild("detect", "--new", "todo").out
    assert said.startswith("config/detectors/todo/manifest.json\nconfig/detectors/todo/plugin.py\n")
    space.write("notes.txt", "one\nFIXME: two\n")
    found = detect(space, "-d", "todo", "notes.txt")
    assert [(one["path"], one["line"], one["message"]) for one in found["findings"]] == [
        ("notes.txt", 2, "FIXME: two")
    ]
    text = (Path(__file__).parents[2] / "docs/detectors.md").read_text()
    plugin = space.read("config/detectors/todo/plugin.py")
    assert plugin.split("\n\n", 1)[1] == re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert "is there already" in space.wsbuild("detect", "--new", "todo", code=2).err
    assert space.read("config/detectors/todo/plugin.py") == plugin
    assert "'../x' is no id" in space.wsbuild("detect", "--new", "../x", code=2).err


def test_results_that_nobody_uses_go_some_day(space: Space) -> None:
    """What is used stays, however old it is."""
    detect(space)
    database = space.root / ".wsbuild/detect.db"
    with sqlite3.connect(database) as conn:
        (before,) = conn.execute("SELECT count(*) FROM verdicts").fetchone()
        conn.execute("UPDATE verdicts SET used_day = 1")
        conn.execute("INSERT INTO verdicts VALUES ('unused', '', '', 1)")
    # On another day no answer is given from what is remembered of the last run.
    shutil.rmtree(space.root / ".wsbuild/detect")
    assert detect(space)["counts"]["tool_calls"] == 0
    space.write("src/clean.py", "2\n")
    detect(space)
    with sqlite3.connect(database) as conn:
        keys = {key for (key,) in conn.execute("SELECT key FROM verdicts")}
    assert "unused" not in keys
    assert len(keys) == before + len(TOOLS) - 1


def test_without_a_place_for_its_memory_it_judges_all_the_same(space: Space) -> None:
    """And says that nothing is kept."""
    space.write(".wsbuild", "a file")
    result = space.wsbuild("detect", "--json", code=1)
    assert "results of detectors are not kept" in result.err
    assert result.json["counts"]["tool_calls"] > 0


def test_names_that_are_no_text_are_judged_too(space: Space) -> None:
    """Their findings are told, with the bytes escaped."""
    name = b"\xff\n.md"
    (space.root / os.fsdecode(name)).write_text("teh\n")
    own(
        space,
        'printf "%s\\n" "$#"; exit 1',
        "yield Finding(output.files[0], 1, 1, 'X', 'style', 'info', 'bad')",
    )
    result = space.wsbuild("detect", "--json", "-d", "own", code=1)
    assert "Traceback" not in result.err
    assert result.json["errors"] == []
    shown = space.wsbuild("detect", "-d", "own", code=1)
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("", ["F401"]),
        ("  # wsbuild: ignore", []),
        ("  # wsbuild: ignore[ruff]", []),
        ("  # wsbuild: ignore[E501, F401]", []),
        ("  # wsbuild: ignore[ruff:F401]", []),
        ("  # wsbuild: ignore[bandit:F401, black, F40]", ["F401"]),
        ("  # wsbuild: ignore[]", ["F401"]),
    ],
)
def test_a_line_can_take_back_what_is_found_in_it(space: Space, comment: str, left: list[str]) -> None:
    """It is counted, not hidden, and needs no tool that knows of it."""
    space.write("src/quiet.py", f"import os{comment}\n")
    command = ("-d", "ruff", "src/quiet.py")
    for _ in range(2):
        found = detect(space, *command, code=1 if left else 0)
        assert [one["code"] for one in found["findings"]] == left
        assert len(found["suppressed"]) == found["counts"]["suppressed"] == 1 - len(left)
    if not left:
        assert ", 1 suppressed; 0 tool calls" in space.wsbuild("detect", *command).out
