"""Which paragraph is which after an edit."""

from __future__ import annotations

import time

import pytest

from wsbuild.planning.specs.matching import Known, match
from wsbuild.planning.specs.paragraphs import likeness, packed, sketch, unpacked

LONG = {
    "cart": "A cart holds at most a hundred lines, and each of them names an article and how many of it.",
    "price": "Prices are in cents and never change once an order was placed, whatever the catalog says.",
    "stock": "What is not in stock may be ordered, and is sent as soon as the warehouse has received it.",
    "mail": "Customers get a message for each state that their order comes to, in their own language.",
}


def known(*texts: str) -> list[Known]:
    """Paragraphs of a text; the mfid can be any word that equal texts share."""
    return [Known(text, sketch(text)) for text in texts]


def names(*places: int | None) -> list[int | None]:
    """What is expected: for each new place the earlier one."""
    return list(places)


A, B, C, D = LONG.values()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([A, B, C], [A, B, C], names(0, 1, 2)),
        ([A, B, C], [A, D, B, C], names(0, None, 1, 2)),
        ([A, B, C], [D, A, B, C], names(None, 0, 1, 2)),
        ([A, B, C], [A, C], names(0, 2)),
        ([A, B, C], [C, A, B], names(2, 0, 1)),
        ([A, B, C], [A, B.replace("cents", "euros"), C], names(0, 1, 2)),
        ([A, B, C], [A, D, B.replace("cents", "euros"), C], names(0, None, 1, 2)),
        ([A, B, C], [A, B.replace("cents", "euros"), D, C], names(0, 1, None, 2)),
        ([A, B, C], [B.replace("cents", "euros"), C, A], names(1, 2, 0)),
        ([A, B, C], [A, "Nothing of it.", C], names(0, 1, 2)),
        ([A, B, C], [A, "Nothing of it.", "Nor of that.", C], names(0, None, None, 2)),
        ([A, B, C], [A, B[:30], B[30:], C], names(0, None, 1, 2)),
        ([A, B, C], [A, B[:70], B[70:], C], names(0, 1, None, 2)),
        ([A, B + C, D], [A, B[:60], "-", B[60:] + C, D], names(0, None, None, 1, 2)),
        ([A, B, C[:40], D], [A, f"{B}\n{C[:40]}", D], names(0, 1, 3)),
        ([A, "---", B, "---", C], [A, "---", D, "---", B, "---", C], names(0, 1, None, None, 2, 3, 4)),
        ([A, "---", B, "---", C], [B, "---", C], names(2, 3, 4)),
        (["x", "-", A, "-", B, "-", C, "y"], ["v", "-", B, "-", C, "w"], names(None, 3, 4, 5, 6, 7)),
        (["x", "x", "x"], ["x", "x"], names(0, 1)),
        ([], [A], names(None)),
        ([A], [], names()),
    ],
)
def test_edits(old: list[str], new: list[str], expected: list[int | None]) -> None:
    """Insert, delete, move, change, write anew, split and join; what was repeated goes with its neighbors."""
    assert match(known(*old), known(*new)) == expected


def test_a_copy_that_was_changed_does_not_take_the_id() -> None:
    """Of two that are like an earlier paragraph the one at its place is it, even if it is less like."""
    near, far = B.replace("once an order was placed", "after that"), B.replace("cents", "euros")
    assert likeness(sketch(B), sketch(near)) < likeness(sketch(B), sketch(far))
    assert match(known(A, B, C), known(A, near, C, far)) == [0, 1, 2, None]


def test_what_was_moved_and_changed_goes_before_what_stands_in_its_place() -> None:
    """As long as that is another text."""
    assert match(known(A, B, C), known(A, D, C, B.replace("cents", "euros"))) == [0, None, 2, 1]


def test_without_sketches() -> None:
    """As earlier tools have written sidecars: what was changed is known by its place, and no more is."""
    old = [Known("a", ()), Known("b", ()), Known("c", ())]
    new = [Known(word, sketch(word)) for word in ("a", "changed", "new", "c")]
    assert match(old, new) == [0, 1, None, 2]
    assert match([Known("", ()), Known("", ())], new[:2]) == [0, 1]


@pytest.mark.parametrize("copies", [20_000])
def test_long_texts(copies: int) -> None:
    """Are matched in seconds: of equal paragraphs, and of such that have much in common."""
    begun = time.monotonic()
    same = known("same") * copies
    assert match(same, same[:-1]) == list(range(copies - 1))
    many = [f"The article {number} costs {number * 7} cents." for number in range(2_000)]
    found = match(known(*many), known(*(text.replace("costs", "is") for text in many)))
    assert None not in found
    assert time.monotonic() - begun < 20


def test_sketches() -> None:
    """Tell what share of their pieces texts have in common; case and blanks do not count."""
    assert sketch("A  text\nof words") == sketch("a text of WORDS")
    assert likeness(sketch(A), sketch(A)) == 1
    assert likeness(sketch(A), sketch(B)) < 0.1
    assert likeness(sketch(""), sketch("")) == 1
    whole = " ".join(LONG.values())
    assert abs(likeness(sketch(whole), sketch(whole[: len(whole) // 2])) - 0.5) < 0.25
    assert unpacked(packed(sketch(A))) == sketch(A)
    assert unpacked("no base64!") == ()
