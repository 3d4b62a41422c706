"""The shopping cart. Amounts are in cents."""

from collections import Counter

from bookshop.catalog import BOOKS
from bookshop.rates import RATES


class Cart:
    """Books, by ISBN, and how many of each."""

    def __init__(self) -> None:
        self._copies: Counter[str] = Counter()

    def add(self, isbn: str, copies: int = 1) -> None:
        """Put copies of a book in. Raises KeyError when the shop does not have the book."""
        if isbn not in BOOKS:
            raise KeyError(isbn)
        self._copies[isbn] += copies

    def goods(self) -> int:
        """What the books cost."""
        return sum(BOOKS[isbn].price * copies for isbn, copies in self._copies.items())

    def shipping(self, zone: str) -> int:
        """What it costs to send them. Raises KeyError when the shop does not send there."""
        rate = RATES[zone]
        return 0 if self.goods() >= rate.free_from else rate.price

    def total(self, zone: str) -> int:
        """What there is to pay."""
        return self.goods() + self.shipping(zone)
