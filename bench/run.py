"""Measures wsbuild beside other build tools, in one run, and checks what each of them built.

    python bench/run.py [--case NAME ...] [--tool NAME ...] [--runs N] [--n N] [--few N] [--many N]
                        [--restored N] [--large N] [--no-install] [--json FILE] [--table FILE]

Exits with 1 when a command fails or what it built is wrong: a fast wrong answer is no answer. Exits with
2 when the arguments are wrong, and with 130 when interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from typing import TYPE_CHECKING

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench.cases.registry import CASES
from bench.cases.setting import Setting
from bench.measure import WrongAnswerError
from bench.peers.hooks import MANAGERS
from bench.peers.registry import PEERS
from bench.report import Grid, Table, as_json, as_markdown, as_text, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _place(text: str) -> str:
    """Refused now, not when all is measured."""
    if not os.path.isdir(os.path.dirname(os.path.abspath(text))):
        raise argparse.ArgumentTypeError("is in a directory that does not exist")
    return text


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this; may be repeated")
    names = [peer.NAME for peer in PEERS]
    only = "of the tools that build, only this; may be repeated"
    parser.add_argument("--tool", action="append", choices=names, default=[], help=only)
    parser.add_argument("--runs", type=_count, default=7, help="turns that count (7)")
    parser.add_argument("--n", type=_count, default=1000, help="workstreams that every tool builds (1000)")
    parser.add_argument("--few", type=_count, default=100, help="workstreams where more take minutes (100)")
    parser.add_argument("--large", type=_count, default=10_000, help="workstreams to look at (10000)")
    parser.add_argument("--many", type=_count, default=5000, help="workstreams that wsbuild lists (5000)")
    parser.add_argument("--restored", type=_count, default=1000, help="workstreams to restore (1000)")
    parser.add_argument("--no-install", action="store_true", help="only tools that are there already")
    parser.add_argument("--json", type=_place, metavar="FILE", help="write all figures there")
    parser.add_argument("--table", type=_place, metavar="FILE", help="write the page for people there")
    return parser.parse_args(words)


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line:.79}")
        sys.stderr.flush()


def _write(path: str | None, text: str) -> None:
    if path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def _install() -> None:
    """The tools that only the benchmark needs; one that cannot be installed takes no part."""
    for tool in (*PEERS, *MANAGERS):
        if tool.PACKAGE:
            _tell(f"installing {' '.join(tool.PACKAGE.names)}")
            tool.PACKAGE.install()
    _tell("")


def _measured(
    setting: Setting, chosen: Sequence[str], keep: Callable[[Sequence[Table | Grid]], None]
) -> None:
    """Measure, and after each group of cases keep all that is there."""
    tables: list[Table | Grid] = []
    for measure in dict.fromkeys(CASES[name] for name in chosen):
        started = time.monotonic()
        for table in measure(setting, chosen):
            _tell("")
            print(as_text(table), flush=True)
            tables.append(table)
        minutes = (time.monotonic() - started) / 60
        print(f"({measure.__name__} took {minutes:.1f} minutes)\n", flush=True)
        keep(tables)


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; gives the exit code."""
    arguments = _arguments(words)
    if not arguments.no_install:
        _install()
    print(", ".join(f"{name} {version}" for name, version in versions().items()) + "\n", flush=True)

    def keep(tables: Sequence[Table | Grid]) -> None:
        _write(arguments.json, json.dumps(as_json(tables), indent=2) + "\n")
        _write(arguments.table, as_markdown(tables))

    with tempfile.TemporaryDirectory(prefix="wsbuild-bench-") as scratch:
        sizes = (arguments.n, arguments.few, arguments.many, arguments.restored, arguments.large)
        setting = Setting(scratch, arguments.runs, *sizes, arguments.tool, _tell)
        try:
            _measured(setting, arguments.case or list(CASES), keep)
        except WrongAnswerError as error:
            _tell("")
            sys.stderr.write(f"bench: {error}\n")
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
