"""docs/authoring.md, played from its first line to its last: what it says is what happens."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from space import Space

from wsbuild.planning.authoring import advice, advice_files, advice_work

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text()


class Block(NamedTuple):
    """A fenced block: its language, its text, and the file that its first line names."""

    language: str
    text: str

    @property
    def path(self) -> str:
        found = re.match(r"# (\S+/\S+\.\w+)\n", self.text)
        return found[1] if found else ""


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)]


@pytest.fixture
def empty(tmp_path: Path) -> Space:
    """A directory with nothing in it."""
    space = Space(tmp_path / "project")
    (space.root / "workstreams").rmdir()
    (space.root / "pyproject.toml").unlink()
    return space


def _shell(space: Space, command: str) -> str:
    words = ["sh", "-ec", command]
    done = subprocess.run(
        words, check=False, cwd=space.root, env=space.env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout + done.stderr


def _session(text: str) -> list[tuple[str, str]]:
    """Commands and what they print, as shown in a block."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _expected(shown: str) -> str:
    """What is shown as a pattern: `…` stands for what differs from run to run."""
    return ".*".join(map(re.escape, shown.split("…")))


def test_it_happens_as_it_is_told(empty: Space) -> None:
    """Every command, what it prints, every file; and what `new` writes is what is shown of it."""
    sessions = 0
    for block in BLOCKS:
        if block.language == "sh":
            _shell(empty, block.text)
        elif block.language == "console":
            for command, shown in _session(block.text):
                sessions += 1
                said = sorted(_shell(empty, command).splitlines())
                wanted = sorted(shown.splitlines())
                assert len(said) == len(wanted), (command, said)
                for line, pattern in zip(said, wanted, strict=True):
                    assert re.fullmatch(_expected(pattern), line), (command, line)
        elif block.path.startswith(("tools/", "workstreams/")):
            empty.write(block.path, block.text)
        elif block.language == "yaml" and block.text.startswith("id: ws-catalog"):
            assert yaml.safe_load(block.text) == yaml.safe_load(empty.read("workstreams/catalog.yaml"))
    assert sessions >= 6
    assert (empty.root / "shop/catalog.py").read_text().startswith("BOOKS = ")


def test_what_is_said_of_editors_is_so(empty: Space) -> None:
    """The line and the field that `--editor` writes, and the settings of VS Code."""
    for block in BLOCKS[:2]:
        _shell(empty, block.text) if block.language == "sh" else empty.write(block.path, block.text)
    for form in ("yaml", "json"):
        empty.wsbuild("new", form, "--scope", form, "--step", f"a=touch {form}", "--editor", "--format", form)
    [line] = [block.text for block in BLOCKS if block.text.startswith("# yaml-language-server")]
    assert empty.read("workstreams/yaml.yaml").startswith(line)
    field, settings = [json.loads(block.text) for block in BLOCKS if block.language == "json"]
    assert json.loads(empty.read("workstreams/json.json"))["$schema"] == field["$schema"]
    _shell(empty, next(block.text for block in BLOCKS if "schema --write" in block.text))
    urls = [one["url"] for one in settings["json.schemas"]] + list(settings["yaml.schemas"])
    assert len(urls) == 5
    for url in urls:
        assert (empty.root / url).is_file(), url


def test_every_kind_of_advice_is_explained() -> None:
    """With the threshold that the code has."""
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", GUIDE, re.MULTILINE))
    assert sorted(told) == sorted(advice.CODES)
    assert f"more than {advice_work.MOST_TASKS} tasks" in told["many-tasks"]
    for code in ("wide-scope", "undeclared-inputs"):
        assert f"more than {advice_files.MOST_FILES} files" in told[code]
