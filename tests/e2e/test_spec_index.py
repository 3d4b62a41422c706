"""`wsbuild spec index`, `resolve` and `guard` over real files: what survives, is told, and is refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from space import Space

SCHEMA = Path(__file__).parents[2] / "schema"
PAGE = """\
# The cart

A cart holds at most a hundred lines, and each of them names an article.

## Prices

Prices are in cents and never change once an order was placed.

```python
def total(cart):

    return sum(line.price for line in cart)
```

## Mail

Customers get a message for each state that their order comes to.
"""
CART = "specs/shop/cart.md"
SIDECAR = f"{CART}.sidecar.yaml"
SUITE = "docs/.index/suite-index.yaml"
INDEX = "docs/index.json"


@pytest.fixture
def shop(space: Space) -> Space:
    """A project with one page that has been indexed."""
    space.write(CART, PAGE)
    space.wsbuild("spec", "index")
    return space


def ids(space: Space, page: str = CART) -> dict[str, str]:
    """The id of each paragraph, by the first line of its text."""
    data = yaml.safe_load(space.read(f"{page}.sidecar.yaml"))
    lines = space.read(page).split("\n")
    return {lines[one["start_line"] - 1]: one["id"] for one in data["paragraphs"]}


def edit(space: Space, old: str, new: str, page: str = CART) -> None:
    """Exchange a text that is there once."""
    text = space.read(page)
    assert text.count(old) == 1
    space.write(page, text.replace(old, new))


def bytes_of(space: Space) -> dict[str, bytes]:
    """Every file of the project."""
    return {str(p): p.read_bytes() for p in space.root.rglob("*") if p.is_file()}


def codes(space: Space, *words: str, code: int = 1) -> list[tuple[str, str]]:
    """What the guard finds: file and code of each problem."""
    told = space.wsbuild("spec", "guard", *words, "--json", code=code).json
    return [(one["file"], one["code"]) for one in told["problems"]]


def test_what_is_written(shop: Space) -> None:
    """Is as the schemas have it, and the guard finds nothing; indexing again changes no byte."""
    sidecar = yaml.safe_load(shop.read(SIDECAR))
    for name, data in (("spec_sidecar", sidecar), ("spec_suite", yaml.safe_load(shop.read(SUITE)))):
        schema = json.loads((SCHEMA / f"{name}.schema.json").read_text())
        Draft202012Validator.check_schema(schema)
        assert not list(Draft202012Validator(schema).iter_errors(data))
    assert sidecar["document_id"] == "specs/shop/cart"
    assert (sidecar["title"], sidecar["file"]) == ("The cart", CART)
    assert [(one["anchor"], one["start_line"], one["end_line"]) for one in sidecar["paragraphs"]] == [
        ("p-1", 1, 1),
        ("p-2", 3, 3),
        ("p-3", 5, 5),
        ("p-4", 7, 7),
        ("p-5", 9, 13),
        ("p-6", 15, 15),
        ("p-7", 17, 17),
    ]
    assert json.loads(shop.read(INDEX))["documents"][0]["paragraphs"] == sidecar["paragraphs"]
    before = bytes_of(shop)
    assert "all up to date" in shop.wsbuild("spec", "index").out
    shop.wsbuild("spec", "index", "--check")
    assert shop.wsbuild("spec", "guard").out == "1 page, no problems\n"
    assert bytes_of(shop) == before


def test_ids_survive_edits(shop: Space) -> None:
    """Around a paragraph, of it, and when it is moved; only what is new has a new one."""
    before = ids(shop)
    edit(shop, "# The cart\n", "# The cart\n\nA new paragraph.\n")
    edit(shop, "never change", "do not change")
    edit(shop, "    return sum", "    # all lines\n\n    return sum")
    text = shop.read(CART)
    mail = text[text.index("## Mail") :]
    shop.write(CART, text.replace(mail, "").replace("## Prices", f"{mail}\n## Prices"))
    assert shop.wsbuild("spec", "index").out.endswith("1 page, 8 paragraphs, 1 with a new id\n")
    after = ids(shop)
    assert after.pop("A new paragraph.") not in before.values()
    changed = "Prices are in cents and never change once an order was placed."
    assert after.pop(changed.replace("never", "do not")) == before.pop(changed)
    assert after == before
    shop.wsbuild("spec", "guard")


def test_the_same_input_makes_the_same_bytes(space: Space, tmp_path: Path) -> None:
    """In another place, time zone and order of hashes."""
    made = []
    for number, (zone, seed) in enumerate([("UTC", "1"), ("Asia/Tokyo", "2"), ("America/Lima", "3")]):
        other = Space(tmp_path / f"copy{number}")
        other.env |= {"TZ": zone, "PYTHONHASHSEED": seed}
        for page in (CART, "specs/other/cart.md", "specs/shop/a/b.md"):
            other.write(page, PAGE + "\n---\n\nsame\n\n---\n\nsame\n")
        other.wsbuild("spec", "index")
        edit(other, "never", "not", CART)
        other.wsbuild("spec", "index")
        files = bytes_of(other)
        made.append({os.path.relpath(path, other.root): data for path, data in files.items()})
    assert made[0] == made[1] == made[2]
    assert sum(path.endswith(".sidecar.yaml") for path in made[0]) == 3


def test_check_writes_nothing(space: Space) -> None:
    """And exits 1 where something would be written."""
    space.write(CART, PAGE)
    before = bytes_of(space)
    done = space.wsbuild("spec", "index", "--check", code=1)
    assert f"would be new: {SIDECAR}" in done.out
    told = space.wsbuild("spec", "index", "--check", "--json", code=1).json
    assert {one["path"] for one in told["changes"]} == {SIDECAR, SUITE, INDEX}
    assert space.wsbuild("spec", "guard", code=1).out == "1 page, 3 problems\n"
    assert bytes_of(space) == before


def test_directories_of_the_same_name_stay_apart(space: Space) -> None:
    """As volumes, and in the ids of equal pages."""
    for directory in ("specs/a/api", "specs/b/api"):
        space.write(f"{directory}/page.md", PAGE)
    space.wsbuild("spec", "index")
    volumes = yaml.safe_load(space.read(SUITE))["suite"]["volumes"]
    assert [(one["key"], one["title"]) for one in volumes] == [("specs/a/api", "api"), ("specs/b/api", "api")]
    first, second = (ids(space, f"specs/{name}/api/page.md") for name in "ab")
    assert set(first.values()).isdisjoint(second.values())
    said = space.wsbuild("spec", "resolve", "spec://api/page", code=2).err
    assert "is more than one page" in said
    assert "write specs/a/api/page or specs/b/api/page" in said
    assert space.wsbuild("spec", "resolve", "spec://b/api/page#p-1").out.startswith(
        "specs/b/api/page.md:1-1\n"
    )
    space.wsbuild("spec", "guard")


def test_resolve(shop: Space) -> None:
    """By place and by id, and after an edit that nobody has indexed."""
    told = shop.wsbuild("spec", "resolve", "spec://specs/shop/cart#p-5").out
    assert told.startswith(f"{CART}:9-13\n```python\ndef total(cart):\n\n    return")
    price = ids(shop)["## Prices"]
    found = shop.wsbuild("spec", "resolve", f"specid://{price}", "--json").json
    assert (found["type"], found["anchor"], found["start_line"], found["stale"]) == (
        "paragraph",
        "p-3",
        5,
        False,
    )
    edit(shop, "# The cart\n", "# The cart\n\nA new paragraph.\n\nAnd another.\n")
    before = bytes_of(shop)
    done = shop.wsbuild("spec", "resolve", f"specid://{price}")
    assert done.out == f"{CART}:9-9\n## Prices\n"
    assert "has changed since it was indexed" in done.err
    section = shop.wsbuild("spec", "resolve", "specid://specs/shop/cart", "--json").json
    assert (section["type"], section["start_line"], section["end_line"]) == ("section", 1, 21)
    assert section["stale"]
    assert bytes_of(shop) == before


def test_references_that_lead_nowhere(shop: Space) -> None:
    """Say what was meant, or what there is."""
    price = ids(shop)["## Prices"]
    typo = price[:-1] + ("0" if price[-1] != "0" else "1")
    for reference, told in {
        "spec://shop/card": "did you mean shop/cart",
        "spec://specs/shop/cart#p-8": "it has p-1 to p-7",
        "spec://shop/cart#p-0": "it has p-1 to p-7",
        "spec://shop/cart#prices": "it has p-1 to p-7",
        f"specid://{typo}": f"did you mean {price}",
        "specid://": "is the id of nothing",
        "spec://": "is no page",
        "https://example.org": "is no reference",
        "spec://../../etc/passwd": "is no page",
    }.items():
        assert told in shop.wsbuild("spec", "resolve", reference, code=2).err, reference
    edit(shop, "## Prices\n\n", "")
    said = shop.wsbuild("spec", "resolve", f"specid://{price}", code=2).err
    assert "was a paragraph of specs/shop/cart.md, which is gone" in said
    assert "it was on lines 5 to 5" in said


def test_odd_names(space: Space) -> None:
    """Are percent-encoded in references."""
    space.write("specs/a b/100% #1.md", PAGE)
    space.wsbuild("spec", "index")
    found = space.wsbuild("spec", "resolve", "spec://a%20b/100%25%20%231#p-1", "--json").json
    assert found["file"] == "specs/a b/100% #1.md"
    space.wsbuild("spec", "guard")


def test_what_is_the_users_stays(shop: Space) -> None:
    """In a sidecar; frontmatter goes before it where it fits, and is told where it does not."""
    data = yaml.safe_load(shop.read(SIDECAR))
    data |= {"version": "2.1.0", "tags": ["shop"], "owner": {"team": "checkout"}, "checksum": data["mfid"]}
    shop.write(SIDECAR, yaml.safe_dump(data))
    before = bytes_of(shop)
    assert "all up to date" in shop.wsbuild("spec", "index").out
    assert bytes_of(shop) == before
    shop.write(CART, f"---\nstatus: review\nversion: new\ntitle: Carts\n---\n{PAGE}")
    assert "'new' does not have the right form" in shop.wsbuild("spec", "index").err
    after = yaml.safe_load(shop.read(SIDECAR))
    assert (after["version"], after["tags"], after["owner"]) == ("2.1.0", ["shop"], {"team": "checkout"})
    assert (after["status"], after["title"], after["checksum"]) == ("review", "Carts", after["mfid"])
    assert [one["id"] for one in after["paragraphs"]] == [one["id"] for one in data["paragraphs"]]


def test_sidecars_of_earlier_tools(space: Space) -> None:
    """Are read, and their ids stay whatever they look like."""
    space.write(CART, PAGE)
    blocks = PAGE.rstrip("\n").split("\n\n")  # by blank lines: fenced code in two
    own = [f"01HZZZZZZZZZZZZZZZZZZZZZ{number:02}" for number in range(len(blocks) - 1)] + ["123456"]
    rows = [
        {"anchor": f"p-{at}", "start_line": at, "end_line": at, "mfid": "0" * 64, "id": own_id}
        for at, own_id in enumerate(own, 1)
    ]
    data = {
        "document_id": "shop/cart",
        "title": "x",
        "version": "0.3.0",
        "category": "guide",
        "authors": ["A"],
    }
    data |= {
        "last_updated": "2025-11-05T10:00:00Z",
        "file": "old/cart.md",
        "mfid": "1" * 64,
        "paragraphs": rows,
    }
    space.write(SIDECAR, yaml.safe_dump(data))
    space.write(SUITE, "suite: {title: Mine, version: '7', volumes: [{key: 1, title: x, sections: []}]}\n")
    space.write(INDEX, '{"missing_sidecars": [], "orphan_sidecars": []}\n')
    assert space.wsbuild("spec", "guard", code=1).err
    space.wsbuild("spec", "index")
    after = yaml.safe_load(space.read(SIDECAR))
    assert [one["id"] for one in after["paragraphs"]] == own[:7]
    assert (after["document_id"], after["version"], after["authors"]) == ("shop/cart", "0.3.0", ["A"])
    assert yaml.safe_load(space.read(SUITE))["suite"]["title"] == "Mine"
    space.wsbuild("spec", "guard")


def test_a_page_that_was_moved(shop: Space) -> None:
    """Keeps its ids with its sidecar or without; a copy has ids of its own."""
    before = ids(shop)
    (shop.root / CART).rename(shop.root / "specs/shop/basket.md")
    edit(shop, "never change", "do not change", "specs/shop/basket.md")
    done = shop.wsbuild("spec", "index")
    assert f"removed: {SIDECAR}" in done.out
    assert f"has the ids of {CART}" in done.err
    assert sorted(ids(shop, "specs/shop/basket.md").values()) == sorted(before.values())
    shop.wsbuild("spec", "guard")
    shutil.copytree(shop.root / "specs/shop", shop.root / "specs/store")
    done = shop.wsbuild("spec", "index")
    assert "it has another now" in done.err
    assert sorted(ids(shop, "specs/shop/basket.md").values()) == sorted(before.values())
    assert set(ids(shop, "specs/store/basket.md").values()).isdisjoint(before.values())
    shop.wsbuild("spec", "guard")
    shutil.rmtree(shop.root / "specs/store")
    shutil.move(shop.root / "specs/shop", shop.root / "specs/mall")
    shop.wsbuild("spec", "index")
    assert sorted(ids(shop, "specs/mall/basket.md").values()) == sorted(before.values())
    shop.wsbuild("spec", "guard")


def test_a_page_that_was_deleted(shop: Space) -> None:
    """Leaves its sidecar, which is told by both; nothing is removed for what is not there any more."""
    (shop.root / CART).unlink()
    shop.write("specs/shop/other.md", "# Another\n\nOf something else.\n")
    assert f"{SIDECAR}: has lost its page [orphan]" in shop.wsbuild("spec", "index").err
    assert json.loads(shop.read(INDEX))["orphan_sidecars"] == [SIDECAR]
    assert codes(shop) == [(SIDECAR, "orphan")]
    shop.write(CART, PAGE)
    shop.wsbuild("spec", "index")
    shop.wsbuild("spec", "guard")


def tampered(shop: Space, change: Any, path: str = SIDECAR) -> None:
    """Write a file of YAML anew, with what a function makes of its data."""
    data = yaml.safe_load(shop.read(path))
    change(data)
    shop.write(path, yaml.safe_dump(data, sort_keys=False))


DRIFT: dict[str, tuple[str, Any]] = {
    "range": (SIDECAR, lambda data: data["paragraphs"][2].update(end_line=6)),
    "paragraph-drift": (SIDECAR, lambda data: data["paragraphs"][2].update(mfid="0" * 64)),
    "anchor": (SIDECAR, lambda data: data["paragraphs"][2].update(anchor="p-9")),
    "duplicate-id": (
        SIDECAR,
        lambda data: data["paragraphs"][2].update(id=data["paragraphs"][0]["id"]),
    ),
    "count": (SIDECAR, lambda data: data["paragraphs"].pop()),
    "wrong-file": (SIDECAR, lambda data: data.update(file="specs/shop/card.md")),
    "file-drift": (SIDECAR, lambda data: data.update(mfid="0" * 64)),
    "missing-field": (SIDECAR, lambda data: data.pop("authors")),
    "bad-value": (SIDECAR, lambda data: data["paragraphs"][2].update(mfid="x")),
    "index-drift": (SUITE, lambda data: data["suite"]["volumes"][0]["sections"][0].update(mfid="0" * 64)),
    "duplicate-key": (
        SUITE,
        lambda data: data["suite"]["volumes"].append({**data["suite"]["volumes"][0], "sections": []}),
    ),
}


@pytest.mark.parametrize("code", sorted(DRIFT))
def test_drift(shop: Space, code: str) -> None:
    """Is found with file and line, and mended by indexing; the ids stay, but for one that was double."""
    before = ids(shop)
    path, change = DRIFT[code]
    tampered(shop, change, path)
    told = shop.wsbuild("spec", "guard", "--json", code=1).json["problems"]
    assert (path if code != "file-drift" else CART, code) in {(one["file"], one["code"]) for one in told}
    assert all(one["hint"] for one in told)
    assert all(one["line"] > 0 for one in told if one["code"] == code != "file-drift")
    shop.wsbuild("spec", "index", "--check", code=1)
    shop.wsbuild("spec", "index")
    shop.wsbuild("spec", "guard")
    lost = {"count": {list(before)[-1]}, "duplicate-id": {"## Prices"}}.get(code, set())
    assert {line for line, own_id in ids(shop).items() if before[line] != own_id} <= lost


def test_drift_of_the_index(shop: Space) -> None:
    """Of ids, when it is gone or says something else."""
    shop.write(INDEX, shop.read(INDEX).replace('"start_line": 5', '"start_line": 4'))
    assert codes(shop) == [(INDEX, "index-drift")]
    (shop.root / INDEX).unlink()
    (shop.root / SUITE).unlink()
    assert codes(shop) == [(SUITE, "no-index"), (INDEX, "no-index")]


def test_drift_of_a_page(shop: Space) -> None:
    """Names the paragraphs that are another text."""
    edit(shop, "never change", "do not change")
    assert codes(shop) == [(CART, "file-drift"), (CART, "paragraph-drift")]
    [_, paragraph] = shop.wsbuild("spec", "guard", "--json", code=1).json["problems"]
    assert (paragraph["line"], paragraph["message"][:3]) == (7, "p-4")


def test_duplicates_across_pages(shop: Space) -> None:
    """Are found by the guard with both places."""
    shop.write("specs/shop/other.md", PAGE)
    shutil.copy(shop.root / SIDECAR, shop.root / "specs/shop/other.md.sidecar.yaml")
    told = codes(shop)
    assert told.count(("specs/shop/other.md.sidecar.yaml", "duplicate-id")) == 8
    said = shop.wsbuild("spec", "guard", code=1).err
    assert f"of the paragraph at {SIDECAR}:" in said
    own_id = ids(shop)["## Prices"]
    said = shop.wsbuild("spec", "resolve", f"specid://{own_id}", code=2).err
    assert "is in the sidecars of" in said


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "not UTF-8": (CART, b"# A\n\n\xff\n", f"{CART}:3: holds the byte 0xff"),
    "NUL": (CART, b"a\nb\0\n", f"{CART}:2: holds a NUL character"),
    "too large": (CART, b"x" * (4 * 2**20 + 1), f"{CART}: has 4194305 bytes"),
    "merge": (SIDECAR, b"a: 1\n<<<<<<< HEAD\nb: 2\n=======\n", f"{SIDECAR}:"),
    "list": (SIDECAR, b"- a\n", f"{SIDECAR}:1: must be an object"),
    "empty": (SIDECAR, b"", f"{SIDECAR}: is empty"),
    "number": (SIDECAR, b"paragraphs:\n  - id: 123456\n", f"{SIDECAR}:2 /paragraphs/0/id: must be a string"),
    "short": (SIDECAR, b"paragraphs:\n  - id: abc\n", "/paragraphs/0/id: needs 6 or more characters"),
    "note": (SIDECAR, b"paragraphs:\n  - id: abcdef\n    note: x\n", "'note' is no known field"),
    "version": (SIDECAR, b"version: one\n", "/version: 'one' does not have the right form"),
    "deep": (SIDECAR, b"[" * 1000, "is nested more than"),
    "index": (INDEX, b'{"name": "package"}', f"{INDEX}: holds something else than an index"),
    "suite": (SUITE, b"<<<<<<< HEAD\n", SUITE),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files(shop: Space, name: str) -> None:
    """Are told with their place by both; nothing is written, other pages are looked at all the same."""
    path, data, told = HOSTILE[name]
    (shop.root / path).write_bytes(data)
    shop.write("specs/bad.md", "\0")
    before = bytes_of(shop)
    for command in ("index", "guard"):
        done = shop.wsbuild("spec", command, code=2)
        assert "specs/bad.md:1: holds a NUL character" in done.err
        assert told in done.err or path in (INDEX, SUITE)
    (shop.root / "specs/bad.md").unlink()
    before = bytes_of(shop)
    for command in ("index", "guard"):
        done = shop.wsbuild("spec", command, code=2)
        assert told in done.err
        assert "Traceback" not in done.err
    assert bytes_of(shop) == before


def test_links(shop: Space, tmp_path: Path) -> None:
    """Out of the project, to nowhere, in the place of a sidecar are refused; to directories not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("# Secret\n")
    (shop.root / "specs/all").symlink_to(outside)
    shop.wsbuild("spec", "guard")
    (shop.root / "specs/out.md").symlink_to(outside / "secret.md")
    (shop.root / "specs/none.md").symlink_to("nothing.md")
    (shop.root / SIDECAR).rename(outside / "side.yaml")
    (shop.root / SIDECAR).symlink_to(outside / "side.yaml")
    for command in ("index", "guard"):
        said = shop.wsbuild("spec", command, code=2).err
        assert "specs/out.md: leads out of the project [outside]" in said
        assert "specs/none.md: cannot be read: the link leads nowhere" in said
        assert f"{SIDECAR}: " in said
    assert sorted(os.listdir(outside)) == ["secret.md", "side.yaml"]
    said = shop.wsbuild("spec", "index", "--source", str(outside), code=2).err
    assert "is not below the root of the project" in said


def test_odd_pages(space: Space) -> None:
    """Are indexed like any other."""
    pages = {
        "bom": b"\xef\xbb\xbf# Title\n\ntext\n",
        "crlf": PAGE.replace("\n", "\r\n").encode(),
        "empty": b"",
        "blank": b"\n\n  \n",
        "open": b"# A\n\n```\nopen\n\n\nmore\n",
        "comment": b"<!-- a\n\nb -->\n\n<!-- open\n\nc\n",
        "nested": b"- a\n\n\t- b\n\n\t\t- c\n\n- d\n",
        "frontmatter": b"---\ntitle: open\n\ntext\n",
        "broken": b"---\ntitle: [\n---\n\ntext\n",
        "line": b"x" * 2**20,
        "controls": b"# \x1b[31mred\x07\n",
    }
    for name, data in pages.items():
        space.write(f"specs/{name}.md", "").write_bytes(data)
    done = space.wsbuild("spec", "index")
    assert "specs/broken.md:" in done.err
    space.wsbuild("spec", "guard")
    titles = [one["title"] for one in json.loads(space.read(INDEX))["documents"]]
    assert titles == [
        "blank",
        "Title",
        "broken",
        "comment",
        "\x1b[31mred\x07",
        "The cart",
        "empty",
        "frontmatter",
        "line",
        "nested",
        "A",
    ]
    assert space.wsbuild("spec", "resolve", "spec://specs/controls#p-1").out.endswith("# \\x1b[31mred\\x07\n")
    crlf = ids(space, "specs/crlf.md")
    (space.root / "specs/crlf.md").write_bytes(PAGE.encode())
    space.wsbuild("spec", "index")
    assert list(ids(space, "specs/crlf.md").values()) == list(crlf.values())


def test_days_come_from_git(space: Space) -> None:
    """Of the last commit of the page; they move with the text only."""
    space.git("init", "-q")
    space.write(CART, PAGE)
    space.write("specs/old.md", "# Old\n")
    day = lambda page: yaml.safe_load(space.read(f"{page}.sidecar.yaml"))["last_updated"]  # noqa: E731
    space.wsbuild("spec", "index")
    assert (day(CART), day("specs/old.md")) == ("1970-01-01", "1970-01-01")
    for path in space.root.rglob("*.sidecar.yaml"):
        path.unlink()
    for stamp, path in (("2024-02-01T23:30:00-0500", "specs/old.md"), ("2024-05-06T12:00:00Z", CART)):
        space.env["GIT_COMMITTER_DATE"] = stamp
        space.git("add", path)
        space.git("commit", "-qm", path)
    space.wsbuild("spec", "index")
    assert (day("specs/old.md"), day(CART)) == ("2024-02-02", "2024-05-06")
    assert yaml.safe_load(space.read(SUITE))["suite"]["effective_date"] == "2024-05-06"
    space.write("specs/old.md", "# Old\n\nmore\n")
    space.wsbuild("spec", "index")
    assert day("specs/old.md") == "2024-05-06"
    space.env["GIT_COMMITTER_DATE"] = "2025-01-01T00:00:00Z"
    space.git("add", ".")
    space.git("commit", "-qm", "all")
    before = bytes_of(space)
    assert "all up to date" in space.wsbuild("spec", "index").out
    assert bytes_of(space).keys() == before.keys()
    assert day("specs/old.md") == "2024-05-06"


def test_sources(space: Space) -> None:
    """As options and settings say, from any directory; ignored and hidden names are left out."""
    assert "there is none of docs/source" in space.wsbuild("spec", "index", code=2).err
    assert "nowhere is not there" in space.wsbuild("spec", "index", "--source", "nowhere", code=2).err
    space.write("handbook/a.md", "# A\n")
    space.write("handbook/.hidden/b.md", "# B\n")
    space.write("handbook/node_modules/c.md", "# C\n")
    space.write("more/d.md", "# D\n")
    space.write("config/wsbuild.yaml", "spec_sources: [handbook]\n")
    assert space.wsbuild("spec", "index", "--json").json["pages"] == 1
    assert (
        space.wsbuild("spec", "index", "--source", "handbook", "--source", "more", "--json").json["pages"]
        == 2
    )
    here = {"cwd": space.root / "more"}
    words = ("--source", ".", "--output", "ids.json", "--suite-index-out", "suite.yaml")
    space.wsbuild("spec", "index", *words, **here)
    space.wsbuild("spec", "guard", *words, **here)
    assert json.loads(space.read("more/ids.json"))["documents"][0]["file"] == "more/d.md"
    for name in ("../../ids.json", "ids.yaml"):
        said = space.wsbuild("spec", "index", "--source", ".", "--output", name, code=2, **here).err
        assert "cannot be the index" in said


def test_a_directory_that_cannot_be_written(shop: Space) -> None:
    """Is told, and the pages are as they were."""
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    edit(shop, "never", "not")
    (shop.root / "specs/shop").chmod(0o500)
    try:
        assert f"{SIDECAR} cannot be written" in shop.wsbuild("spec", "index", code=3).err
    finally:
        (shop.root / "specs/shop").chmod(0o700)


def test_real_specifications(space: Space, real_bundles: Path) -> None:
    """Are indexed as they are; fenced code is one paragraph; an edit in the middle keeps all other ids."""
    source = real_bundles / "predecessor-files/openspec/specs"
    if not source.is_dir():
        pytest.skip(f"{source} is not there")
    shutil.copytree(source, space.root / "openspec/specs")
    told = space.wsbuild("spec", "index", "--json").json
    assert (told["pages"], told["paragraphs"]) == (3, 45)
    space.wsbuild("spec", "guard")
    page = "openspec/specs/validation-pipeline/spec.md"
    data = yaml.safe_load(space.read(f"{page}.sidecar.yaml"))
    lines = space.read(page).split("\n")
    fenced = [one for one in data["paragraphs"] if lines[one["start_line"] - 1] == "```"]
    assert [lines[one["end_line"] - 1] for one in fenced] == ["```"]
    before = ids(space, page)
    edit(space, "## State Flow\n", "Every state is final only when it says so.\n\n## State Flow\n", page)
    space.wsbuild("spec", "index")
    after = ids(space, page)
    after.pop("Every state is final only when it says so.")
    assert after == before
    space.wsbuild("spec", "guard")
