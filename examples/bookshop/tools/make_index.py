"""The pages below site/ -> site/index.md"""

from pathlib import Path

from data import write


def main() -> None:
    """Link every page of a book by its title, and the list of authors."""
    text = "# The bookshop\n\n"
    for page in sorted(Path("site/books").glob("*.md")):
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        text += f"- [{title}](books/{page.name})\n"
    write("site/index.md", text + "\nSee also the [authors](authors.md).\n")


if __name__ == "__main__":
    main()
