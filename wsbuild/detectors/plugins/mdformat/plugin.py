"""mdformat, a formatter of Markdown: https://mdformat.readthedocs.io/"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_UNFORMATTED = re.compile(r'Error: File "(?P<path>.+?)" is not formatted\.')


def command(files: Sequence[str]) -> list[str]:
    """It only looks."""
    return ["mdformat", "--check", "--", *files]


def fix(files: Sequence[str]) -> list[str]:
    """It writes only what is formatted differently."""
    return ["mdformat", "--", *files]


def parse(output: Output) -> Iterator[Finding]:
    """A sentence for each file, broken into lines between words. Every text is Markdown: there are no
    errors of syntax.
    """
    said = _words(output.stderr)
    names = {_words(os.path.join(output.root, path)): path for path in output.files}
    for found in _UNFORMATTED.finditer(said):
        path = names.get(found["path"], output.relative(found["path"]))
        message = "mdformat would format it differently"
        yield Finding(path, 0, 0, "unformatted", "formatting", "warning", message)
    if "Error: " in (rest := _UNFORMATTED.sub("", said)):
        raise ToolError(rest)


def _words(text: str) -> str:
    return " ".join(text.split())
