"""catalog/books.csv -> bookshop/catalog.py"""

from data import literal, read, write

HEAD = '''\
"""The books of the shop, by ISBN. Made by tools/make_catalog.py from catalog/books.csv."""

from bookshop.records import Book

BOOKS = {
'''

BOOK = """\
    {isbn}: Book(
        title={title},
        author={author},
        year={year},
        price={price},
    ),
"""


def main() -> None:
    """Write the module."""
    books = [
        BOOK.format(
            isbn=literal(row["isbn"]),
            title=literal(row["title"]),
            author=literal(row["author"]),
            year=int(row["year"]),
            price=int(row["price_cents"]),
        )
        for row in read("catalog/books.csv")
    ]
    write("bookshop/catalog.py", HEAD + "".join(books) + "}\n")


if __name__ == "__main__":
    main()
