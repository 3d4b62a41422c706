"""What the tools share: reading the shop's data, and writing what is made of it."""

import csv
import json
from pathlib import Path


def read(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file, sorted, so that their order in the file does not matter."""
    with open(path, encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: list(row.values()))


def write(path: str, text: str) -> None:
    """Write a file, making its directory."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def literal(text: str) -> str:
    """A Python string, in the quotes that the formatter prefers."""
    return repr(text) if '"' in text else json.dumps(text, ensure_ascii=False)


def euros(cents: str) -> str:
    """An amount for people."""
    return f"{int(cents) / 100:.2f} €"
