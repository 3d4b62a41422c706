"""The project of the clean-build oracle: its sources, its bundles, and what may be done to them.

Two to four workstreams of explicit steps. What a step makes is a function of its declared inputs,
its command and its declared environment, and of nothing else; so a build that is right leaves what a
build from scratch makes. Each command notes that it started in `$XDG_ORACLE/tally` (tools may see
`XDG_*`, and no key holds them), and runs `$XDG_ORACLE/<step>-<pre|post>` once if that is there.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

LIST, GLOB = "src/list", "src/glob"
ONE, JOIN = "src/one file.txt", "tools/join.sh"
LIST_NAMES = ("a.txt", "b c.txt", "ü.txt", "sub dir/é d.txt", "it's.txt")
GLOB_NAMES = ("x.md", "y z.md", "ß.md", "not an input.rst")
INDEX, HEAD, TOTAL = "out/index ü.txt", "out/head.txt", "out/sum total.txt"

SHAPES = (
    ("parts", "head"),
    ("parts", "head", "total"),
    ("parts", "head", "side"),
    ("parts", "head", "total", "side"),
)
STEPS = {"each": "parts", "index": "parts", "top": "head", "join": "total", "copies": "side"}
"""The steps, and the workstream of each."""

HOOK = (
    'if [ -f "$XDG_ORACLE/{at}" ]; then mv "$XDG_ORACLE/{at}" "$XDG_ORACLE/armed"; . "$XDG_ORACLE/armed"; fi'
)
STATE = frozenset({".wsbuild", "state"})

Files = dict[str, tuple[str, bytes]]
"""Path to its kind (`f`, `x` executable, `l` link) and content."""


@dataclass(frozen=True)
class Model:
    """What the bundles say, and the caller's environment.

    `words` are versions of commands; `mode` is an environment value written in a bundle, `caller` one
    that a step takes from the caller; `linked`: the side workstream reads what the head one made;
    `ordered`: it depends on the parts one for no reason; `style` is how the bundles are formatted.
    """

    shape: tuple[str, ...]
    words: dict[str, int] = field(default_factory=dict)
    mode: int = 0
    caller: int = 0
    linked: bool = False
    ordered: bool = False
    style: int = 0

    def with_word(self, step: str, word: int) -> Model:
        """The same with another command line of `step`."""
        return replace(self, words={**self.words, step: word})

    @property
    def steps(self) -> list[str]:
        """The steps there are."""
        return [step for step, ws in STEPS.items() if ws in self.shape]


def content(number: int) -> bytes:
    """One of ten contents of the same size."""
    return f"first {number}\nsecond {number}\n".encode()


def join_script(number: int) -> bytes:
    """The script of the step `join`, in one of ten forms of the same size."""
    lines = [
        'echo join >> "$XDG_ORACLE/tally"',
        HOOK.format(at="join-pre"),
        f'{{ echo "$1 $MODE {number}"; cat "$2" "$3"; }} > "$4"',
        HOOK.format(at="join-post"),
    ]
    return "\n".join([*lines, ""]).encode()


def _shell(step: str, model: Model, *lines: str) -> dict[str, Any]:
    script = [
        f'echo {step} >> "$XDG_ORACLE/tally"; v={model.words.get(step, 0)}',
        HOOK.format(at=f"{step}-pre"),
        *lines,
        HOOK.format(at=f"{step}-post"),
    ]
    return {"name": step, "run": "\n".join(script), "shell": True}


def _parts(model: Model) -> dict[str, Any]:
    """One output for each input, and an index of them all."""
    each = _shell(
        "each",
        model,
        "mkdir -p 'out/parts/sub dir'",
        'for f in src/list/* "src/list/sub dir"/*; do if [ -f "$f" ]; then',
        '  { while IFS= read -r line; do echo "$v $line"; done < "$f"; [ ! -x "$f" ] || echo x; }'
        ' > "out/parts/${f#src/list/}.part"',
        "fi; done",
    )
    index = _shell(
        "index",
        model,
        "set --; for f in out/parts/*.part 'out/parts/sub dir'/*.part; do",
        'if [ -f "$f" ]; then set -- "$@" "$f"; fi; done',
        f"echo \"$v $*\" > '{INDEX}'; cat /dev/null \"$@\" | sha256sum >> '{INDEX}'",
    )
    each |= {"inputs": [LIST + "/"], "outputs": ["out/parts/"]}
    index |= {"inputs": ["out/parts/"], "outputs": [INDEX]}
    return {"files_scope": ["out/parts/", INDEX], "steps": [each, index]}


def _head(model: Model) -> dict[str, Any]:
    """The first line only: the same after most edits. A line `FAIL` makes it fail, its output spoiled."""
    top = _shell(
        "top",
        model,
        "mkdir -p out",
        f'while IFS= read -r line; do if [ "$line" = FAIL ]; then echo spoiled > {HEAD}; exit 1; fi',
        f"done < '{ONE}'",
        f"IFS= read -r line < '{ONE}'; echo \"$v $line\" > {HEAD}",
    )
    return {"files_scope": [HEAD], "steps": [top | {"inputs": [ONE], "outputs": [HEAD]}]}


def _total(model: Model) -> dict[str, Any]:
    """The script is named on the command line only."""
    step = {
        "name": "join",
        "run": ["sh", JOIN, f"v{model.words.get('join', 0)}", INDEX, HEAD, TOTAL],
        "inputs": [INDEX, HEAD],
        "outputs": [TOTAL],
        "env": {"MODE": f"mode {model.mode}"},
    }
    return {"files_scope": [TOTAL], "depends_on": ["ws-parts", "ws-head"], "steps": [step]}


def _side(model: Model) -> dict[str, Any]:
    lines = [
        "mkdir -p out/side; echo $v $ORACLE_MODE > out/side/mode.txt",
        f'for f in {GLOB}/*.md; do if [ -f "$f" ]; then',
        '  cp "$f" "out/side/${f##*/}.txt"; fi; done',
    ]
    if model.linked:
        lines.append(f"cp {HEAD} out/side/head.txt")
    step = _shell("copies", model, *lines)
    step |= {"inputs": [GLOB + "/*.md", *([HEAD] if model.linked else [])], "outputs": ["out/side/*.txt"]}
    needs = (["ws-head"] if model.linked else []) + (["ws-parts"] if model.ordered else [])
    return {"files_scope": ["out/side/"], "depends_on": needs, "steps": [step | {"env": ["ORACLE_MODE"]}]}


MAKERS = {"parts": _parts, "head": _head, "total": _total, "side": _side}


def bundles(model: Model) -> dict[str, bytes]:
    """The bundle files, by path."""
    found = {}
    for name in model.shape:
        data = {"id": f"ws-{name}", **MAKERS[name](model)}
        if model.style % 2:
            data = dict(reversed(data.items()))
        text = json.dumps(data, indent=model.style or None, ensure_ascii=model.style < 3)
        found[f"workstreams/ws-{name}.json"] = (text + "\n" * (model.style % 3)).encode()
    return found


def first_sources() -> dict[str, bytes]:
    """The sources that a project begins with."""
    return {
        **{f"{LIST}/{name}": content(at) for at, name in enumerate(LIST_NAMES[:4])},
        **{f"{GLOB}/{name}": content(at) for at, name in enumerate(GLOB_NAMES[1:])},
        ONE: content(1),
        JOIN: join_script(0),
    }


def look(path: str) -> tuple[str, bytes]:
    """The kind and content of one file."""
    if os.path.islink(path):
        return "l", os.fsencode(os.readlink(path))
    with open(path, "rb") as file:
        return "x" if os.fstat(file.fileno()).st_mode & 0o111 else "f", file.read()


def tree(root: Path | str) -> Files:
    """All files of a project but the engine's own; directories count by what is in them."""
    found = {}
    for directory, names, files in os.walk(root):
        top = directory == str(root)
        if top:
            names[:] = [name for name in names if name not in STATE and not name.startswith(".wsbuild")]
        for name in files:
            if top and name.startswith(".wsbuild"):
                continue
            path = os.path.join(directory, name)
            found[os.path.relpath(path, root)] = look(path)
    return found


def sources(root: Path | str) -> Files:
    """What a build from scratch begins with."""
    return {path: seen for path, seen in tree(root).items() if not path.startswith("out/")}


def put(root: Path, path: str, seen: tuple[str, bytes]) -> None:
    """Write a file as `look` saw it, unless it is so already (as git does when it switches branches)."""
    target = root / path
    if os.path.lexists(target) and look(str(target)) == seen:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or seen[0] == "l":
        target.unlink(missing_ok=True)
    if seen[0] == "l":
        target.symlink_to(os.fsdecode(seen[1]))
        return
    target.write_bytes(seen[1])
    target.chmod(0o755 if seen[0] == "x" else 0o644)


HOWS = ("plain", "same stat", "replaced", "replaced, same time")


def write(target: Path, data: bytes, how: str) -> None:
    """Change a file's content. `same stat` is in place with the times put back: with data of the same
    size only the ctime tells; `replaced` moves a new file over it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() and not target.exists():
        target.unlink()
    before = target.stat() if target.exists() else None
    if how.startswith("replaced"):
        aside = target.with_name(target.name + ".new")
        aside.write_bytes(data)
        if before:
            aside.chmod(stat.S_IMODE(before.st_mode))
        aside.replace(target)
    else:
        target.write_bytes(data)
    if before and "same" in how:
        os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))


def swap(one: Path, other: Path) -> None:
    """Let two files change places, each with its times."""
    aside = one.with_name(one.name + ".swap")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def remove_state(root: Path) -> None:
    """Lose all state but the cache of results, if there is one."""
    shutil.rmtree(root / "state", ignore_errors=True)
    own = root / ".wsbuild"
    for path in own.iterdir() if own.is_dir() else ():
        if path.name != "cache":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
