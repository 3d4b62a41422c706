"""What is remembered of the last run of `wsbuild detect`: an answer at once, never to another question."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from detecting import own
from space import Space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = {
    "src/app.py": "import os\n",
    "src/clean.py": "X = 1\n",
    "src/deep/mod.py": "import  sys\n",
    "conf/a.yaml": "---\na:  1\n",
    "conf/.yamllint": "",
    "ignored/b.yaml": "a:   1\n",
    ".gitignore": "ignored/\n",
    "script": "#!/bin/sh\nexit\n",
    "notes.md": "Teh end\n",
    "pyproject.toml": "[tool.ruff]\n",
    "config/wsbuild.yaml": "---\ndetectors: [own, ruff, shy, yamllint]\n",
}
OWN = 'grep -l "${MOOD:-Teh}" -- "$@"; test $? != 0'


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project that was judged a while ago."""
    space = Space(tmp_path / "project")
    for path, text in FILES.items():
        space.write(path, text)
    (space.root / "script").chmod(0o755)
    (space.root / "empty").mkdir()
    folder = space.root.parent / "first"
    folder.mkdir()
    space.env["PATH"] = f"{folder}:{space.env['PATH']}"
    own(space, OWN, types=["markdown"], pass_env=["MOOD"], config_files=["own.cfg"])
    own(space, "exit 0", name="shy", types=["markdown"], command="shy")
    grow_old(space)
    judged(space)
    return space


def grow_old(space: Space) -> None:
    """Let what was just written be old enough for its times to be believed."""
    while judged(space)["counts"]["tool_calls"]:
        pass


def judged(space: Space, *arguments: str) -> dict[str, Any]:
    """What `detect` says."""
    result: dict[str, Any] = space.wsbuild("detect", "--json", *arguments, code=None).json
    return result


def anew(space: Space) -> dict[str, Any]:
    """What it says where nothing is remembered."""
    shutil.rmtree(space.root / ".wsbuild")
    return judged(space)


def found(answer: dict[str, Any]) -> Any:
    """The part that does not tell how it came about."""
    skipped = [(one["id"], one["reason"]) for one in answer["detectors"] if one["status"] == "skipped"]
    versions = [(one["id"], one["version"]) for one in answer["detectors"]]
    return (
        answer["findings"],
        answer["suppressed"],
        answer["errors"],
        answer["counts"]["files"],
        skipped,
        versions,
    )


def in_place(space: Space, path: str, text: str) -> None:
    """Write other text of the same length, and put the time back."""
    target = space.root / path
    before = target.stat()
    assert len(text) == before.st_size
    target.write_text(text)
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))


def tool(space: Space, name: str, text: str) -> None:
    """Put a program on PATH, before all others."""
    folder = space.root.parent / "first"
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def remove(space: Space, path: str) -> None:
    """Remove a file."""
    (space.root / path).unlink()


def to_link(space: Space) -> None:
    """Put a link in the place of a file."""
    remove(space, "src/app.py")
    (space.root / "src/app.py").symlink_to("clean.py")


def to_pipe(space: Space) -> None:
    """Put a pipe in the place of a file."""
    remove(space, "src/app.py")
    os.mkfifo(space.root / "src/app.py")


def edited(space: Space, path: str, old: str, new: str) -> None:
    """Replace something in a file."""
    assert old in space.read(path)
    space.write(path, space.read(path).replace(old, new))


CHANGES: dict[str, Callable[[Space], object]] = {
    "an edit": lambda s: s.write("src/clean.py", "import json\n"),
    "an edit that leaves size and time": lambda s: in_place(
        s, "src/app.py", "import io\n\n"[: len("import os\n")]
    ),
    "an edit of a file in no detector's types": lambda s: s.write(
        "script", "#!/usr/bin/env python3\nimport re\n"
    ),
    "a replaced file": lambda s: s.write("x", "import re\n").rename(s.root / "src/clean.py"),
    "a new file": lambda s: s.write("src/new.py", "import re\n"),
    "a new file in a new directory": lambda s: s.write("more/deep/new.py", "import re\n"),
    "a new file in an empty directory": lambda s: s.write("empty/new.py", "import re\n"),
    "a file that is gone": lambda s: remove(s, "src/app.py"),
    "a renamed file": lambda s: (s.root / "src/app.py").rename(s.root / "src/other.py"),
    "a renamed directory": lambda s: (s.root / "src").rename(s.root / "source"),
    "a link in the place of a file": to_link,
    "a pipe in the place of a file": to_pipe,
    "a mode": lambda s: (s.root / "src/app.py").chmod(0o755),
    "a new configuration": lambda s: s.write("src/ruff.toml", "lint.ignore = ['F401']\n"),
    "an edited configuration": lambda s: s.write("pyproject.toml", "[tool.ruff]\nlint.ignore = ['F401']\n"),
    "a configuration that is gone": lambda s: (
        s.write(".yamllint", "extends: relaxed\n"),
        judged(s),
        remove(s, ".yamllint"),
    ),
    "a package beside": lambda s: s.write("sys/__init__.py", ""),
    "an ignore rule": lambda s: s.write(".gitignore", "ignored/\nsrc/\n"),
    "an ignore rule that is gone": lambda s: s.write(".gitignore", "\n"),
    "an ignore file below": lambda s: s.write("src/.gitignore", "app.py\n"),
    "the settings": lambda s: s.write("config/wsbuild.yaml", "---\ndetectors: [yamllint]\n"),
    "other names to ignore": lambda s: edited(
        s, "config/wsbuild.yaml", "detectors", "ignore: [src]\ndetectors"
    ),
    "a plugin": lambda s: edited(s, "config/detectors/own/plugin.py", "'bad'", "'worse'"),
    "a manifest": lambda s: edited(s, "config/detectors/own/manifest.json", '"markdown"', '"yaml"'),
    "a detector that is gone": lambda s: (
        shutil.rmtree(s.root / "config/detectors/own"),
        edited(s, "config/wsbuild.yaml", "own, ", ""),
    ),
    "a new tool": lambda s: tool(s, "shy", "#!/bin/sh\n"),
    "a tool that is gone": lambda s: (
        tool(s, "shy", "#!/bin/sh\n"),
        judged(s),
        (s.root.parent / "first/shy").unlink(),
    ),
    "another tool before": lambda s: tool(s, "sh", "#!/bin/bash\necho notes.md; exit 1\n"),
    "a variable that a detector is given": lambda s: s.env.update(MOOD="bad"),
    "the end of the memory": lambda s: shutil.rmtree(s.root / ".wsbuild/detect"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_answer_is_one_of_before(space: Space, change: str) -> None:
    """After a change the answer is what it is without anything remembered; and so is the one after it."""
    CHANGES[change](space)
    first, second = judged(space), judged(space)
    fresh = anew(space)
    assert found(first) == found(fresh)
    assert found(second) == found(fresh)
    assert second["counts"]["tool_calls"] == 0


def test_a_new_edit_at_once(space: Space) -> None:
    """One that the clock of the file system cannot tell from the one before."""
    for number in range(10):
        space.write("src/clean.py", f"import os, r{number}\n")
        judged(space)
        in_place(space, "src/clean.py", f"import os, s{number}\n")
        said = " ".join(one["message"] for one in judged(space)["findings"])
        assert f"`s{number}`" in said
        assert f"`r{number}`" not in said


def test_it_is_asked_for_nothing(space: Space) -> None:
    """Neither its tools nor its results are needed for an answer that is remembered."""
    before = judged(space)
    (space.root / ".wsbuild/detect.db").write_bytes(b"garbage" * 1000)
    result = space.wsbuild("detect", "--json", code=1)
    assert (result.json, result.err) == (before, "")


def test_one_file_among_many_results(space: Space) -> None:
    """Only it is judged; what was found in others is still told, also of detectors that look at it."""
    before = judged(space)
    space.write("src/clean.py", "import json\n")
    after = judged(space)
    assert after["counts"]["tool_calls"] == 1
    assert after["counts"]["from_cache"] == before["counts"]["from_cache"] - 1
    new = [one for one in after["findings"] if one not in before["findings"]]
    assert {one["path"] for one in new} == {"src/clean.py"}
    assert [one for one in after["findings"] if one not in new] == before["findings"]


def test_a_whole_project_is_judged_as_a_whole(space: Space) -> None:
    """Also where one file has changed; what is found in files that it does not look at stays."""
    script = 'cat -- "$@" | grep -q Teh && echo conf/a.yaml || echo src/app.py; exit 1'
    own(space, script, types=["markdown"], granularity="project")
    space.write("other.md", "fine\n")

    def where() -> list[str]:
        return [one["path"] for one in judged(space)["findings"] if one["detector"] == "own"]

    assert where() == ["conf/a.yaml"]
    space.write("other.md", "still fine\n")
    assert where() == ["conf/a.yaml"]
    space.write("conf/a.yaml", "---\na: 2\n")
    assert where() == ["conf/a.yaml"]
    space.write("notes.md", "The end\n")
    assert where() == ["src/app.py"]


def test_an_error_is_not_remembered(space: Space) -> None:
    """What could not be judged is judged again, until it can be."""
    flag = space.root.parent / "flag"
    own(space, f"test -f {flag} || exit 9", types=["markdown"])
    for _ in range(2):
        assert [one["path"] for one in judged(space)["errors"]] == ["notes.md"]
    flag.touch()
    assert judged(space)["errors"] == []


def test_a_damaged_memory_is_none(space: Space) -> None:
    """Cut or changed anywhere."""
    before = judged(space)
    [file] = [path for path in (space.root / ".wsbuild/detect").iterdir() if b"--json" in path.read_bytes()]
    data = file.read_bytes()
    step = max(1, len(data) // 12)
    for at in range(0, len(data), step):
        for bad in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]):
            file.write_bytes(bad)
            result = space.wsbuild("detect", "--json", code=1)
            assert found(result.json) == found(before)
            assert "Traceback" not in result.err
            assert file.read_bytes() != bad


def test_memories_do_not_pile_up(space: Space) -> None:
    """The oldest go."""
    for number in range(20):
        space.wsbuild("detect", "-j", str(number + 1), "conf", code=None)
    kept = list((space.root / ".wsbuild/detect").iterdir())
    assert len([path for path in kept if path.suffix != ".more"]) == 16
    assert len(kept) == 32


def test_each_form_of_the_command_has_its_own(space: Space) -> None:
    """And each directory that it is given in."""
    whole = judged(space)
    part = judged(space, "-d", "ruff", "src")
    assert {one["detector"] for one in part["findings"]} == {"ruff"}
    below = space.wsbuild("detect", "--json", "-d", "ruff", "deep", code=1, cwd=space.root / "src").json
    assert {one["path"] for one in below["findings"]} == {"src/deep/mod.py"}
    assert (judged(space), judged(space, "-d", "ruff", "src")) == (whole, part | {"counts": part["counts"]})
    assert json.dumps(below) != json.dumps(part)
