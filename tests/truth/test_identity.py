"""What makes a step run again and what does not: every cell, with the cause by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from space import Space

SECRET = "s3cret-value"
TOOL = """\
#!/bin/sh
if [ "$1" = --version ]; then echo asked >> "$XDG_ASKED"; echo "fake {version}"; exit; fi
echo ran >> "$XDG_TALLY"
cat src/* conf/*.cfg link.txt up.txt > out.txt
echo "$DECLARED" >> out.txt
"""
STEP: dict[str, Any] = {
    "name": "make",
    "tool": "fake",
    "inputs": ["src/", "conf/*.cfg", "link.txt", "up.txt"],
    "outputs": ["out.txt"],
}


def write_bundles(
    space: Space, *, up: str = "cat seed.txt > up.txt", beside: str = "1", **fields: Any
) -> None:
    """`t` is made by the tool and needs `up`; `beside` has to wait for its turn with `t`, no more."""
    run = {"name": "make", "run": up, "shell": True, "inputs": ["seed.txt"], "outputs": ["up.txt"]}
    space.workstream("up", files_scope=["up.txt"], steps=[run])
    run = {
        "name": "make",
        "run": f"echo {beside} > beside.txt",
        "shell": True,
        "inputs": [],
        "outputs": ["beside.txt"],
    }
    space.workstream("beside", files_scope=["beside.txt"], conflict_group="g", steps=[run])
    step = {**STEP, **fields.pop("step", {})}
    space.workstream(
        "t",
        files_scope=["out.txt", "more*.txt"],
        depends_on=["ws-up"],
        conflict_group="g",
        steps=[step],
        **fields,
    )


def write_profile(space: Space, **fields: Any) -> None:
    """The tool's profile."""
    profile = {
        "type": "utility",
        "command": "fake",
        "args": [],
        "env": {"DECLARED": None, "XDG_TALLY": None, "XDG_ASKED": None},
        "pass_env": ["PASSED"],
        "version_command": ["fake", "--version"],
        **fields,
    }
    space.write("config/tool_profiles.json", json.dumps({"fake": profile}))


class Bench(NamedTuple):
    """A project that is up to date, its tool, and where starts and questions are counted."""

    space: Space
    tool: Path
    counts: Path

    def count(self, name: str) -> int:
        path = self.counts / name
        return len(path.read_text().split()) if path.exists() else 0


def _bench(root: Path, counts: Path) -> Bench:
    space = Space(root / "project")
    tool = root / "bin" / "fake"
    space.env.update(
        PATH=f"{tool.parent}:{space.env['PATH']}",
        DECLARED=SECRET,
        UNDECLARED="1",
        PASSED="1",
        XDG_TALLY=str(counts / "ran"),
        XDG_ASKED=str(counts / "asked"),
    )
    return Bench(space, tool, counts)


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory for all copies: the environment that counts is in the key."""
    return tmp_path_factory.mktemp("counts")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, counts: Path) -> Path:
    """The project, built once."""
    root = tmp_path_factory.mktemp("built")
    bench = _bench(root, counts)
    bench.tool.parent.mkdir()
    bench.tool.write_text(TOOL.format(version="1.0"))
    bench.tool.chmod(0o755)
    space = bench.space
    space.write("config/wsbuild.yaml", "cache:\n  mode: off\n")
    write_profile(space)
    write_bundles(space)
    for path, text in (
        ("src/a.txt", "a\n"),
        ("src/b.txt", "b\n"),
        ("conf/x.cfg", "x\n"),
        ("seed.txt", "seed\n"),
    ):
        space.write(path, text)
    for name in ("one.txt", "two.txt"):
        space.write(f"targets/{name}", "same\n")
    (space.root / "link.txt").symlink_to("targets/one.txt")
    space.doit("run")
    assert space.read("out.txt") == f"a\nb\nx\nsame\nseed\n{SECRET}\n"
    return root


@pytest.fixture
def bench(built: Path, counts: Path, tmp_path: Path) -> Iterator[Bench]:
    """A copy of it at another path, which is up to date too."""
    shutil.copytree(built, tmp_path / "copy", symlinks=True)
    for path in counts.iterdir():
        path.unlink()
    return _bench(tmp_path / "copy", counts)


def path(bench: Bench, name: str) -> Path:
    return bench.space.root / name


def write(name: str, text: str) -> Callable[[Bench], object]:
    return lambda bench: bench.space.write(name, text)


def swap(bench: Bench) -> None:
    write("src/a.txt", "b\n")(bench)
    write("src/b.txt", "a\n")(bench)


def retarget(bench: Bench) -> None:
    path(bench, "link.txt").unlink()
    path(bench, "link.txt").symlink_to("targets/two.txt")


def upgrade(bench: Bench) -> None:
    bench.tool.write_text(TOOL.format(version="2.0"))


def environ(**values: str) -> Callable[[Bench], object]:
    return lambda bench: bench.space.env.update(values)


def bundle(**fields: Any) -> Callable[[Bench], object]:
    return lambda bench: write_bundles(bench.space, **fields)


def profile(**fields: Any) -> Callable[[Bench], object]:
    return lambda bench: write_profile(bench.space, **fields)


def another_command(bench: Bench) -> None:
    """The same tool with one more argument, written into the bundle."""
    text = bench.space.read("workstreams/ws-t.json")
    bench.space.write("workstreams/ws-t.json", text.replace('"tool": "fake"', '"run": ["fake", "-v"]'))


def rewrite_bundle(bench: Bench) -> None:
    """The same in YAML, in another order, with comments."""
    import yaml

    file = path(bench, "workstreams/ws-t.json")
    data = json.loads(file.read_text())
    file.unlink()
    text = yaml.safe_dump({key: data[key] for key in sorted(data)}, indent=4)
    bench.space.write("workstreams/ws-t.yaml", "# a comment\n" + text)


ENV = {"DECLARED": None, "XDG_TALLY": None, "XDG_ASKED": None}

# What is done; and the kind and name of the first reason to run again, or None.
TABLE: dict[str, tuple[Callable[[Bench], object], tuple[str, str] | None]] = {
    "nothing": (lambda _: None, None),
    "touch": (lambda b: os.utime(path(b, "src/a.txt"), ns=(1, 1)), None),
    "the same content written again": (write("src/a.txt", "a\n"), None),
    "the tool touched": (lambda b: os.utime(b.tool, ns=(1, 1)), None),
    "permissions without execution": (lambda b: path(b, "src/a.txt").chmod(0o600), None),
    "chmod +x": (lambda b: path(b, "src/a.txt").chmod(0o755), ("input-mode-changed", "src/a.txt")),
    "content": (write("src/a.txt", "z\n"), ("input-changed", "src/a.txt")),
    "line ends": (write("src/a.txt", "a\r\n"), ("input-changed", "src/a.txt")),
    "rename": (lambda b: path(b, "src/a.txt").rename(path(b, "src/c.txt")), ("input-removed", "src/a.txt")),
    "case-only rename": (
        lambda b: path(b, "src/b.txt").rename(path(b, "src/B.txt")),
        ("input-added", "src/B.txt"),
    ),
    "two contents swapped": (swap, ("input-changed", "src/a.txt")),
    "a file added to a directory": (write("src/new.txt", "n\n"), ("input-added", "src/new.txt")),
    "a file added to a glob": (write("conf/new.cfg", "n\n"), ("input-added", "conf/new.cfg")),
    "a file beside a glob": (write("conf/new.txt", "n\n"), None),
    "a file removed": (lambda b: path(b, "conf/x.cfg").unlink(), ("input-removed", "conf/x.cfg")),
    "a file that is no input": (write("targets/three.txt", "3\n"), None),
    "symlink retargeted": (retarget, ("input-changed", "link.txt")),
    "what a symlink leads to": (write("targets/one.txt", "other\n"), ("input-changed", "link.txt")),
    "tool upgraded": (upgrade, ("tool-changed", "fake")),
    "declared variable": (environ(DECLARED="other"), ("env-changed", "DECLARED")),
    "passed variable": (environ(PASSED="other"), None),
    "undeclared variable": (environ(UNDECLARED="2"), None),
    "time zone, language, hash seed": (environ(TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="5"), None),
    "model name that nobody uses": (environ(AIDER_MODEL="other"), None),
    "profile: arguments": (profile(args=["-v"]), ("field-changed", "commands")),
    "profile: variable": (profile(env={**ENV, "MORE": "1"}), ("env-added", "MORE")),
    "profile: time limit, capabilities": (profile(timeout_sec=7, aim_capabilities=["x"]), None),
    "profile: failure output": (profile(failure_output=["^no"]), ("field-changed", "commands")),
    "profile: success codes": (profile(success_exit_codes=[0, 1]), ("field-changed", "commands")),
    "bundle: command": (another_command, ("field-changed", "commands")),
    "bundle: inputs": (
        bundle(step={"inputs": ["src/", "conf/*.cfg", "link.txt"]}),
        ("field-changed", "inputs"),
    ),
    "bundle: outputs": (bundle(step={"outputs": ["out.txt", "more*.txt"]}), ("field-changed", "outputs")),
    "bundle: variable": (bundle(step={"env": {"MORE": "1"}}), ("env-added", "MORE")),
    "bundle: form, order, comments": (rewrite_bundle, None),
    "bundle: metadata, priority, kind": (
        bundle(metadata={"title": "x"}, priority="background", kind="docs"),
        None,
    ),
    "bundle: retries, time limit": (bundle(step={"retries": 2, "timeout_sec": 9}), None),
    "bundle: schema reference": (bundle(**{"$schema": "../schema/workstream.schema.json"}), None),
    "upstream made something else": (write("seed.txt", "seed 2\n"), ("input-changed", "up.txt")),
    "upstream ran again to the same bytes": (bundle(up="cat seed.txt > up.txt; true"), None),
    "order-only dependency made something else": (bundle(beside="2"), None),
    "output tampered with": (write("out.txt", "mine\n"), ("output-changed", "out.txt")),
    "output removed": (lambda b: path(b, "out.txt").unlink(), ("output-missing", "out.txt")),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_makes_a_step_run_again(bench: Bench, name: str) -> None:
    """Each cell: whether it runs, and what `explain` gives as the first reason, before and as it does."""
    change, expected = TABLE[name]
    change(bench)
    bench.space.doit("run", "ws:up", "ws:beside")
    explained = bench.space.wsbuild("explain", "ws:t:make", "--json").json
    first = [(reason["kind"], reason["name"]) for reason in explained["reasons"][:1]]
    assert (explained["decision"], first) == (("run", [expected]) if expected else ("up-to-date", []))
    result = bench.space.wsbuild("run", "ws:t", "--json").json
    assert bench.count("ran") == (1 if expected else 0)
    (step,) = [step for step in result["steps"] if step["task"] == "ws:t:make"]
    assert step["reason"].startswith(
        ": ".join([expected[0].replace("-", " "), expected[1]]) if expected else ""
    )
    assert SECRET not in json.dumps([explained, result])


def test_a_script_is_asked_for_its_version_in_every_run(bench: Bench) -> None:
    """It may only lead to the tool, as those of version managers do: it can be another while this stays."""
    for _ in range(2):
        bench.space.doit("run")
        assert bench.count("asked") >= 1


def test_the_key_of_a_secret_is_not_the_secret(bench: Bench) -> None:
    """Neither the database nor the cache nor a log has the value of a declared variable."""
    write("config/wsbuild.yaml", "cache:\n  mode: read-write\n")(bench)
    environ(DECLARED=SECRET + "-2")(bench)
    path(bench, "out.txt").unlink()
    bench.space.doit("run")
    assert bench.count("ran") == 1
    path(bench, "out.txt").unlink()
    files = [
        file for name in ("state", ".wsbuild") for file in path(bench, name).rglob("*") if file.is_file()
    ]
    holders = [file for file in files if (SECRET + "-2").encode() in file.read_bytes()]
    # What the tool itself wrote is its output, and kept as such.
    assert {file.parent.parent.name for file in holders} <= {"blobs"}
