"""What may be done to a project between two builds: the rules of the clean-build oracle."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from oracle_machine import Oracle, change
from oracle_project import (
    GLOB,
    GLOB_NAMES,
    HEAD,
    HOWS,
    JOIN,
    LIST,
    LIST_NAMES,
    ONE,
    STEPS,
    bundles,
    content,
    put,
    remove_state,
    sources,
    swap,
    write,
)

WHICH, DIGIT, HOW = st.integers(0, 7), st.integers(0, 9), st.sampled_from(HOWS)
STEP = st.sampled_from(sorted(STEPS))
ADDED = st.sampled_from([f"{LIST}/{name}" for name in LIST_NAMES] + [f"{GLOB}/{name}" for name in GLOB_NAMES])
OUTPUT = st.integers(0, 20)
TAMPER = st.sampled_from([*HOWS, "longer", "mode", "removed", "all removed"])
READS = {"each": LIST, "index": LIST, "top": ONE, "join": JOIN, "copies": GLOB}
"""Where a change makes a step run."""


class CleanBuild(Oracle):
    """All rules."""

    tampering: ClassVar[bool] = True

    # --- sources

    @change(which=WHICH, digit=DIGIT, how=HOW)
    def edit(self, which: int, digit: int, how: str) -> None:
        """Change an input: in place or not, its times left or put back."""
        path = self.pick(which, "src", "tools")
        assert path
        write(path, self.new_content(path, digit), how)

    @rule(digit=DIGIT, how=HOW)
    def edit_below(self, digit: int, how: str) -> None:
        """Change what the first step of the head reads, but not what it makes: what reads that stays."""
        self.settle()
        first = (self.root / ONE).read_bytes().partition(b"\n")[0]
        write(self.root / ONE, first + b"\nsecond %d\n" % digit, how)
        self.dirty = True
        started, said = self.build()
        linked = "each" in started or "copies" in started  # they read it by a link
        self.demand(linked or set(started) <= {"top"}, f"it ran {started}: {said}")
        self.used["edit_below"] += 1

    @rule(which=st.integers(0, 30), seconds=st.sampled_from([-100, 0, 100]))
    def touch(self, which: int, seconds: int) -> None:
        """Change only the times of a file, be it a bundle or an output: nothing may run."""
        self.settle()
        path = self.pick(which, "src", "tools", "out", "workstreams")
        assert path
        mtime = path.stat().st_mtime_ns + seconds * 10**9 + 1
        os.utime(path, ns=(mtime, mtime))
        self.idle("touched")

    @change(which=WHICH)
    def set_executable(self, which: int) -> None:
        """Let an input be executable, or not any more."""
        path = self.pick(which, "src", "tools")
        assert path
        path.chmod(path.stat().st_mode ^ 0o111)

    @change(which=WHICH)
    def remove_input(self, which: int) -> None:
        """Remove a file from a directory or pattern."""
        path = self.pick(which, LIST, GLOB)
        if path:
            path.unlink()

    @change(which=WHICH, name=ADDED)
    def rename_input(self, which: int, name: str) -> None:
        """Give an input another name, perhaps that of another one."""
        path = self.pick(which, LIST, GLOB)
        if path:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(self.root / name)

    @change(which=WHICH, other=WHICH)
    def swap_inputs(self, which: int, other: int) -> None:
        """Let two inputs change places."""
        one, two = self.pick(which, LIST, GLOB, ONE), self.pick(other, LIST, GLOB, ONE)
        if one and two and one != two and self.root / ONE not in (one.resolve(), two.resolve()):
            swap(one, two)

    @change(name=ADDED, digit=DIGIT, how=HOW)
    def add_input(self, name: str, digit: int, how: str) -> None:
        """Put a file into a directory or pattern, where it may be already."""
        write(self.root / name, content(digit), how)

    @change(name=ADDED, to=st.one_of(ADDED, st.just(ONE)))
    def link_input(self, name: str, to: str) -> None:
        """Have an input be a link to another file, whether or not that is there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(self.root / to, path.parent))

    # --- outputs

    @precondition(lambda self: self.tampering)
    @change(which=OUTPUT, how=TAMPER)
    def tamper(self, which: int, how: str) -> None:
        """Change or remove outputs."""
        path = self.pick(which, "out")
        if how == "all removed":
            shutil.rmtree(self.root / "out", ignore_errors=True)
        elif not path:
            return
        elif how == "removed":
            path.unlink()
        elif how == "mode":
            path.chmod(path.stat().st_mode ^ 0o111)
        else:
            data = path.read_bytes()
            write(path, data + b"more" if how == "longer" or not data else b"#" + data[1:], how)

    # --- bundles and environment

    @change(step=STEP, word=DIGIT, how=HOW)
    def change_command(self, step: str, word: int, how: str) -> None:
        """Give a step another command line."""
        self.model = self.model.with_word(step, word)
        self.write_bundles(how)

    @change(linked=st.booleans(), ordered=st.booleans(), how=HOW)
    def change_dependencies(self, linked: bool, ordered: bool, how: str) -> None:
        """Add or remove a dependency: with an input from there, and one for no reason."""
        self.model = replace(self.model, linked=linked, ordered=ordered)
        self.write_bundles(how)

    @change(mode=DIGIT, caller=DIGIT)
    def change_environment(self, mode: int, caller: int) -> None:
        """Change values that steps declare: one in the bundle, one of the caller's."""
        self.model = replace(self.model, mode=mode, caller=caller)
        self.write_bundles()

    @rule(style=st.integers(0, 4), how=HOW)
    def reformat(self, style: int, how: str) -> None:
        """Write the same bundles in another way: nothing may run."""
        self.settle()
        self.model = replace(self.model, style=style)
        self.write_bundles(how)
        self.idle("reformatted")

    # --- what goes wrong

    @change(tried=1 / 2, number=WHICH, late=st.booleans(), which=WHICH, digit=DIGIT)
    def kill(self, number: int, late: bool, which: int, digit: int) -> None:
        """Change what a step reads, and kill -9 the build before or after the step has read it."""
        step = self.step(number)
        path = self.pick(which, READS[step])
        if path:
            write(path, self.new_content(path, digit), "plain")
            self.used["killed"] += self.place.crash(self.model, f"{step}-{'post' if late else 'pre'}")

    @change(tried=1 / 2, which=WHICH, digit=DIGIT, number=st.integers(0, 2), after=st.booleans())
    def kill_recording(self, which: int, digit: int, number: int, after: bool) -> None:
        """The same between the end of a command and the record of it, or just after that."""
        path = self.pick(which, "src", "tools")
        assert path
        write(path, self.new_content(path, digit), "plain")
        self.place.crash_recording(self.model, number, after=after)

    @change(
        tried=1 / 2,
        number=WHICH,
        early=st.booleans(),
        which=WHICH,
        digit=DIGIT,
        what=st.sampled_from(["edit", "same stat", "remove", "bundle"]),
        far=st.sampled_from([False, False, True]),
    )
    def change_while_running(
        self, number: int, early: bool, which: int, digit: int, what: str, far: bool
    ) -> None:
        """While a step runs, change or remove what it (or with `far` another one) reads, or its command."""
        step = self.step(number)
        path = self.pick(which, READS[step])
        late = path if not far and step != "join" else self.pick(which + digit, LIST, GLOB, ONE)
        if not path or not late:
            return
        write(path, self.new_content(path, digit), "plain")
        aside, model = self.place.told / "aside", self.model
        aside.write_bytes(content((digit + 5) % 10))
        script = f'cat "{aside}" > "{late}"'
        if what == "same stat":
            script = f'cp -p "{late}" "{aside}.ref"\n{script}\ntouch -r "{aside}.ref" "{late}"'
        elif what == "remove" and late != self.root / ONE:
            script = f'rm "{late}"'
        elif what == "bundle":
            self.model = model.with_word(step, digit)
            bundle = f"workstreams/ws-{STEPS[step]}.json"
            aside.write_bytes(bundles(self.model)[bundle])
            script = f'cat "{aside}" > "{self.root / bundle}"'
        self.place.arm(f"{step}-{'pre' if early else 'post'}", script)
        self.place.build(model, jobs=self.jobs)
        if (self.place.told / "armed").exists():
            self.used["changed while running"] += 1
        self.write_bundles()
        self.place.disarm()

    def step(self, number: int) -> str:
        """One of the steps that the project has."""
        return self.model.steps[number % len(self.model.steps)]

    @change(tried=1 / 2, how=HOW)
    def fail(self, how: str) -> None:
        """Let a step fail after it has spoiled its output, then mend its input."""
        path = self.root / ONE
        good = path.read_bytes()
        write(path, good + b"FAIL\n", "plain")
        built = self.place.build(self.model, "ws:head")
        self.demand(built.code == 1, f"a step that fails went unnoticed: {built.said}")
        self.demand((self.root / HEAD).read_text() == "spoiled\n", "the failing step was not run")
        write(path, good, how)

    @change(which=WHICH)
    def build_part(self, which: int) -> None:
        """Build one workstream, and what it depends on, only."""
        self.build(f"ws:{self.model.shape[which % len(self.model.shape)]}")

    @change(tried=1 / 2)
    def lose_state(self) -> None:
        """Remove everything that the engine knows but its cache; if that has suffered nobody can tell who
        made what, so what was made goes too.
        """
        remove_state(self.root)
        if not self.cache_is_whole:
            shutil.rmtree(self.root / "out", ignore_errors=True)

    @change(which=st.integers(0, 40), how=st.sampled_from(["bit", "cut", "gone"]))
    def damage_cache(self, which: int, how: str) -> None:
        """Let a file of the cache be other than it was written, or gone."""
        files = sorted(path for path in (self.root / ".wsbuild" / "cache").rglob("*") if path.is_file())
        if not files:
            return
        self.cache_is_whole = False
        path = files[which % len(files)]
        data = path.read_bytes()
        if how == "gone" or not data:
            path.unlink()
            return
        path.chmod(0o644)
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:] if how == "bit" else data[: len(data) // 2])

    # --- versions

    @change()
    def go_back(self) -> None:
        """Switch to the sources and bundles that were remembered, and remember these."""
        present = self.model, sources(self.root)
        self.model, before = self.saved
        for path in present[1].keys() - before.keys():
            (self.root / path).unlink()
        for path, seen in before.items():
            put(self.root, path, seen)
        self.saved = present


class OutputsLeftAlone(CleanBuild):
    """The same, but nobody touches what was made: right even for an engine that does not look there."""

    tampering = False
