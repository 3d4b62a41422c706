"""The key and its explanation come from the same lines."""

from __future__ import annotations

import pytest

from wsbuild.cache.manifest import Manifest, Reason, differences, result_digest


def manifest(**lines: str) -> Manifest:
    """A manifest with one line of each kind."""
    made = Manifest()
    values = {"field": "cp", "tool": "v1", "env": "e1", "upstream": "r1", "input": "f:1", **lines}
    for kind, value in values.items():
        made.add(kind, "name", value)
    return made


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("field", "mv", Reason("field-changed", "name", "cp", "mv")),
        ("tool", "v2", Reason("tool-changed", "name", "v1", "v2")),
        ("env", "e2", Reason("env-changed", "name")),
        ("upstream", "r2", Reason("upstream-changed", "name", "r1", "r2")),
        ("input", "f:2", Reason("input-changed", "name", "f:1", "f:2")),
        ("input", "x:1", Reason("input-mode-changed", "name", "f", "x")),
        ("input", "", Reason("input-removed", "name", "f:1", None)),
    ],
)
def test_each_change_moves_the_key_and_is_named(kind: str, value: str, expected: Reason) -> None:
    """One line, one reason; the value of a variable is never told."""
    before, after = manifest(), manifest(**{kind: value})
    assert before.key() != after.key()
    assert differences(before.lines, after.lines) == [expected]


def test_equal_lines_in_any_order_have_the_same_key() -> None:
    """The order of adding does not count."""
    one, two = Manifest(), Manifest()
    one.add("input", "a", "1")
    one.add("input", "b", "2")
    two.add("input", "b", "2")
    two.add("input", "a", "1")
    assert one.text() == two.text()
    assert one.key() == two.key()


def test_names_cannot_run_into_values() -> None:
    """Lines are quoted: no choice of names makes two manifests one."""
    one, two = Manifest(), Manifest()
    one.add("input", 'a","b', "c")
    two.add("input", "a", 'b","c')
    assert one.text() != two.text()


def test_a_manifest_survives_its_text() -> None:
    """What is stored is what was made, odd names included."""
    made = manifest(input="f:1")
    made.add("input", "ä\n\t'\udcff", "x")
    assert Manifest.parse(made.text()).lines == made.lines


def test_added_and_removed_inputs_are_told_apart() -> None:
    """A path that appears, one that goes."""
    before, after = Manifest(), Manifest()
    before.add("input", "old", "f:1")
    after.add("input", "new", "f:1")
    assert [str(reason) for reason in differences(before.lines, after.lines)] == [
        "input added: new",
        "input removed: old",
    ]


def test_a_result_depends_on_paths_and_states_only() -> None:
    """Not on the order in which they are given."""
    assert result_digest([("a", "1"), ("b", "2")]) == result_digest([("b", "2"), ("a", "1")])
    assert result_digest([("a", "1")]) != result_digest([("a", "2")])
