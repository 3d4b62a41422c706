"""The two kinds of records that the generated modules hold. Amounts are in cents."""

from typing import NamedTuple


class Book(NamedTuple):
    """A book in the catalog."""

    title: str
    author: str
    year: int
    price: int


class Rate(NamedTuple):
    """What it costs to send a cart to a zone; nothing from `free_from` on."""

    price: int
    free_from: int
