"""Patterns against random paths: what they match, and where two of them meet."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given, settings
from hypothesis import strategies as st

from wsbuild.patterns import base, covers, intersect, kind, matcher

NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: set(name) != {"."})
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.lists(
    st.sampled_from(["a", "b", ".", "*", "?", "[ab]", "[!a]", "[a-b]"]), min_size=1, max_size=4
).map("".join)
COMPONENTS = st.one_of(NAMES, PIECES, st.just("**"))
PATTERNS = st.one_of(
    PATHS, PATHS.map(lambda path: path + "/"), st.lists(COMPONENTS, min_size=1, max_size=4).map("/".join)
)


@settings(max_examples=600, deadline=None)
@given(PATTERNS, PATTERNS)
def test_a_witness_is_matched_by_both(left: str, right: str) -> None:
    """Where two patterns are said to meet, there is a path that both match."""
    witness = intersect(left, right)
    assert (witness is None) == (intersect(right, left) is None)
    if witness is not None:
        assert covers(left, witness), witness
        assert covers(right, witness), witness


@settings(max_examples=1200, deadline=None)
@given(PATTERNS, PATTERNS, PATHS)
def test_patterns_that_share_a_path_meet(left: str, right: str, path: str) -> None:
    """Where they are said not to meet, no path is matched by both."""
    if covers(left, path) and covers(right, path):
        assert intersect(left, right) is not None


@settings(max_examples=400, deadline=None)
@given(PIECES.filter(lambda piece: "**" not in piece), NAMES)
def test_one_component_is_matched_as_a_shell_would(pattern: str, name: str) -> None:
    """`*`, `?` and classes within one name, leading dots included."""
    assert covers(pattern, name) == (pattern == name or fnmatchcase(name, pattern))


@settings(max_examples=400, deadline=None)
@given(st.lists(PATTERNS, max_size=4), PATHS)
def test_many_patterns_are_any_of_them(patterns: list[str], path: str) -> None:
    """One predicate for many gives the same answer."""
    assert matcher(patterns)(path) == any(covers(pattern, path) for pattern in patterns)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, PATHS)
def test_what_matches_lies_below_the_base(pattern: str, path: str) -> None:
    """A walk may begin there."""
    if covers(pattern, path) and kind(pattern) != "file":
        assert not base(pattern) or path.startswith(base(pattern) + "/")


@settings(max_examples=800, deadline=None)
@given(st.lists(PATTERNS, max_size=4), PATHS)
def test_with_what_is_below_a_file_is_a_directory_too(patterns: list[str], path: str) -> None:
    """The same answer as asking each pattern, a literal one as if it were a directory."""
    assert matcher(patterns, below=True)(path) == any(covers(pattern, path, True) for pattern in patterns)


@settings(max_examples=400, deadline=None)
@given(st.lists(PATHS, max_size=4), PATHS, NAMES)
def test_only_whole_parts_count_for_what_is_below(names: list[str], path: str, name: str) -> None:
    """A name stands for itself and for what begins with it and a slash, and not for a longer name."""
    for wanted in (names, [*names, "no-such*"]):
        below = matcher(wanted, below=True)
        assert below(path) == any(f"{path}/".startswith(f"{one}/") for one in names)
        if below(path):
            assert below(f"{path}/{name}")
            assert matcher(wanted, below=False)(path) == (path in names)


def test_the_callers_list_stays_as_it_was() -> None:
    """Asking changes nothing for who asks."""
    wanted = ["a", "b*"]
    assert matcher(wanted, below=True)("a/x")
    assert wanted == ["a", "b*"]
