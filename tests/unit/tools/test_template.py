"""Argument templates: values in positions, never code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbuild.errors import UserError
from wsbuild.tools.template import UnknownVariable, names, render

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = (
    "x; touch P",
    "$(touch P)",
    "`P`",
    "--config=evil",
    "-",
    "a\nb",
    "a b",
    "{other}",
    "{{value}}",
    "%(x)s",
    "{0.__class__}",
    "",
    "\\1\\g<0>",
)


@pytest.mark.parametrize(
    ("args", "values", "expected"),
    [
        (["{a}"], {"a": "1"}, ["1"]),
        (["-m", "{a}-{b}"], {"a": "1", "b": "2"}, ["-m", "1-2"]),
        (["{a}{a}"], {"a": "1"}, ["11"]),
        (["{f}"], {"f": ["x", "y"]}, ["x", "y"]),
        (["a", "{f}", "b"], {"f": []}, ["a", "b"]),
        (["--file={f}"], {"f": ["x", "y"]}, ["--file=x", "--file=y"]),
        (["--file={f}"], {"f": []}, []),
        (["{a}:{f}:{f}"], {"a": "1", "f": ["x", "y"]}, ["1:x:x", "1:y:y"]),
        (["{f}"], {"f": ("x",)}, ["x"]),
        (["{a}"], {"a": ""}, [""]),
        (["{{a}}"], {"a": "1"}, ["{a}"]),
        (["{{{a}}}"], {"a": "1"}, ["{1}"]),
        (["{{}}"], {}, ["{}"]),
        (["{print $1}"], {}, ["{print $1}"]),
        (["{}", "{", "}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{ a }"], {"a": "1"}, None),
        (["{0.__class__}"], {"a": "1"}, None),
        ([], {}, []),
    ],
)
def test_rendering(
    args: list[str], values: dict[str, str | Sequence[str]], expected: list[str] | None
) -> None:
    """Only an identifier in braces is a variable; None stands for arguments that stay as they are."""
    assert render(args, values) == (args if expected is None else expected)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_values(value: str) -> None:
    """A value that looks like a template, an option or a command arrives as it is."""
    values: dict[str, str | Sequence[str]] = {"value": value, "other": "no", "several": [value] * 2}
    rendered = render(["tool", "{value}", "x={value}", "{several}", "end"], values)
    assert rendered == ["tool", value, f"x={value}", value, value, "end"]


@given(st.text(), st.lists(st.text(), max_size=4))
def test_no_value_moves_an_argument(value: str, several: list[str]) -> None:
    """The number of arguments and their places do not depend on what is in the values."""
    values: dict[str, str | Sequence[str]] = {"value": value, "several": several}
    rendered = render(["a", "{value}", "b{value}c", "{several}", "d"], values)
    assert rendered == ["a", value, f"b{value}c", *several, "d"]


@pytest.mark.parametrize(
    ("value", "expected"), [("-rf", "./-rf"), ("--x=1", "./--x=1"), ("-", "./-"), ("a-b", "a-b")]
)
def test_paths_are_no_options(value: str, expected: str) -> None:
    """A path that begins with a dash gets `./` before it, and other values do not."""
    rendered = render(["{p}", "{ps}", "{q}"], {"p": value, "ps": [value], "q": value}, "", {"p", "ps"})
    assert rendered == [expected, expected, value]


def test_unknown_variable_is_explained() -> None:
    """The error names the variable, the place, the likely one and all that are known."""
    with pytest.raises(UnknownVariable) as caught:
        render(["x{fles}"], {"files": [], "step": "s"}, "tool profile ruff")
    assert caught.value.message == "tool profile ruff: unknown variable {fles}"
    assert caught.value.hint.startswith("did you mean {files}? known: files, step;")
    assert caught.value.exit_code == 2


def test_two_lists_in_one_argument_are_refused() -> None:
    """An argument that names two lists has no order that one could guess."""
    with pytest.raises(UserError, match="names the lists a and b"):
        render(["{a}{b}"], {"a": ["1"], "b": ["2"]})


def test_names_are_listed_once() -> None:
    """Variables are listed in the order of their first use, literal braces left out."""
    assert names(["{b} {a}", "{{c}} {b}", "{0}", "{d e}"]) == ["b", "a"]
