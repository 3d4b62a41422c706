"""The shopping cart, over the generated catalog and rates."""

import pytest

from bookshop.cart import Cart
from bookshop.catalog import BOOKS
from bookshop.rates import RATES

DEAREST = max(BOOKS, key=lambda isbn: BOOKS[isbn].price)


def test_goods_are_added_up() -> None:
    """Two copies cost twice as much as one."""
    cart = Cart()
    cart.add(DEAREST, copies=2)
    assert cart.goods() == 2 * BOOKS[DEAREST].price


def test_an_unknown_book_is_refused() -> None:
    """The shop sells only what is in its catalog."""
    with pytest.raises(KeyError):
        Cart().add("9780000000000")


@pytest.mark.parametrize("zone", sorted(RATES))
def test_one_book_is_not_sent_for_free(zone: str) -> None:
    """A small cart pays the rate of its zone."""
    cart = Cart()
    cart.add(DEAREST)
    assert cart.total(zone) == BOOKS[DEAREST].price + RATES[zone].price


@pytest.mark.parametrize("zone", sorted(RATES))
def test_a_large_cart_is_sent_for_free(zone: str) -> None:
    """From the limit of its zone on, sending costs nothing."""
    cart = Cart()
    cart.add(DEAREST, copies=1 + RATES[zone].free_from // BOOKS[DEAREST].price)
    assert cart.shipping(zone) == 0
