"""Thirteen-digit ISBNs."""


def is_valid(isbn: str) -> bool:
    """Whether these are thirteen digits of which the last is the right check digit."""
    if len(isbn) != 13 or not (isbn.isascii() and isbn.isdigit()):
        return False
    digits = [int(digit) for digit in isbn]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0
