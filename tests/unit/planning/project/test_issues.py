"""The task list of an epic's issue, and marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbuild.planning.project.issues import mark, marked, marks, ticked

TASKS = [(3, "Three", True), (12, "Twelve", False)]


def test_a_list_that_somebody_wrote_is_ticked() -> None:
    """Where it names the issue, by number or address; not one that begins with the same digits."""
    link = "https://github.com/o/r/issues/12"
    lines = (
        "# Epic",
        "- [ ] #3 - Three (parallel)",
        f"* [x] see {link}",
        "- [ ] #31 like #3",
        "#3",
        "",
    )
    body = "\r\n".join(lines)
    done = ticked(body, TASKS)
    assert done == body.replace("[ ] #3 ", "[x] #3 ").replace("[x] see", "[ ] see")
    assert ticked(done, TASKS) == done


def test_what_is_missing_goes_into_a_list_of_its_own() -> None:
    """Behind all else, and later into the same list; what is around it stays."""
    first = ticked("Words.", TASKS[:1])
    assert first == f"Words.\n\n{mark('tasks')}\n- [x] #3 Three\n"
    second = ticked(first + "\nMore words.\n", TASKS)
    assert second == f"Words.\n\n{mark('tasks')}\n- [x] #3 Three\n- [ ] #12 Twelve\n\nMore words.\n"
    assert ticked(second, TASKS) == second
    assert ticked(second, [(3, "Three", False), (12, "T", True)]).count("- [x] #12 Twelve") == 1


@pytest.mark.parametrize("title", ["a\nb", "- [ ] #12 x", "<!-- wsbuild:tasks -->", ""])
def test_titles_of_all_sorts(title: str) -> None:
    """Ticking twice is ticking once."""
    body = ticked("x\n", [(3, title, True), (12, "Twelve", False)])
    assert ticked(body, [(3, title, True), (12, "Twelve", False)]) == body


@given(st.text(max_size=60), st.booleans(), st.booleans())
def test_ticking_again_changes_nothing(body: str, one: bool, two: bool) -> None:
    """Whatever the body is; and what was there is there."""
    tasks = [(1, "One", one), (2, "Two", two)]
    once = ticked(body, tasks)
    assert ticked(once, tasks) == once
    assert once.startswith(body.rstrip()[:1])


@given(st.text(max_size=40), st.text(max_size=40))
def test_marks_are_found_and_never_made_up(text: str, name: str) -> None:
    """Whatever a name has in it, it does not end its mark, and no other name has the same."""
    note = mark("issue", name)
    assert note in marks(marked(text, note))
    assert note.count("-->") == 1
    assert mark("issue", name + "x") not in marks(marked(text, note))
