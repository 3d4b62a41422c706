"""`wsbuild schema`: what is printed is what ships, what is written is for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from space import Space

SHIPPED = Path(__file__).parents[2] / "schema"


def test_all_that_ship_are_there(space: Space) -> None:
    """By their names, those of outputs too; printed as they are."""
    names = [one["name"] for one in space.wsbuild("schema", "--json").json["schemas"]]
    files = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*.schema.json")}
    assert {f"{name}.schema.json" for name in names} == files | {"bundle.schema.json"}
    for name in ("workstream", "output/validate"):
        printed = space.wsbuild("schema", name).json
        assert printed == json.loads((SHIPPED / f"{name}.schema.json").read_text())
    assert all(f"\n{name} " in f"\n{space.wsbuild('schema').out}" for name in names[:3])


def test_one_or_all_are_written(space: Space) -> None:
    """To a directory that is made for them."""
    result = space.wsbuild("schema", "bundle", "--write", "a/b")
    assert result.out == "wrote   a/b/bundle.schema.json\n"
    assert [path.name for path in (space.root / "a/b").iterdir()] == ["bundle.schema.json"]
    assert space.wsbuild("schema", "--write", "a/b").out.count("wrote") == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bundel"], "did you mean 'bundle'?"),
        (["../wsbuild"], "no schema is named '../wsbuild'"),
        (["x" * 5000], "`wsbuild schema` shows which there are"),
        (["output/nothing", "--write", "a"], "no schema is named"),
        (["--write", "pyproject.toml"], "pyproject.toml cannot be written to: "),
        (["--write", "/proc/nothing"], "/proc/nothing cannot be written to: "),
    ],
)
def test_what_is_not_there(space: Space, words: list[str], said: str) -> None:
    """A schema, a place."""
    before = sorted(space.root.rglob("*"))
    assert said in space.wsbuild("schema", *words, code=2).err
    assert sorted(space.root.rglob("*")) == before
