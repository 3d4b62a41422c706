"""bookshop/ and site/ -> dist/bookshop.zip, the same bytes for the same files"""

import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip file can hold


def main() -> None:
    """Pack all sources and pages, sorted, without their times."""
    files = [*Path("bookshop").rglob("*.py"), *Path("site").rglob("*.md")]
    Path("dist").mkdir(exist_ok=True)
    with zipfile.ZipFile("dist/bookshop.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path.as_posix(), EPOCH)
            archive.writestr(info, path.read_bytes())
    print(f"{len(files)} files packed")


if __name__ == "__main__":
    main()
