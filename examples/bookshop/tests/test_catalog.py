"""The generated catalog."""

from bookshop.catalog import BOOKS
from bookshop.isbn import is_valid


def test_every_isbn_is_valid() -> None:
    """A typing error in the data shows in the check digit."""
    assert [isbn for isbn in BOOKS if not is_valid(isbn)] == []


def test_a_wrong_digit_is_noticed() -> None:
    """No single digit can be changed without breaking the check digit."""
    assert not is_valid("9780141439519")


def test_every_book_has_a_price() -> None:
    """Nothing is given away."""
    assert [book.title for book in BOOKS.values() if book.price <= 0] == []
