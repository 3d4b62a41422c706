"""catalog/books.csv -> site/authors.md"""

from itertools import groupby

from data import read, write


def main() -> None:
    """List the authors, each with the titles."""
    rows = sorted(read("catalog/books.csv"), key=lambda row: row["author"])
    text = "# Authors\n"
    for author, books in groupby(rows, key=lambda row: row["author"]):
        text += f"\n## {author}\n\n"
        text += "".join(f"- {book['title']} ({book['year']})\n" for book in books)
    write("site/authors.md", text)


if __name__ == "__main__":
    main()
