"""Argument templates: `{name}` is replaced by a value, in one pass, inside one argument.

No shell and no second pass: a value that looks like a template or a command stays a value. Which
names there are is for others to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsbuild.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

# Only an identifier in braces is a variable, so that `awk {print $1}` needs no care.
_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


class UnknownVariable(UserError):  # noqa: N818 - says what happened, as its siblings do
    """A template names a variable that there is not; `where` says which template."""

    def __init__(self, name: str, where: str, known: Iterable[str]) -> None:
        from difflib import get_close_matches

        known = sorted(known)
        near = get_close_matches(name, known, n=1)
        hints = [f"did you mean {{{near[0]}}}?"] if near else []
        hints += [f"known: {', '.join(known)};", f"{{{{{name}}}}} stands for the plain text"]
        at = f"{where}: " if where else ""
        super().__init__(f"{at}unknown variable {{{name}}}", " ".join(hints))
        self.name = name


def names(args: Iterable[str]) -> list[str]:
    """The variables that templates name, each once, in the order of their first use."""
    found = (match.group(1) for arg in args for match in _TOKEN.finditer(arg))
    return list(dict.fromkeys(name for name in found if name is not None))


def _as_path(value: str) -> str:
    """A path that cannot be taken for an option."""
    return f"./{value}" if value.startswith("-") else value


def _fill(arg: str, values: Mapping[str, str]) -> str:
    def text(token: re.Match[str]) -> str:
        name: str | None = token.group(1)
        return token.group()[0] if name is None else values[name]

    return _TOKEN.sub(text, arg)


def _times(arg: str, values: Mapping[str, str | Sequence[str]], where: str) -> list[dict[str, str]]:
    """The values of the variables in `arg`, once for each time that it is given."""
    used = {name: values[name] for name in names([arg])}
    plain = {name: value for name, value in used.items() if isinstance(value, str)}
    lists = {name: value for name, value in used.items() if not isinstance(value, str)}
    if not lists:
        return [plain]
    if len(lists) > 1:
        at = f"{where}: " if where else ""
        message = f"{at}{arg!r} names the lists {' and '.join(lists)}"
        raise UserError(message, "give each an argument of its own")
    [(name, several)] = lists.items()
    return [{**plain, name: each} for each in several]


def render(
    args: Sequence[str],
    values: Mapping[str, str | Sequence[str]],
    where: str = "",
    paths: Collection[str] = (),
) -> list[str]:
    """The arguments `args` with every `{name}` replaced by its value.

    An argument that names a list is given once for each of its values, so not at all for none:
    `{files}` becomes several arguments, `--file={files}` several options. `{{` and `}}` are braces.
    Values of the variables in `paths` that begin with a dash get `./` before it. Raises
    UnknownVariable, and UserError for an argument that names two lists.
    """
    unknown = [name for name in names(args) if name not in values]
    if unknown:
        raise UnknownVariable(unknown[0], where, values)
    done = []
    for arg in args:
        for filling in _times(arg, values, where):
            safe = {n: _as_path(v) if n in paths else v for n, v in filling.items()}
            done.append(_fill(arg, safe))
    return done
