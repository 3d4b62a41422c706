"""Path patterns: a file, a directory (`docs/`), or a glob; which paths they match, and whether two meet.

Patterns are canonical (see `paths`). `*`, `?` and `[...]` stay within one component, leading dots
included; `**` as a whole component is any number of components. Knows nothing of the disk.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SPECIAL = re.compile(r"[*?\[]")
ANY_DEPTH = "**"
PLAIN = "x"
STAR = "[^/]*"
STAR_ONE = "[^/]"


def kind(pattern: str) -> Literal["file", "directory", "glob"]:
    """What a pattern is."""
    if _SPECIAL.search(pattern):
        return "glob"
    return "directory" if pattern.endswith("/") else "file"


def literal(path: str) -> str:
    """The pattern that matches a file's name, whatever characters it has, and nothing else."""
    return _SPECIAL.sub(r"[\g<0>]", path)


def base(pattern: str) -> str:
    """The directory below which all paths lie that a pattern matches; empty for the root."""
    parts = pattern.split("/")
    fixed = 0
    while fixed < len(parts) - 1 and not _SPECIAL.search(parts[fixed]):
        fixed += 1
    return "/".join(parts[:fixed])


def _components(pattern: str) -> list[str]:
    """The components to match. A directory, or `**` at the end, means at least one more component."""
    parts = pattern.rstrip("/").split("/")
    if pattern.endswith("/"):
        return [*parts, "*", ANY_DEPTH]
    return [*parts[:-1], "*", ANY_DEPTH] if parts[-1] == ANY_DEPTH else parts


def _tokens(part: str) -> list[str]:
    """A component as one regular expression for each character it matches, `*` apart."""
    found: list[str] = []
    at = 0
    while at < len(part):
        char, at = part[at], at + 1
        if char == "*":
            if not found or found[-1] != STAR:
                found.append(STAR)
        elif char == "?":
            found.append("[^/]")
        elif char == "[" and (close := _class_end(part, at)) is not None:
            negated = part[at] in "!^"
            body = re.sub(r"([\\\]\[&~|])", r"\\\1", part[at + negated : close])
            found.append(f"(?!/)[{'^' if negated else ''}{body}]")
            at = close + 1
        else:
            found.append(re.escape(char))
    return found


def _class_end(part: str, at: int) -> int | None:
    """Where the class that begins before `at` ends; None when the bracket is an ordinary character."""
    start = at + 1 if at < len(part) and part[at] in "!^" else at
    close = part.find("]", start + 1)
    return None if close < 0 else close


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> str:
    """A regular expression for whole paths."""
    parts = _components(pattern)
    deep_end = parts[-1] == ANY_DEPTH
    text = ""
    for at, part in enumerate(parts[:-1] if deep_end else parts):
        if at and parts[at - 1] != ANY_DEPTH:
            text += "/"
        text += "(?:[^/]+/)*" if part == ANY_DEPTH else "".join(_tokens(part))
    return text + "(?:/[^/]+)*" if deep_end else text


def matcher(wanted: Iterable[str], *, below: bool = False) -> Callable[[str], bool]:
    """One predicate for many patterns: whether a path is matched by any of them.

    With `below`, the name of a file stands for all below it too: on the disk it may be a directory.
    """
    found = list(wanted)
    if all(kind(pattern) == "file" for pattern in found):
        names = frozenset(found)
        if not below:
            return names.__contains__
        return lambda path: (
            path in names or any(path[:at] in names for at, char in enumerate(path) if char == "/")
        )
    if below:
        found += [pattern + "/" for pattern in found if kind(pattern) == "file"]
    expressions = [_expression(pattern) for pattern in found]
    compiled = re.compile("|".join(f"(?:{text})" for text in expressions), re.DOTALL)
    return lambda path: compiled.fullmatch(path) is not None


def covers(pattern: str, path: str, is_dir: bool = False) -> bool:
    """Whether `pattern` matches `path`; where `is_dir` says that a literal pattern is a directory on
    disk, what lies below it too.
    """
    if path == pattern or (is_dir and kind(pattern) == "file" and path.startswith(pattern + "/")):
        return True
    return re.compile(_expression(pattern), re.DOTALL).fullmatch(path) is not None


def _samples(token: str) -> str:
    """The characters worth trying for one token: a plain one, and all that a class might hold."""
    if token.startswith("(?!/)"):
        return "".join(chr(code) for code in range(33, 127) if chr(code) != "/")
    return ""


@lru_cache(maxsize=65536)
def _meet(left: str, right: str) -> str | None:
    """The shortest name that two components both match, or None.

    A walk over pairs of places in the two: at each either both consume a character that both
    accept, or a star is left.
    """
    a, b = _tokens(left), _tokens(right)
    start = (0, 0)
    reached: dict[tuple[int, int], str] = {start: ""}
    queue = [start]
    best: str | None = None
    while queue:
        here = queue.pop(0)
        i, j = here
        text = reached[here]
        if i == len(a) and j == len(b):
            if text and (best is None or len(text) < len(best)):
                best = text
            continue
        for there, char in _moves(a, b, i, j):
            longer = text + char
            if there not in reached or (len(longer) < len(reached[there])):
                reached[there] = longer
                queue.append(there)
    return best or _star_only(left, right)


def _star_only(left: str, right: str) -> str | None:
    """Two components that both match the empty name (only stars) meet in any name."""
    return PLAIN if set(left) == {"*"} == set(right) else None


def _moves(a: list[str], b: list[str], i: int, j: int) -> list[tuple[tuple[int, int], str]]:
    moves: list[tuple[tuple[int, int], str]] = []
    if i < len(a) and a[i] == STAR:
        moves.append(((i + 1, j), ""))
    if j < len(b) and b[j] == STAR:
        moves.append(((i, j + 1), ""))
    if i < len(a) and j < len(b) and (char := _common(a[i], b[j])):
        step_i = i if a[i] == STAR else i + 1
        step_j = j if b[j] == STAR else j + 1
        if (step_i, step_j) != (i, j):
            moves.append(((step_i, step_j), char))
    return moves


@lru_cache(maxsize=65536)
def _common(left: str, right: str) -> str:
    """A character that both tokens accept; empty when there is none."""
    one = [re.compile(STAR_ONE if text == STAR else text, re.DOTALL) for text in (left, right)]
    literal = [re.sub(r"\\(.)", r"\1", token) for token in (left, right)]
    candidates = [text for text in literal if len(text) == 1] + list(PLAIN + _samples(left) + _samples(right))
    return next((char for char in candidates if all(each.fullmatch(char) for each in one)), "")


def intersect(left: str, right: str) -> str | None:
    """A path that both patterns match, the shortest in components; None when there is none.

    A literal counts as a file here: who knows it to be a directory asks with a slash behind it.
    """
    a, b = _components(left), _components(right)
    reached: dict[tuple[int, int], list[str]] = {(0, 0): []}
    queue = [(0, 0)]
    while queue:
        i, j = queue.pop(0)
        path = reached[i, j]
        if i == len(a) and j == len(b):
            return "/".join(path)
        for there, names in _steps(a, b, i, j):
            if there not in reached:
                reached[there] = [*path, *names]
                if names:
                    queue.append(there)
                else:
                    queue.insert(0, there)
    return None


def _steps(a: list[str], b: list[str], i: int, j: int) -> list[tuple[tuple[int, int], list[str]]]:
    """From one pair of places: leave a `**`, or consume one component that both match."""
    steps: list[tuple[tuple[int, int], list[str]]] = []
    deep_a, deep_b = i < len(a) and a[i] == ANY_DEPTH, j < len(b) and b[j] == ANY_DEPTH
    if deep_a:
        steps.append(((i + 1, j), []))
    if deep_b:
        steps.append(((i, j + 1), []))
    if i < len(a) and j < len(b):
        name = _meet("*" if deep_a else a[i], "*" if deep_b else b[j])
        if name is not None:
            steps.append(((i if deep_a else i + 1, j if deep_b else j + 1), [name]))
    return steps
