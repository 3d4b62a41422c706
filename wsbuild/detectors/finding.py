"""What a detector found: one record for all tools. Data only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from wsbuild.cache.digest import sha256_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Category = Literal["syntax", "type", "style", "formatting", "test_failure", "security", "other"]
Severity = Literal["error", "warning", "info"]
CATEGORIES, SEVERITIES = frozenset(get_args(Category)), frozenset(get_args(Severity))
FINGERPRINT_LENGTH = 16


class Finding(NamedTuple):
    """One thing that is wrong in one place.

    `path` is canonical, relative to the project root; `line` and `column` count from 1 (0: the whole
    file). `code` is the tool's name for it, `url` where that is explained ('' for nowhere).
    `fingerprint` stays the same when lines move: see `with_fingerprints`. It is `suppressed` where its
    line says so: see `is_suppressed`.
    """

    path: str
    line: int
    column: int
    code: str
    category: Category
    severity: Severity
    message: str
    url: str = ""
    detector: str = ""
    fingerprint: str = ""
    suppressed: bool = False


_IGNORE = re.compile(r"wsbuild: ignore(?:\[(?P<what>[^\]]*)\])?")


def is_suppressed(detector: str, code: str, line: str) -> bool:
    """Whether a line takes back what is found in it: `wsbuild: ignore` all of it, `wsbuild:
    ignore[ruff, S602, bandit:B603]` what detectors, codes or both are named.
    """
    return any(
        found["what"] is None
        or not {detector, code, f"{detector}:{code}"}.isdisjoint(
            word.strip() for word in found["what"].split(",")
        )
        for found in _IGNORE.finditer(line)
    )


def with_fingerprints(
    detector: str, findings: Iterable[Finding], lines: Mapping[str, Sequence[str]]
) -> list[Finding]:
    """The findings of a detector, sorted, each with what it is known by: code, path, the text of its line
    and how many before it are the same. `lines` has the lines of each file.
    """
    seen: dict[tuple[str, ...], int] = {}
    done = []
    for finding in sorted(findings):
        text = lines.get(finding.path, ())
        here = text[finding.line - 1].strip() if 0 < finding.line <= len(text) else ""
        what = (detector, finding.code, finding.path, here, "" if here else finding.message)
        number = seen[what] = seen.get(what, 0) + 1
        mark = sha256_text("\0".join((*what, str(number))))[:FINGERPRINT_LENGTH]
        quiet = is_suppressed(detector, finding.code, here)
        done.append(finding._replace(detector=detector, fingerprint=mark, suppressed=quiet))
    return done


def to_text(findings: Iterable[Finding]) -> str:
    """Findings of one file as text."""
    rows = [list(finding) for finding in findings]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False) if rows else ""


def from_text(text: str) -> list[Finding]:
    """The findings that `to_text` wrote. Raises ValueError, TypeError for any other text."""
    return [Finding(*row) for row in json.loads(text)] if text else []
