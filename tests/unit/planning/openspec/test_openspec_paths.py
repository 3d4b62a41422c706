"""Which files a text names: never an address, never a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.paths import Finder

THERE = (
    "src/app.py",
    "src/__init__.py",
    "README.md",
    "docs/a b.md",
    "tests/test_app.py",
    "app/[slug]/page.tsx",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (*THERE, "openspec/changes/x/proposal.md", "openspec/changes/x/notes.md", "Makefile", "lib"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "away").symlink_to("/etc")
    return tmp_path


def named(root: Path, text: str) -> list[tuple[str, bool]]:
    finder = Finder(str(root), "openspec/changes/x")
    return [tuple(one) for one in finder.named(parse(text).blocks)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Change `src/app.py`.", ["src/app.py"]),
        ("Change src/app.py, and README.md.", ["src/app.py", "README.md"]),
        ("See (`src/app.py:12`) and src/app.py:3:4 and `src/app.py#L4`", ["src/app.py"]),
        ("Update [it](README.md#usage) and [that](../../../docs/a%20b.md)", ["README.md", "docs/a b.md"]),
        ("In `docs/a b.md`", ["docs/a b.md"]),
        ("All of `src` and `tests/`, and `./src/app.py`", ["src/", "tests/", "src/app.py"]),
        ("All of `src/*.py` and `**/*.md`", ["src/*.py", "**/*.md"]),
        ("In src/__init__.py and **src/app.py**", ["src/__init__.py", "src/app.py"]),
        ("On Windows `src\\app.py`", ["src/app.py"]),
        ("The page `app/[slug]/page.tsx`", ["app/[[]slug]/page.tsx"]),
        ("The Makefile and src/", ["Makefile", "src/"]),
        ("- a\n  - `src/app.py`\n    > `README.md`\n", ["src/app.py", "README.md"]),
        ("## `src/app.py`", ["src/app.py"]),
        ("word src/app.py then `README.md`", ["README.md", "src/app.py"]),
    ],
)
def test_what_is_there(root: Path, text: str, wanted: list[str]) -> None:
    """In code and links first, then in words."""
    assert named(root, text) == [(path, True) for path in wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Create `src/new.py`", ["src/new.py"]),
        ("Change src/new.py", ["src/new.py"]),
        ("Add `setup.py` and `Dockerfile`", ["setup.py", "Dockerfile"]),
        ("Put it into `src/theme/`", ["src/theme/"]),
        ("Write [docs](docs/new.md)", ["docs/new.md"]),
        ("Verify `pytest tests/test_new.py -q --out=a/b.xml` and `$ ls src/app.py`", ["tests/test_new.py"]),
        ("Verify:\n\n```sh\npytest tests/test_new.py\n```\n", ["tests/test_new.py"]),
        ("See `app/[id]/page.tsx`", ["app/[[]id]/page.tsx"]),
        ("Add .github/workflows/ci.yml", [".github/workflows/ci.yml"]),
    ],
)
def test_what_is_plainly_to_be_made(root: Path, text: str, wanted: list[str]) -> None:
    """By its directory and ending, or by words that say so."""
    assert named(root, text) == [(path, False) for path in wanted]


@pytest.mark.parametrize(
    "text",
    [
        "https://x/y.html and <https://x/src/app.py> and [l](https://x/README.md) and www.x.org/a.md",
        "`https://x/y.html` and `mailto:a@b.org` and git@x.org:a/b.git and `//x/y.html`",
        "example.com/index.html and `example.com/index.html`",
        "and/or, client/server, n/a, 1/2, `origin/main`, `@scope/pkg`, `GET /api/v2/export`",
        "`/etc/passwd`, `~/x.py`, `../other/x.py`, `C:\\x.py`, `.git/config`, `.wsbuild/x.py`, `away/passwd`",
        "`away`, [x](away/hosts), `..`, `.`, `/`, ``  ``",
        "`obj.method()`, `os.path`, `config.theme`, v1.2, e.g. it, `foo.py` is what `setup.cfg` says",
        "the lib, the src, `print(a/b.c)`, `a * b`, `x/**/*.nothing`",
        "```python\nopen('src/app.py')\n```\n\n<!-- `src/app.py` -->",
        "`openspec/changes/x/proposal.md`, [n](notes.md), openspec/changes/x/tasks.md",
        "Add `--flag.py`, `$HOME/x.py`, `-x/y.py`",
        "`src/app.py" + "x" * 5000 + "`, `src/{a,b}.py`, src/<name>/x.py, `a=b/c.py`",
    ],
)
def test_what_is_no_file_of_the_project(root: Path, text: str) -> None:
    """Addresses, attributes, words with a slash, places elsewhere, and the change itself."""
    assert named(root, text) == []
