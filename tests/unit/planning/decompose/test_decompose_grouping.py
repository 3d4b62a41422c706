"""How files are cut into parts."""

from __future__ import annotations

import pytest
from plans import cut, material, rules

from wsbuild.planning.decompose.files import CREATE, DELETE, RENAME, Changed
from wsbuild.planning.decompose.grouping import Material, Task, divide

BY = {"language": [{"py": {"patterns": ["**/*.py"]}}], "directory": [{"t": {"patterns": ["t/"]}}]}


def test_groups_come_in_the_order_of_the_rules() -> None:
    """What no rule names is last."""
    assert cut(material("z", "t/a", "t/a.py", "a.py"), rules(group_by=BY)) == ["t/a.py", "a.py", "t/a", "z"]


def test_a_group_within_the_limits_is_not_cut() -> None:
    """Whatever imports what."""
    assert cut(material("a", "x/b", "y/c"), rules(3)) == ["a x/b y/c"]


@pytest.mark.parametrize(
    ("imports", "parts"),
    [
        ("", ["a b c", "d e f"]),
        ("a>e", ["a b e", "c d f"]),
        ("a>b b>c c>d d>e e>f", ["a b c", "d e f"]),
        ("f>e e>d d>c c>b b>a", ["a b c", "d e f"]),
        ("a>f f>a a>c c>a b>a", ["a c f", "b", "d e"]),
    ],
)
def test_a_large_group_is_cut_along_imports(imports: str, parts: list[str]) -> None:
    """What is connected stays together where it fits, what imports each other in any case."""
    assert cut(material(*"abcdef", imports=imports), rules(3)) == parts


def test_parts_of_a_chain_import_one_way() -> None:
    """A knot in a chain is not torn."""
    given = material(*"abcdef", imports="a>b b>c c>d d>c d>e e>f")
    assert cut(given, rules(2)) == ["a b", "c d", "e f"]


def test_a_chain_is_cut_in_its_own_order() -> None:
    """Not in that of the names."""
    assert cut(material(*"abcdef", imports="a>d d>b b>e e>c c>f"), rules(2)) == ["a d", "b e", "c f"]


def test_a_knot_that_is_too_large_is_torn() -> None:
    """By directory; and it says so."""
    given = material("x/a", "x/b", "y/a", "y/b", imports="x/a>y/a y/a>x/b x/b>y/b y/b>x/a")
    parts = divide(given, rules(2))
    assert [part.files for part in parts] == [("x/a", "x/b"), ("y/a", "y/b")]
    assert all("import each other and are too many" in " ".join(part.why) for part in parts)


def test_directories_stay_whole_where_they_fit() -> None:
    """Small ones go together."""
    given = material("a/1", "a/2", "b/1", "b/2", "b/3", "c/1", "d/1", "e/1")
    assert cut(given, rules(3)) == ["a/1 a/2", "b/1 b/2 b/3", "c/1 d/1 e/1"]


def test_lines_and_tasks_count_too() -> None:
    """Each limit cuts; what is not known of lines counts as none."""
    assert cut(material(*"abc", lines={"a": 6, "b": 5}), rules(lines=10)) == ["a", "b c"]
    tasks = {path: frozenset({Task(number, "x")}) for number, path in enumerate("abc")}
    assert cut(material(*"abc", tasks=tasks), rules(tasks=2)) == ["a b", "c"]
    same = {path: frozenset({Task(1, "x")}) for path in "abc"}
    assert cut(material(*"abc", tasks=same), rules(tasks=1)) == ["a b c"]


def test_a_file_that_is_too_large_is_alone() -> None:
    """And only it is marked."""
    parts = divide(material(*"abc", lines={"b": 50}), rules(lines=10))
    assert [(part.files, part.over) for part in parts] == [
        (("a",), ()),
        (("b",), ("50 lines (limit 10)",)),
        (("c",), ()),
    ]
    assert parts[1].why[-1] == "over the limit: 50 lines (limit 10), by this file alone"


def test_what_is_named_together_stays_together() -> None:
    """By one requirement."""
    assert cut(material(*"abcd", together=[("a", "d"), ("q", "b")]), rules(2)) == ["a d", "b c"]


def test_the_names_of_a_renamed_file_are_not_parted() -> None:
    """Its new name says which group it is in; no limit parts them."""
    files = {
        "a.py": Changed("a.py", DELETE, "t/b", 0, there=False),
        "c.py": Changed("c.py", "change", "", 1, there=True),
        "t/b": Changed("t/b", RENAME, "a.py", 1, there=True),
    }
    given = Material(files, {path: frozenset({Task(1, "x")}) for path in files}, [])
    parts = divide(given, rules(1, group_by=BY))
    assert [(part.group.name, part.files, bool(part.over)) for part in parts] == [
        ("py", ("c.py",), False),
        ("t", ("a.py", "t/b"), True),
    ]
    assert parts[1].why[-1].endswith("by files that cannot be parted")


def test_a_file_and_what_takes_its_place_are_not_parted() -> None:
    """Two workstreams cannot have a file and what is below it."""
    files = {
        path: Changed(path, action, "", None, there=False)
        for path, action in {"a": DELETE, "a/b": CREATE, "a/c/d": CREATE, "ab": CREATE}.items()
    }
    given = Material(files, {path: frozenset() for path in files}, [])
    assert cut(given, rules(1)) == ["a a/b a/c/d", "ab"]
