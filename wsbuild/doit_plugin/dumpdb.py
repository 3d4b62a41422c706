"""`doit dumpdb` over wsbuild's store: doit's own opens a database file that does not exist here."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from doit.cmd_dumpdb import DumpDB as StockDumpDB


class DumpDB(StockDumpDB):  # type: ignore[misc]
    """Prints what is recorded of each step that is up to date, one JSON object a line.

    Projects that do not use wsbuild's loader get doit's own command.
    """

    def execute(self, opt_values: Any, pos_args: Any) -> int:
        """Print and give the exit code."""
        if self.config.get("GLOBAL", {}).get("loader") != "wsbuild":
            return int(super().execute(opt_values, pos_args) or 0)
        from wsbuild.actions.dump import dump
        from wsbuild.root import find_root

        for row in dump(find_root(os.getcwd()), os.environ):
            sys.stdout.write(json.dumps(row, sort_keys=True) + "\n")
        return 0
