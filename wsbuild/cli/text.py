"""Text for standard output. Part of the hot path: what only some of it needs is imported there."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def json_text(name: str, data: dict[str, Any]) -> str:
    """`data` as the output `wsbuild/<name>/1`. What could steer a terminal is escaped."""
    import json
    import re

    text = json.dumps({"schema": f"wsbuild/{name}/1", **data}, indent=2, ensure_ascii=False)
    return re.sub(r"[^ -~\n]", lambda c: c[0] if c[0].isprintable() else json.dumps(c[0])[1:-1], text) + "\n"


def show(answer: tuple[int, str, str]) -> int:
    """Print an answer: its exit code, what goes to stdout, and what to stderr. Gives that code."""
    code, out, err = answer
    for text, stream in ((err, sys.stderr), (out, sys.stdout)):
        stream.buffer.write(text.encode("utf-8", "backslashreplace"))
    return code
