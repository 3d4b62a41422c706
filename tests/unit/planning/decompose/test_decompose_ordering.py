"""Which part comes after which."""

from __future__ import annotations

from plans import files_of, material, rules

from wsbuild.planning.decompose.grouping import Task, divide
from wsbuild.planning.decompose.ordering import Ordered, put_in_order, scores

ALONE = {"group_by": {"directory": [{name: {"patterns": [f"{name}*", f"{name}/"]}} for name in "abcd"]}}


def _order(given: object, **how: object) -> Ordered:
    known = rules(**{**ALONE, **how})  # type: ignore[arg-type]
    return put_in_order(divide(given, known), given, known)  # type: ignore[arg-type]


def _edges(ordered: Ordered) -> list[tuple[str, str]]:
    names = files_of(ordered.parts)
    return [(names[edge.later], names[edge.earlier]) for edge in ordered.edges]


def test_who_imports_comes_after() -> None:
    """By each import, told once for each pair of parts."""
    ordered = _order(material("a/1", "a/2", "b/1", imports="a/1>b/1 a/2>b/1"))
    assert _edges(ordered) == [("a/1 a/2", "b/1")]
    assert [str(reason) for reason in ordered.edges[0].reasons] == ["a/1 imports b/1", "a/2 imports b/1"]


def test_tests_come_after_what_they_test() -> None:
    """By name, if one file only is meant and no import tells; endings of one family are one."""
    names = {
        ("a/test_x.py", "b/x.py"): True,
        ("a/x_test.go", "b/x.go"): True,
        ("a/x.test.ts", "b/x.tsx"): True,
        ("a/X.Tests.ps1", "b/X.ps1"): True,
        ("a/test_x.py", "b/x.js"): False,
        ("a/test_x.py", "b/x.py", "c/x.py"): False,
        ("a/testx.py", "b/x.py"): False,
    }
    for paths, found in names.items():
        assert _edges(_order(material(*paths))) == ([paths[:2]] if found else []), paths


def test_an_import_says_more_than_a_name() -> None:
    """A module that imports its test, as it may be, is not made to wait for itself."""
    ordered = _order(material("a/test_x.py", "b/x.py", imports="b/x.py>a/test_x.py"), files=1)
    assert _edges(ordered) == [("b/x.py", "a/test_x.py")]
    assert ordered.aside == ()


RULE = {
    "r": {
        "description": "First things first.",
        "if_files_changed": ["a/"],
        "then_depends_on_workstreams_changing": ["b/", "c/"],
    }
}


def test_rules_say_who_waits() -> None:
    """Who has what is under `if_files_changed` comes after all that have what is under the other."""
    ordered = _order(material("a/1", "a/2", "b/1", "c/1", "d/1"), dependency_inference=RULE)
    assert _edges(ordered) == [("a/1 a/2", "b/1"), ("a/1 a/2", "c/1")]
    [reason] = ordered.edges[0].reasons
    assert str(reason) == "a/1 waits for b/1, by the rule r (First things first.)"


def test_who_waits_for_each_other_is_one_where_that_fits() -> None:
    """And it says so."""
    ordered = _order(material("a/1", "b/1", "c/1", imports="a/1>b/1 b/1>a/1 c/1>a/1"), files=2)
    assert files_of(ordered.parts) == ["a/1 b/1", "c/1"]
    assert _edges(ordered) == [("c/1", "a/1 b/1")]
    assert "would wait for each other" in ordered.parts[0].why[-1]


def test_a_ring_is_one_where_that_fits() -> None:
    """Though no two of it wait for each other directly."""
    ordered = _order(material("a/1", "b/1", "c/1", imports="a/1>b/1 b/1>c/1 c/1>a/1"))
    assert files_of(ordered.parts) == ["a/1 b/1 c/1"]


def test_where_it_does_not_fit_the_weaker_way_is_left_aside() -> None:
    """Two imports weigh more than one, and a rule more than both."""
    imports = "a/1>b/1 b/1>a/1 b/2>a/1"
    given = material("a/1", "b/1", "b/2", imports=imports)
    ordered = _order(given, files=2)
    assert _edges(ordered) == [("b/1 b/2", "a/1")]
    assert [str(reason) for edge in ordered.aside for reason in edge.reasons] == ["a/1 imports b/1"]
    ordered = _order(given, files=2, dependency_inference=RULE)
    assert _edges(ordered) == [("a/1", "b/1 b/2")]
    assert len(ordered.aside) == 1


def test_of_a_large_knot_the_two_that_fit_are_made_one() -> None:
    """Before anything is left aside."""
    given = material(*("a/1", "b/1", "c/1", "c/2", "c/3"), imports="a/1>b/1 b/1>a/1 b/1>c/1 c/1>a/1")
    ordered = _order(given, files=3)
    assert files_of(ordered.parts) == ["a/1 b/1", "c/1 c/2 c/3"]
    assert (len(ordered.edges), len(ordered.aside)) == (1, 1)


PRIORITIES = {
    "bugs": {"keywords": ["fix", "memory leak"], "priority_score": 9},
    "speed": {"keywords": ["Fast"], "priority_score": 5},
}


def _scores(texts: dict[str, str], imports: str = "") -> dict[str, float]:
    tasks = {path: frozenset({Task(1, text)}) for path, text in texts.items()}
    given = material(*texts, imports=imports, tasks=tasks)
    how = {**ALONE, "prioritization": PRIORITIES}
    ordered = _order(given, **how)
    found = scores(ordered, given, rules(**how))  # type: ignore[arg-type]
    return {files_of(ordered.parts)[at]: score for at, (score, _) in found.items()}


def test_keywords_begin_words() -> None:
    """In any case, phrases too; what files are called does not count."""
    texts = {"a": "Fixes it", "b": "prefix", "c": "a Memory Leak", "d": "make it faster"}
    assert _scores(texts) == {"a": 9, "c": 9, "d": 5}
    assert _scores({"a": "Change `src/fix.py`", "b": "see src/fix/b.py", "c": "x"}) == {}
    assert _scores({"a": "fast fix"}) == {"a": 9}


def test_what_something_urgent_waits_for_is_urgent() -> None:
    """All the way down, and never less than by itself."""
    assert _scores({"a": "fix", "b": "x", "c": "fast", "d": "x"}, "a>b b>c d>a") == {"a": 9, "b": 9, "c": 9}
    assert _scores({"a": "fast", "b": "fix"}, "a>b") == {"a": 5, "b": 9}
