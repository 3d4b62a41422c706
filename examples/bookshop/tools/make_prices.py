"""catalog/books.csv -> site/prices.md"""

from data import euros, read, write


def main() -> None:
    """Write the price list, the cheapest book first."""
    rows = sorted(read("catalog/books.csv"), key=lambda row: int(row["price_cents"]))
    text = "# Prices\n\n| book | price |\n|---|--:|\n"
    text += "".join(
        f"| {row['title']} | {euros(row['price_cents'])} |\n" for row in rows
    )
    write("site/prices.md", text)


if __name__ == "__main__":
    main()
