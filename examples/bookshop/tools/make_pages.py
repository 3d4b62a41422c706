"""catalog/books.csv and templates/book.md.j2 -> site/books/<isbn>.md"""

import shutil

from data import euros, read, write
from jinja2 import Environment, FileSystemLoader, StrictUndefined


def main() -> None:
    """Write one page for each book, and none for a book that is gone."""
    loader = FileSystemLoader("templates")
    environment = Environment(
        loader=loader, undefined=StrictUndefined, keep_trailing_newline=True
    )
    template = environment.get_template("book.md.j2")
    shutil.rmtree("site/books", ignore_errors=True)
    for row in read("catalog/books.csv"):
        page = template.render(book=row, price=euros(row["price_cents"]))
        write(f"site/books/{row['isbn']}.md", page)


if __name__ == "__main__":
    main()
