"""catalog/shipping.csv -> bookshop/rates.py"""

from data import literal, read, write

HEAD = '''\
"""What it costs to send, by zone. Made by tools/make_rates.py from catalog/shipping.csv."""

from bookshop.records import Rate

RATES = {
'''


def main() -> None:
    """Write the module."""
    rates = [
        f"    {literal(row['zone'])}: "
        f"Rate(price={int(row['cents'])}, free_from={int(row['free_from_cents'])}),\n"
        for row in read("catalog/shipping.csv")
    ]
    write("bookshop/rates.py", HEAD + "".join(rates) + "}\n")


if __name__ == "__main__":
    main()
