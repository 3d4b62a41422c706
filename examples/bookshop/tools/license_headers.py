"""Puts the license line on top of source files; with --check, says where it is missing."""

import sys
from pathlib import Path

LINE = "# SPDX-License-Identifier: MIT\n"


def main(arguments: list[str]) -> int:
    """Add the line where it is missing, or (--check) exit with 1 when it is."""
    check = "--check" in arguments
    missing = []
    for path in map(Path, (word for word in arguments if word != "--check")):
        text = path.read_text(encoding="utf-8")
        if not text.startswith(LINE):
            missing.append(path)
            if not check:
                path.write_text(LINE + text, encoding="utf-8")
    for path in missing:
        print(f"{path}: {'no license line' if check else 'license line added'}")
    return 1 if check and missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
