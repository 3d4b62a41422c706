"""Facts that are remembered, and change while somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from wsbuild.actions.facts import Facts


class Source:
    """Facts somewhere else; `meanwhile` is done once, after they were read and before they are told."""

    def __init__(self, **facts: str) -> None:
        self.facts = facts
        self.asked: list[list[str]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.known: Facts[str] = Facts(self.fetch, "none")

    def fetch(self, names: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(list(names))
        found = {name: self.facts[name] for name in names if name in self.facts}
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return found


def test_what_is_wanted_is_fetched_in_one_go_and_once() -> None:
    """The second question asks nobody."""
    source = Source(a="1", b="2")
    source.known.want(["a", "b", "c"])
    assert source.known.get("b") == "2"
    assert source.known.get_many(["a", "c"]) == {"a": "1", "c": "none"}
    assert source.asked == [["a", "b", "c"]]
    assert source.known.get("d") == "none"
    assert source.asked[1:] == [["d"]]


def test_what_changed_is_fetched_again() -> None:
    """One of them, or all."""
    source = Source(a="1", b="2")
    source.known.get_many(["a", "b"])
    source.facts["a"] = "3"
    source.known.drop("a")
    assert source.known.get_many(["a", "b"]) == {"a": "3", "b": "2"}
    assert source.asked[1:] == [["a"]]
    source.facts["b"] = "4"
    source.known.drop_all()
    assert source.known.get("b") == "4"
    source.known.put("b", "5")
    assert source.known.get("b") == "5"


def test_what_is_told_counts_though_it_was_to_be_fetched() -> None:
    """It may not be written down yet where facts are fetched from."""
    source = Source(a="1", b="2")
    assert source.known.get("a") == "1"
    source.known.drop("a")
    source.known.put("a", "new")
    assert source.known.get("b") == "2"
    assert source.known.get("a") == "new"
    assert source.asked == [["a"], ["b"]]


def test_all_that_was_known_is_fetched_again_in_one_go() -> None:
    """Whatever of it is asked for first."""
    source = Source(a="1", b="2")
    source.known.get_many(["a", "b"])
    source.known.drop_all()
    assert source.known.get("b") == "2"
    assert source.known.get("a") == "1"
    assert [sorted(names) for names in source.asked] == [["a", "b"], ["a", "b"]]


def put(source: Source) -> None:
    """The fact changes, and what it is now is said."""
    source.facts["a"] = "new"
    source.known.put("a", "new")


def drop(source: Source) -> None:
    """The fact changes, and that it did is said."""
    source.facts["a"] = "new"
    source.known.drop("a")


def drop_all(source: Source) -> None:
    """Something changes."""
    source.facts["a"] = "new"
    source.known.drop_all()


def put_and_drop(source: Source) -> None:
    """It changes twice."""
    source.known.put("a", "between")
    drop(source)


@pytest.mark.parametrize("change", [put, drop, drop_all, put_and_drop])
@pytest.mark.parametrize("asked", ["a", "b"])
def test_a_fact_that_changes_while_it_is_fetched_is_not_remembered_as_it_was(
    change: Callable[[Source], None], asked: str
) -> None:
    """Whoever asks after the change must be told the new one: a dependent would start from the old."""
    source = Source(a="old", b="2")
    source.known.want(["a", "b"])
    source.meanwhile = lambda: change(source)
    source.known.get(asked)
    assert source.known.get("a") == "new"
    assert source.known.get("b") == "2"


def test_what_does_not_change_while_it_is_fetched_is_remembered() -> None:
    """A change of one costs the others nothing."""
    source = Source(a="old", b="2", c="3")
    source.known.want(["a", "b", "c"])
    source.meanwhile = lambda: drop(source)
    source.known.get("b")
    assert source.known.get_many(["b", "c"]) == {"b": "2", "c": "3"}
    assert source.asked == [["a", "b", "c"]]


def test_a_question_in_the_middle_of_another_is_answered() -> None:
    """Nobody waits for a fetch that is under way: its end may depend on this answer."""
    source = Source(a="1", b="2")
    answers: list[str] = []
    source.meanwhile = lambda: answers.append(source.known.get("b"))
    assert source.known.get("a") == "1"
    assert answers == ["2"]


def test_one_goes_on_from_another() -> None:
    """What was wanted always; what was known only if it still holds."""
    first, second, third = Source(a="1", b="2"), Source(a="new", b="new"), Source(a="new", b="new")
    first.known.want(["a", "b"])
    first.known.get("a")
    second.known.take_over(first.known, known=True)
    assert second.known.get("a") == "1"
    assert second.asked == []
    third.known.take_over(first.known, known=False)
    assert third.known.get("a") == "new"
    assert third.asked == [["a", "b"]]
