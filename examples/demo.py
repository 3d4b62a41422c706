"""Plays the example project as a person at a terminal would, and checks what came of every scene.

    python examples/demo.py [DIR]

It copies examples/bookshop to DIR (an empty or new directory; without it a temporary one, which is
kept), makes a git repository of it, and runs the real commands there. What is shown is what they
print; what is checked is their JSON. It exits with 1 when something is not as expected, and with 2
when it cannot be played.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

EXAMPLE = Path(__file__).resolve().parent / "bookshop"
# Who has run the example in place has these in it; the first run here is to make them.
MADE = (
    *("__pycache__", ".*_cache", ".wsbuild", ".worktrees", "state"),
    *("catalog.py", "rates.py", "site", "dist"),
)
MANY = 10  # a set of more is told by its size
FOREIGN = ("GIT_", "PIPELINE_", "WSBUILD_", "AIM_", "AIDER_", "DOIT_")

HEADERS = {f"ws:headers:{step}" for step in ("edit", "static", "runtime", "land")}
SITE = {"ws:pages:books", "ws:pages:authors", "ws:pages:index", "ws:prices:list"}
LINT = {"ws:lint:check", "ws:lint:format"}
TESTS, PACK = "ws:tests:unit", "ws:release:pack"
CATALOG, RATES = "ws:catalog:generate", "ws:rates:generate"
ALL = {CATALOG, RATES, TESTS, PACK} | HEADERS | SITE | LINT


def fail(message: str) -> NoReturn:
    """End the demo: something is not as it should be."""
    sys.exit(f"demo: NOT as expected: {message}")


def refuse(message: str, hint: str) -> NoReturn:
    """End the demo: it cannot be played like this."""
    sys.stderr.write(f"demo: {message}\n  help: {hint}\n")
    sys.exit(2)


def environment() -> dict[str, str]:
    """The caller's environment, without what would send the commands to another project's state.

    `python`, `doit`, `wsbuild` and the tools are those beside the Python that runs this.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    env["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), env.get("PATH", os.defpath)])
    env["NO_COLOR"] = "1"
    return env


class Terminal:
    """A directory, and the commands typed in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.env = environment()

    def heading(self, text: str) -> None:
        """Begin a scene."""
        print(f"\n=== {text}", flush=True)

    def type(self, line: str, *, fails: bool = False) -> None:
        """Show a command line and what it prints; it must fail, or must not."""
        print(f"\n$ {line}", flush=True)
        done = self._start(line, stdout=None)
        if (done.returncode != 0) is not fails:
            fail(f"`{line}` exited with {done.returncode}")

    def ask(self, line: str) -> Any:
        """The JSON that a command prints, which is not shown."""
        done = self._start(line, stdout=subprocess.PIPE)
        if done.returncode != 0:
            fail(f"`{line}` exited with {done.returncode}")
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            fail(f"`{line}` printed no JSON: {error}")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace one piece of a file."""
        file = self.directory / path
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            fail(f"{path} holds {old!r} {text.count(old)} times")
        file.write_text(text.replace(old, new), encoding="utf-8")
        print(f"\n(edit {path})")
        for sign, lines in (("-", old), ("+", new)):
            print("\n".join(f"{sign} {line}" for line in lines.splitlines()), flush=True)

    def check(self, what: str, found: object, wanted: object) -> None:
        """Compare, and say so."""
        if found != wanted:
            fail(f"{what}:\n  wanted: {_told(wanted)}\n  found:  {_told(found)}")
        told = f"{len(found)} steps" if isinstance(found, set) and len(found) > MANY else _told(found)
        print(f"[as expected: {what}: {told}]", flush=True)

    def check_last_run(self, ok: set[str], failed: set[str] | None = None) -> None:
        """What the newest run did, as recorded: the tasks that ended well and those that failed."""
        run_id = self.ask("wsbuild runs --limit 1 --json")["items"][0]["run_id"]
        ended: dict[str, set[str]] = {"ok": set(), "failed": set()}
        for event in self.ask(f"wsbuild events --run-id {run_id} --limit 1000 --json")["items"]:
            if event["type"] == "step_end":
                task = f"ws:{event['ws_id'].removeprefix('ws-')}:{event['step']}"
                ended.setdefault(event["payload"]["status"], set()).add(task)
        self.check("ran", ended.pop("ok"), ok)
        self.check("failed", ended.pop("failed"), failed or set())
        if ended:
            fail(f"{run_id} has steps that neither ended well nor failed: {ended}")

    def _start(self, line: str, *, stdout: int | None) -> subprocess.CompletedProcess[str]:
        words = shlex.split(line)
        try:
            return subprocess.run(
                words,
                cwd=self.directory,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT if stdout is None else None,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            refuse(f"{words[0]} is not installed beside {sys.executable}", "use `make demo`")


def _told(value: object) -> str:
    """A value in one line; what a set or a list holds."""
    if isinstance(value, set):
        return ", ".join(sorted(value)) or "none"
    return ", ".join(value) if isinstance(value, list) else str(value)


def prepare(directory: Path) -> Terminal:
    """Copy the example and commit it."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        refuse(f"{directory} is not an empty directory", "name a new one, or none")
    shutil.copytree(EXAMPLE, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*MADE))
    terminal = Terminal(directory)
    terminal.heading(f"A small bookshop, in {directory}")
    terminal.type("git init --quiet")
    terminal.type("git add --all")
    who = "-c user.name=Demo -c user.email=demo@example.org -c commit.gpgsign=false"
    terminal.type(f"git {who} commit --quiet --no-verify --message 'The bookshop'")
    return terminal


def look_around(terminal: Terminal) -> None:
    """What there is, and in which order it would be done. Nothing runs."""
    terminal.heading("What is there to do, and in which order?")
    terminal.type("wsbuild validate")
    checked = terminal.ask("wsbuild validate --json")
    terminal.check("problems", len(checked["problems"]), 0)
    terminal.type("doit list")
    listed = terminal.ask("wsbuild list --json")["workstreams"]
    terminal.check("declared", {step for ws in listed for step in ws["steps"]}, ALL)
    terminal.type("wsbuild plan")
    plan = terminal.ask("wsbuild plan --json")
    together = {"ws-catalog", "ws-headers", "ws-pages", "ws-rates"}
    terminal.check("may start at once", set(plan["waves"][0]), together)
    turns = {f"{e['from']} before {e['to']}" for e in plan["edges"] if e["why"] == "conflict_group"}
    terminal.check("take turns", turns, {"ws-pages before ws-prices"})


def run_first(terminal: Terminal) -> None:
    """Everything runs; one workstream edits sources, and only those it may."""
    terminal.heading("The first run, two steps at a time")
    terminal.type("doit run -n 2")
    terminal.check_last_run(ALL)
    terminal.type("git diff --stat")
    wrote = {
        path
        for event in terminal.ask("wsbuild events --ws headers --limit 1000 --json")["items"]
        for path in event["payload"].get("wrote", ())
    }
    edited = {"bookshop/cart.py", "bookshop/isbn.py", "bookshop/records.py"}
    terminal.check("edited by ws:headers", wrote, edited)


def run_again(terminal: Terminal) -> None:
    """Nothing runs."""
    terminal.heading("The second run: nothing has changed")
    terminal.type("doit run -n 2")
    again = terminal.ask("wsbuild run --json")
    terminal.check("ran", executed(again), set())
    terminal.check("recorded runs", len(terminal.ask("wsbuild runs --json")["items"]), 1)


def executed(result: Any) -> set[str]:
    """The tasks that `wsbuild run --json` says were executed."""
    tasks = {step["task"] for step in result["steps"] if step["status"] == "executed"}
    if len(tasks) != result["counts"]["executed"]:
        fail(f"counts and steps disagree: {result}")
    return tasks


def change_an_input(terminal: Terminal) -> None:
    """Exactly what is made of the input runs again; and nothing that is made of the same bytes."""
    terminal.heading("One input changes: what is made of it runs, the rest does not")
    terminal.edit("catalog/shipping.csv", "domestic,350,3000\n", "domestic,390,3500\n")
    terminal.type("wsbuild explain ws:rates")
    explained = terminal.ask("wsbuild explain ws:rates:generate --json")
    reasons = {f"{reason['kind']} {reason['name']}" for reason in explained["reasons"]}
    terminal.check("because", reasons, {"input-changed catalog/shipping.csv"})
    terminal.type("doit run -n 2")
    terminal.check_last_run({RATES, TESTS, PACK} | LINT)

    terminal.heading("It changes again, but what is made of it comes out the same: the rest is left alone")
    europe, world = "europe,790,6000\n", "world,1490,12000\n"
    terminal.edit("catalog/shipping.csv", europe + world, world + europe)
    print("\n$ wsbuild run --json    (of its output, the counts)")
    result = terminal.ask("wsbuild run --json")
    print(json.dumps({"counts": result["counts"]}), flush=True)
    terminal.check("ran", executed(result), {RATES})


def break_and_mend(terminal: Terminal) -> None:
    """A failure stops what needs it and nothing else, is written down, and is over when mended."""
    terminal.heading("Somebody breaks the cart: the tests fail, and the release waits")
    right = "return 0 if self.goods() >= rate.free_from else rate.price\n"
    wrong = "return rate.price if self.goods() >= rate.free_from else 0\n"
    terminal.edit("bookshop/cart.py", right, wrong)
    terminal.type("doit run -c -n 2", fails=True)
    terminal.check_last_run(HEADERS | LINT, failed={TESTS})
    counts = terminal.ask("wsbuild runs --limit 1 --json")["items"][0]["counts"]
    terminal.check("blocked", counts["blocked"], 1)
    terminal.type("wsbuild errors")
    errors = terminal.ask("wsbuild errors --json")["items"]
    where = {f"{error['ws_id']} {error['step']}: {error['message']}" for error in errors}
    terminal.check("recorded", where, {"ws-tests unit: pytest exited with 1"})
    terminal.type("wsbuild status tests release")
    status = terminal.ask("wsbuild status tests release --json")["workstreams"]
    standing = {f"{ws['task']} {ws['status']}" for ws in status}
    terminal.check("status", standing, {"ws:tests failed", "ws:release stale"})

    terminal.heading("It is mended: the rest is done")
    terminal.edit("bookshop/cart.py", wrong, f"# From the limit on it is free.\n        {right}")
    terminal.type("doit run -n 2")
    terminal.check_last_run(HEADERS | LINT | {TESTS, PACK})


def look_back(terminal: Terminal) -> None:
    """Why nothing would run now, and what has been."""
    terminal.heading("What does wsbuild know of all that?")
    terminal.type(f"wsbuild explain {TESTS}")
    explained = terminal.ask(f"wsbuild explain {TESTS} --json")
    terminal.check("decision", explained["decision"], "up-to-date")
    terminal.type("wsbuild runs")
    runs = terminal.ask("wsbuild runs --json")["items"]
    ends = ["succeeded", "failed", "succeeded", "succeeded", "succeeded"]
    terminal.check("runs, newest first", [run["status"] for run in runs], ends)


def main(arguments: list[str]) -> None:
    """Play all scenes."""
    if len(arguments) > 1:
        refuse("too many arguments", "python examples/demo.py [DIR]")
    given = Path(arguments[0]).resolve() if arguments else None
    terminal = prepare(given or Path(tempfile.mkdtemp(prefix="wsbuild-demo-")))
    for scene in (look_around, run_first, run_again, change_an_input, break_and_mend, look_back):
        scene(terminal)
    print(f"\nThe project stays in {terminal.directory}")
    print("demo: all as expected")


if __name__ == "__main__":
    main(sys.argv[1:])
