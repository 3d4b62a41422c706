"""Which commands a text says are to be run to see that something holds.

Only what is plainly a command is one: a block of code for a shell, or inline code that begins with `$ `,
and only behind words that say so (`Verify: ...`, `run ...`). Any other text is for a person.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.planning.markdown_tree import FENCE, HEADING, INLINE_CODE, PARAGRAPH
from wsbuild.planning.openspec.paths import SHELLS
from wsbuild.steps import COMMAND_MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wsbuild.planning.markdown_tree import Node

TRANSCRIPT = "console"

_SAID = re.compile(r"\b(?:verif(?:y|ied|ies|ication)|run|runs|running)\b", re.IGNORECASE)


class Command(NamedTuple):
    """`text` is one line or, as a `script`, several."""

    text: str
    line: int
    script: bool = False

    @property
    def flaw(self) -> str:
        """Why it cannot be started; empty where it can."""
        try:
            words = [self.text.strip()] if self.script else shlex.split(self.text)
        except ValueError as error:
            return f"cannot be split: {str(error).lower()}"
        return "" if words and words[0].strip() else "names no program"

    def acceptance_test(self) -> str | dict[str, Any]:
        """It as an acceptance test; a script ends at its first failure."""
        if not self.script:
            return COMMAND_MARK + self.text
        name = sha256_text(self.text)[:8]
        return {"id": f"verify-{name}", "run": f"set -e\n{self.text}", "shell": True}


def _in_block(block: Node) -> Iterator[Command]:
    lines = [line.strip() for line in block.text.replace("\\\n", " ").splitlines()]
    marked = [line.removeprefix(COMMAND_MARK).strip() for line in lines if line.startswith(COMMAND_MARK)]
    if marked or block.info.split(" ")[0].lower() == TRANSCRIPT:
        yield from (Command(line, block.line) for line in marked)
    elif block.text.strip():
        script = "\n".join(line.rstrip() for line in block.text.strip("\n").splitlines())
        yield Command(script, block.line, script=True)


def commands(blocks: Iterable[Node]) -> list[Command]:
    """The commands of a task or scenario, in order, each once."""
    found: dict[str, Command] = {}
    said = False
    for node in (inner for block in blocks for inner in block.walk()):
        if node.kind in {PARAGRAPH, HEADING}:
            for span in node.spans():
                if span.kind == INLINE_CODE and span.text.startswith(COMMAND_MARK):
                    one = Command(span.text.removeprefix(COMMAND_MARK).strip(), node.line)
                    if said:
                        found.setdefault(one.text, one)
                elif span.kind != INLINE_CODE:
                    said = said or _SAID.search(span.text) is not None
        elif said and node.kind == FENCE and node.info.split(" ")[0].lower() in SHELLS:
            for one in _in_block(node):
                found.setdefault(one.text, one)
    return list(found.values())
