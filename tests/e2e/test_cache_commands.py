"""`wsbuild cache`, and the CI recipe of the documents played through."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from space import Space

CI = Path(__file__).parents[2] / "docs" / "ci.md"


@pytest.fixture
def built(space: Space) -> Space:
    """Three steps with outputs of 100 kB each, made a day apart."""
    for at in range(3):
        name = f"s{at}"
        step = {
            "name": "make",
            "run": f"head -c 100000 /dev/zero | tr '\\0' {at} > {name}.bin",
            "shell": True,
            "inputs": [],
            "outputs": [f"{name}.bin"],
        }
        space.workstream(name, files_scope=[f"{name}.bin"], steps=[step])
        space.doit("run", f"ws:{name}")
        for path in results(space):
            st = path.stat()
            os.utime(path, (st.st_mtime - 86_400, st.st_mtime - 86_400))
    return space


def results(space: Space) -> list[Path]:
    return [path for path in (space.root / ".wsbuild/cache/results").rglob("*") if path.is_file()]


def stats(space: Space) -> dict[str, Any]:
    found: dict[str, Any] = space.wsbuild("cache", "stats", "--json").json
    return found


def restored(space: Space) -> list[str]:
    """Delete all and build; gives what was restored."""
    for path in space.root.glob("*.bin"):
        path.unlink()
    steps = space.wsbuild("run", "--json").json["steps"]
    return [step["task"] for step in steps if step["status"] == "restored"]


def test_stats_count_what_is_there_and_how_it_was_of_use(built: Space) -> None:
    """Results, contents, bytes, and the hits and misses of the last run."""
    found = stats(built)
    assert (found["entries"], found["blobs"], found["damaged"]) == (3, 3, 0)
    assert 300_000 < found["bytes"] < 310_000
    assert (found["hits"], found["misses"]) == (0, 1)
    (built.root / "s0.bin").unlink()
    built.doit("run")
    assert (stats(built)["hits"], stats(built)["misses"]) == (1, 0)
    assert "3 results" in built.wsbuild("cache", "stats").out


def test_gc_leaves_what_was_used_last(built: Space) -> None:
    """By size, then by age; and what is gone runs again."""
    removed = built.wsbuild("cache", "gc", "--max-size", "250k", "--json").json
    assert (removed["entries"], removed["blobs"]) == (1, 1)
    assert removed["left"] == stats(built)["bytes"] <= 250_000
    assert restored(built) == ["ws:s1:make", "ws:s2:make"]
    removed = built.wsbuild("cache", "gc", "--max-age", "12h", "--json").json
    assert removed["entries"] == 0, "all were used just now"
    built.wsbuild("cache", "gc", "--max-age", "0s")
    assert stats(built)["entries"] == stats(built)["blobs"] == 0
    assert restored(built) == []


def test_the_limits_not_given_are_those_of_the_settings(built: Space) -> None:
    """`cache.max_size_mb` and `cache.max_age_days`."""
    built.wsbuild("cache", "gc")
    assert stats(built)["entries"] == 3
    built.write("config/wsbuild.yaml", "cache: {max_size_mb: 0.15}\n")
    built.wsbuild("cache", "gc")
    assert stats(built)["entries"] == 1
    built.write("config/wsbuild.yaml", "cache: {max_age_days: 0.5}\n")
    built.wsbuild("cache", "gc")
    assert stats(built)["entries"] == 0


def test_verify_finds_damage_and_puts_it_out_of_use(built: Space) -> None:
    """Exit 1 with the file's name; with --fix the next check is clean, and the damaged file is kept."""
    blob = next(path for path in (built.root / ".wsbuild/cache/blobs").rglob("*") if path.is_file())
    blob.chmod(0o644)
    blob.write_bytes(b"x" * 100_000)
    found = built.wsbuild("cache", "verify", "--json", code=1).json
    assert {problem["path"] for problem in found["problems"]} >= {str(blob)}
    assert str(blob) in built.wsbuild("cache", "verify", code=1).out
    built.wsbuild("cache", "verify", "--fix")
    assert "all is as it was written" in built.wsbuild("cache", "verify").out
    assert stats(built)["damaged"] >= 1
    assert len(restored(built)) == 2


def test_clear_forgets_the_results_and_nothing_else(built: Space) -> None:
    """What is up to date stays so."""
    built.wsbuild("cache", "clear")
    assert (stats(built)["entries"], stats(built)["blobs"], stats(built)["bytes"]) == (0, 0, 0)
    assert "nothing to do" in built.doit("run").out
    assert restored(built) == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--max-size", "big"], "500M"), (["--max-age", "old"], "30d"), (["--max-age", "-1d"], "30d")],
)
def test_a_limit_that_is_none_is_refused(built: Space, arguments: list[str], word: str) -> None:
    """With an example; and nothing is removed."""
    result = built.wsbuild("cache", "gc", *arguments, code=2)
    assert word in result.err
    assert stats(built)["entries"] == 3


@pytest.mark.parametrize("command", [["clear"], ["gc", "--max-age", "0s"], ["verify", "--fix"], ["stats"]])
def test_a_directory_that_is_no_cache_is_not_touched(
    built: Space, tmp_path: Path, command: list[str]
) -> None:
    """A wrong WSBUILD_CACHE_DIR must not cost anybody's files."""
    mine = tmp_path / "mine"
    (mine / "results").mkdir(parents=True)
    (mine / "results" / "thesis.txt").write_text("years of work")
    result = built.wsbuild("cache", *command, code=3, env={"WSBUILD_CACHE_DIR": str(mine)})
    assert "is not a cache of wsbuild" in result.err
    assert (mine / "results" / "thesis.txt").read_text() == "years of work"


# --- the CI recipe


class Machine:
    """What plays the recipe's steps: GitHub's cache is a directory of archives, its newest last."""

    def __init__(self, space: Space, store: Path, *, event: str, ref: str, number: int) -> None:
        self.space = space
        self.store = store
        self.on_main = (event, ref) == ("push", "refs/heads/main")
        self.number = number
        self.said = ""

    def play(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if "if" in step and not self.on_main:
                assert "github.ref == 'refs/heads/main'" in step["if"]
                assert "github.event_name == 'push'" in step["if"]
                continue
            use = step.get("uses", "").split("@")[0]
            if use == "actions/cache/restore":
                self._restore(step["with"])
            elif use == "actions/cache/save":
                self._save(step["with"])
            elif step.get("run", "").startswith("wsbuild "):
                self.said += self.space.run(*step["run"].split(), code=0).out

    def _restore(self, given: dict[str, str]) -> None:
        for packed in sorted(self.store.iterdir(), reverse=True)[:1]:
            with tarfile.open(packed) as archive:
                archive.extractall(self.space.root, filter="data")
        assert given["restore-keys"] == given["key"].replace("${{ github.sha }}", "")

    def _save(self, given: dict[str, str]) -> None:
        with tarfile.open(self.store / f"{self.number:03}.tar.gz", "w:gz") as archive:
            archive.add(self.space.root / given["path"], arcname=given["path"])


def test_the_ci_recipe_works(built: Space, tmp_path: Path) -> None:
    """Main builds and saves; a pull request elsewhere restores everything, and saves nothing."""
    (block,) = re.findall(r"```yaml\n(.*?)```", CI.read_text(), re.DOTALL)
    workflow = yaml.load(block, yaml.BaseLoader)  # `on` is a word here
    steps = workflow["jobs"]["build"]["steps"]
    saves = [step for step in steps if step.get("uses", "").startswith("actions/cache/save")]
    assert len(saves) == 1
    assert not any(step.get("uses", "").startswith("actions/cache@") for step in steps)
    store = tmp_path / "store"
    store.mkdir()
    shutil.rmtree(built.root / ".wsbuild")
    shutil.rmtree(built.root / "state")
    built.git("init", "-q")
    built.write(".gitignore", "*.bin\n")
    built.git("add", "-A")
    built.git("commit", "-qm", "sources")

    def machine(number: int, event: str, ref: str) -> Machine:
        target = tmp_path / f"machine {number}"
        built.git("clone", "-q", str(built.root), str(target))
        found = Machine(Space(target), store, event=event, ref=ref, number=number)
        found.play(steps)
        return found

    assert "3 executed" in machine(1, "pull_request", "refs/pull/1/merge").said
    assert list(store.iterdir()) == []
    assert "3 executed" in machine(2, "push", "refs/heads/main").said
    assert len(list(store.iterdir())) == 1
    assert ": 3 restored" in machine(3, "pull_request", "refs/pull/2/merge").said
    assert len(list(store.iterdir())) == 1
    assert ": 3 restored" in machine(4, "push", "refs/heads/main").said
