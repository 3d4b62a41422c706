"""Whatever happens to the cache, a build is right: a miss, one warning, and the next run a hit."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cachebox import die_at
from space import Space

from wsbuild.cache.cache import Cache
from wsbuild.cache.entry import Entry, KeptFile, parse_any
from wsbuild.cache.put_back import Staged
from wsbuild.cache.results import Results
from wsbuild.cache.shelf import Shelf

RIGHT = "made of one\nand more\n"


@pytest.fixture
def built(space: Space) -> Space:
    """A step that made b.txt of a.txt, and printed something."""
    space.write("a.txt", "one\n")
    script = (
        f"echo b >> {space.root}/.tally; echo said; echo made of $(cat a.txt) > b.txt; echo and more >> b.txt"
    )
    step = {"name": "make", "run": script, "shell": True, "inputs": ["a.txt"], "outputs": ["b.txt"]}
    space.workstream("b", files_scope=["b.txt"], steps=[step])
    space.doit("run")
    assert space.ran() == ["b"]
    return space


def cache(space: Space) -> Path:
    return space.root / ".wsbuild" / "cache"


def blobs(space: Space) -> list[Path]:
    """The contents: the output's and the log's."""
    return sorted(path for path in (cache(space) / "blobs").rglob("*") if path.is_file())


def result(space: Space) -> Path:
    """The one result."""
    (found,) = [path for path in (cache(space) / "results").rglob("*") if path.is_file()]
    return found


def output_blob(space: Space) -> Path:
    return next(path for path in blobs(space) if path.read_text() == RIGHT)


def rebuild(space: Space) -> tuple[list[str], str]:
    """Delete the output and run; gives what ran and what was warned of. The output must be right."""
    (space.root / "b.txt").unlink(missing_ok=True)
    shutil.rmtree(space.root / "state", ignore_errors=True)
    done = space.doit("run")
    assert space.read("b.txt") == RIGHT
    assert "Traceback" not in done.err
    return space.ran(), done.err


def rewrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << (at % 8)
    rewrite(path, bytes(data))


def replace_by(make: Callable[[Path], object]) -> Callable[[Space], None]:
    """Something else stands in the place of the content."""

    def damage(space: Space) -> None:
        path = output_blob(space)
        path.unlink()
        make(path)

    return damage


def link_to_right(space: Space) -> None:
    """The right content, but somebody else's file."""
    path = output_blob(space)
    path.unlink()
    path.symlink_to(space.write("right.txt", RIGHT))


def swap(space: Space) -> None:
    """The two contents under each other's names."""
    one, two = blobs(space)
    data = one.read_bytes()
    rewrite(one, two.read_bytes())
    rewrite(two, data)


DAMAGES: dict[str, Callable[[Space], object]] = {
    "content: a bit flipped": lambda space: flip(output_blob(space), 3),
    "content: cut": lambda space: rewrite(output_blob(space), b"made"),
    "content: empty": lambda space: rewrite(output_blob(space), b""),
    "content: longer": lambda space: rewrite(output_blob(space), RIGHT.encode() + b"!"),
    "content: gone": lambda space: output_blob(space).unlink(),
    "content: a directory": replace_by(lambda path: path.mkdir()),
    "content: a pipe": replace_by(os.mkfifo),
    "content: a link to the right one": link_to_right,
    "contents swapped": swap,
    "log: a bit flipped": lambda space: flip(next(p for p in blobs(space) if p.read_text() == "said\n"), 1),
    "result: a bit flipped": lambda space: flip(result(space), 40),
    "result: its digest flipped": lambda space: flip(result(space), -2),
    "result: cut": lambda space: rewrite(result(space), result(space).read_bytes()[:99]),
    "result: empty": lambda space: rewrite(result(space), b""),
    "result: something else": lambda space: rewrite(result(space), b"{}\n"),
    "all results gone": lambda space: shutil.rmtree(cache(space) / "results"),
    "all contents gone": lambda space: shutil.rmtree(cache(space) / "blobs"),
    "no folder for files under way": lambda space: shutil.rmtree(cache(space) / "tmp"),
}
UNHARMED = {"no folder for files under way"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_a_miss_then_a_hit(built: Space, damage: str) -> None:
    """Never a wrong file, never a traceback; at most one warning, and the cache heals."""
    DAMAGES[damage](built)
    ran, warned = rebuild(built)
    assert ran == ([] if damage in UNHARMED else ["b"])
    assert warned.count("wsbuild:") <= 1
    assert rebuild(built) == ([], "")
    assert built.wsbuild("cache", "verify").code == 0


def test_a_result_in_parts_is_no_hit(built: Space) -> None:
    """Who asks is told so, rather than that it would be restored."""
    (built.root / "b.txt").unlink()
    output_blob(built).unlink()
    explained = built.wsbuild("explain", "ws:b:make", "--json").json
    assert explained["decision"] == "run"
    assert "a part of the cached result is missing" in [reason["name"] for reason in explained["reasons"]]


@pytest.mark.parametrize("what", ["lost+found", "results/lost+found", "blobs/lost+found"])
def test_a_folder_of_the_file_systems_own_harms_nothing(built: Space, what: str) -> None:
    """A cache may be a disk of its own."""
    (cache(built) / what).mkdir()
    assert rebuild(built) == ([], "")
    assert built.wsbuild("cache", "verify").code == 0
    built.wsbuild("cache", "gc")
    built.wsbuild("cache", "clear")


def test_every_cut_of_a_result_and_every_flip_of_a_content(built: Space, full: bool) -> None:
    """At each length and each byte (some of them through the command): a miss, and right again."""
    rng = random.Random(3)
    good, content = result(built).read_bytes(), RIGHT.encode()
    cuts = range(len(good)) if full else sorted(rng.sample(range(len(good)), 6))
    flips = range(len(content)) if full else sorted(rng.sample(range(len(content)), 4))
    reached = 0
    for length in cuts:
        rewrite(result(built), good[:length])
        ran, warned = rebuild(built)
        assert (ran, warned.count("wsbuild:")) == (["b"], 1), length
        reached += 1
    for at in flips:
        flip(output_blob(built), at)
        ran, warned = rebuild(built)
        assert (ran, warned.count("wsbuild:")) == (["b"], 1), at
        reached += 1
    assert reached == len(cuts) + len(flips) >= 10


# --- entries that were made to harm


def poison(space: Space, *paths: str, mode: int = 0o644) -> None:
    """Replace the result by one that is well-formed and names other files."""
    entry = parse_any(result(space).read_bytes())
    (kept,) = entry.files
    files = tuple(kept._replace(path=path, mode=mode) for path in paths)
    rewrite(result(space), entry._replace(files=files).dump())


@pytest.mark.parametrize(
    ("paths", "mode"),
    [
        (["../out.txt"], 0o644),
        (["b.txt", "/tmp/wsbuild-poison"], 0o644),
        (["b.txt", "b.txt"], 0o644),
        (["b.txt", "a.txt"], 0o644),
        (["b.txt/../../out.txt"], 0o644),
        ([".git/hooks/pre-commit"], 0o755),
        ([".wsbuild/plan"], 0o644),
        (["b.txt"], 0o4755),
        (["b.txt"], 0o2755),
    ],
)
def test_a_poisoned_result_is_refused_whole(built: Space, paths: list[str], mode: int) -> None:
    """Out of the project, twice, not an output, git's files, special permissions: nothing is written,
    the step runs, and the result is put away.
    """
    before = {path for path in built.root.parent.rglob("*") if ".wsbuild" not in path.parts}
    poison(built, *paths, mode=mode)
    bad = result(built).read_bytes()
    ran, warned = rebuild(built)
    assert (ran, warned.count("wsbuild:")) == (["b"], 1)
    after = {path for path in built.root.parent.rglob("*") if ".wsbuild" not in path.parts}
    assert {path.name for path in after - before} <= {"pipeline_state.db-wal", "pipeline_state.db-shm"}
    assert not Path("/tmp/wsbuild-poison").exists()
    assert built.read("a.txt") == "one\n"
    assert bad in [path.read_bytes() for path in (cache(built) / "damaged").iterdir()]
    assert rebuild(built) == ([], "")


def test_a_result_of_another_step_does_not_pass(built: Space) -> None:
    """Its own name and its place say which step and key it belongs to."""
    step = {
        "name": "make",
        "run": "echo other > c.txt",
        "shell": True,
        "inputs": ["a.txt"],
        "outputs": ["c.txt"],
    }
    mine = result(built)
    built.workstream("c", files_scope=["c.txt"], steps=[step])
    built.doit("run")
    (other,) = [p for p in (cache(built) / "results").rglob("*") if p.is_file() and p != mine]
    rewrite(mine, other.read_bytes())
    assert rebuild(built)[0] == ["b"]


# --- places that cannot be written


def in_namespace(space: Space, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script that may mount, in the project."""
    command = ["unshare", "-Urm", "sh", "-ec", script]
    probe = shutil.which("unshare") and subprocess.run(
        [*command[:2], "true"], capture_output=True, check=False
    )
    if not probe or probe.returncode:
        pytest.skip("user namespaces are not available: nothing can be mounted")
    return subprocess.run(
        command,
        cwd=space.root,
        env={**space.env, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_read_only_cache_is_read(built: Space, tmp_path: Path) -> None:
    """Hits are hits; what cannot be kept is told of once, and the build succeeds."""
    shared = tmp_path / "shared"
    shutil.copytree(cache(built), shared)
    shutil.rmtree(cache(built))
    (built.root / "b.txt").unlink()
    step = {"name": "make", "run": "echo c > c.txt", "shell": True, "inputs": [], "outputs": ["c.txt"]}
    built.workstream(
        "c",
        files_scope=["c.txt", "d.txt"],
        steps=[step, {**step, "name": "d", "run": "echo d > d.txt", "outputs": ["d.txt"]}],
    )
    script = f"mount --bind {shared} {shared}; mount -o remount,ro,bind {shared}; doit run; doit run"
    done = in_namespace(built, script, WSBUILD_CACHE_DIR=str(shared))
    assert done.returncode == 0, done.stderr
    assert "restored ws:b:make" in done.stdout
    assert "nothing to do" in done.stdout
    assert done.stderr.count("wsbuild:") == done.stderr.count("cannot be written") == 1
    assert built.ran() == []


@pytest.mark.parametrize("size", ["16k", "64k", "256k"])
def test_a_full_disk_under_the_cache_costs_only_the_keeping(built: Space, tmp_path: Path, size: str) -> None:
    """The build succeeds with one warning, and nothing half-written is ever a hit."""
    shared = tmp_path / "shared"
    shared.mkdir()
    steps = [
        {
            "name": f"s{at}",
            "run": f"head -c 60000 /dev/urandom > big{at}.bin",
            "shell": True,
            "inputs": [],
            "outputs": [f"big{at}.bin"],
        }
        for at in range(6)
    ]
    built.workstream("big", files_scope=["*.bin"], steps=steps)
    script = (
        f"mount -t tmpfs -o size={size} none {shared}; doit run ws:big; wsbuild cache verify; ls {shared}/tmp"
    )
    done = in_namespace(built, script, WSBUILD_CACHE_DIR=str(shared))
    assert done.returncode == 0, done.stderr
    assert "6 executed" in done.stdout
    assert done.stderr.count("wsbuild:") == 1
    assert "No space left" in done.stderr
    assert done.stdout.rstrip().endswith("all is as it was written")


# --- asking


def test_asking_leaves_a_damaged_cache_as_it_is(built: Space) -> None:
    """Who only asks puts nothing away: every byte of state and cache is the same afterwards."""
    (built.root / "b.txt").unlink()
    flip(result(built), 40)
    before = {path: path.read_bytes() for path in (built.root / ".wsbuild").rglob("*") if path.is_file()}
    assert built.wsbuild("explain", "ws:b:make", "--json").json["decision"] == "run"
    for command in (["status"], ["run", "--dry-run"], ["cache", "stats"], ["cache", "verify"]):
        built.wsbuild(*command, code=None)
    built.doit("list", "-s")
    after = {path: path.read_bytes() for path in (built.root / ".wsbuild").rglob("*") if path.is_file()}
    assert after == before


# --- kill


@pytest.fixture
def trees(space: Space) -> dict[str, dict[str, str]]:
    """Forty outputs of each of two versions of the input: both are in the cache, `two` is there."""
    script = "mkdir -p out; for i in $(seq 40); do echo $i $(cat a.txt) > out/$i.txt; done"
    step = {"name": "make", "run": script, "shell": True, "inputs": ["a.txt"], "outputs": ["out/"]}
    space.workstream("m", files_scope=["out/"], steps=[step])
    found = {}
    for text in ("one", "two"):
        space.write("a.txt", text)
        space.doit("run")
        found[text] = {path.name: path.read_text() for path in (space.root / "out").iterdir()}
    return found


@pytest.mark.parametrize("at", [1, 2, 3, 40, 80, 81])
def test_a_restore_that_was_cut_is_finished_by_the_next_run(
    space: Space, trees: dict[str, dict[str, str]], at: int
) -> None:
    """Before anything else; and nothing of it is left lying about."""
    store = Cache(str(cache(space)), str(space.root), writable=False)
    (entry,) = [
        e for e in store.recent("ws:m:make") if store.blobs.read(e.files[0].sha256).endswith(b"one\n")
    ]
    died = die_at(at, Staged(str(space.root), store.blobs, entry.files, ()).commit, calls=("rename",))
    assert died
    assert list((space.root / ".wsbuild" / "restore").iterdir())
    space.write("a.txt", "one")
    assert space.wsbuild("run", "--json").json["counts"]["executed"] == 0
    assert {path.name: path.read_text() for path in (space.root / "out").iterdir()} == trees["one"]
    assert list((space.root / ".wsbuild" / "restore").iterdir()) == []
    assert not list((space.root / ".wsbuild").glob("aside/**/*.txt"))


def test_a_kill_in_a_restore_leaves_all_or_nothing_to_do(
    space: Space, trees: dict[str, dict[str, str]], full: bool
) -> None:
    """Killed at random moments while it puts forty files back, the next run ends with the right tree,
    runs nothing, and leaves nothing lying about.
    """
    rng = random.Random(11)
    took = _seconds(space)
    for turn in range(60 if full else 6):
        text = ("one", "two")[turn % 2]
        space.write("a.txt", text)
        running = space.start("doit", "run")
        try:
            running.communicate(timeout=rng.uniform(0.3, 1.1) * took)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
        counts = space.wsbuild("run", "--json").json["counts"]
        assert counts["executed"] == 0
        assert {path.name: path.read_text() for path in (space.root / "out").iterdir()} == trees[text]
        assert list((space.root / ".wsbuild" / "restore").iterdir()) == []
        assert not list((space.root / ".wsbuild").glob("aside/**/*.txt"))


def _seconds(space: Space) -> float:
    """How long a restore takes here."""
    import time

    space.write("a.txt", "one")
    started = time.monotonic()
    space.doit("run")
    return time.monotonic() - started


def test_the_places_in_a_result_are_those_of_the_entry() -> None:
    """The helpers above poison what the engine reads."""
    entry = Entry(
        "ws:a:b", "0" * 64, "[]", (KeptFile("b.txt", 0o644, 1, "0" * 64),), (), {}, "", 0, 0, 0.0, ""
    )
    assert json.loads(entry.dump().split(b"\n")[0])["files"] == [["b.txt", 420, 1, "0" * 64]]
    assert Results(Shelf("/c", writable=False)).path(entry).startswith("/c/results/")
