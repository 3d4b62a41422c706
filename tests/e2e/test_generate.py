"""`wsbuild generate`: proposals for real trees, written as bundles that hold beside those there are."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml
from space import Space

FILE = "workstreams/generated-changes.yaml"
FILES = {
    "src/shop/__init__.py": "",
    "src/shop/cart.py": "from shop import price\n",
    "src/shop/price.py": "RATE = 1\n",
    "tests/test_cart.py": "from shop.cart import x\n",
    "web/app.ts": "import { y } from './util'\n",
    "web/util.ts": "",
    "docs/cart.md": "# Cart\n",
}


@pytest.fixture
def shop(space: Space) -> Space:
    """A small project, committed."""
    for path, text in FILES.items():
        space.write(path, text)
    space.write(".gitignore", ".wsbuild/\nstate/\n")
    space.git("init", "-q")
    space.git("add", ".")
    space.git("commit", "-qm", "one")
    return space


def propose(space: Space, *words: str, code: int = 0, **options: Any) -> dict[str, Any]:
    """A proposal, its workstreams by id."""
    told = space.wsbuild("generate", "--json", *words, code=code, **options).json
    return {**told, "by": {ws["id"]: ws for ws in told["workstreams"]}}


def paths(ws: dict[str, Any]) -> list[str]:
    """The files of a workstream."""
    return [one["path"] for one in ws["files"]]


def test_files_become_workstreams_that_are_valid(shop: Space) -> None:
    """Grouped, in order, with a reason for each; written only when it is asked for."""
    told = propose(shop, "src", "tests", "web", "docs/cart.md")
    assert (told["state"], told["written"]) == ("new", False)
    assert not (shop.root / FILE).exists()
    assert {ws_id: paths(ws) for ws_id, ws in told["by"].items()} == {
        "ws-changes-python": ["src/shop/__init__.py", "src/shop/cart.py", "src/shop/price.py"],
        "ws-changes-javascript": ["web/app.ts", "web/util.ts"],
        "ws-changes-prose-documentation": ["docs/cart.md"],
        "ws-changes-python-tests": ["tests/test_cart.py"],
    }
    after = {ws_id: [one["id"] for one in ws["after"]] for ws_id, ws in told["by"].items() if ws["after"]}
    assert after == {
        "ws-changes-python-tests": ["ws-changes-python"],
        "ws-changes-prose-documentation": ["ws-changes-python"],
    }
    assert told["by"]["ws-changes-python-tests"]["after"][0]["reasons"] == [
        "tests/test_cart.py imports src/shop/cart.py"
    ]
    assert all(ws["why"] for ws in told["workstreams"])
    shop.wsbuild("generate", "src", "tests", "web", "docs/cart.md", "--write")
    assert shop.wsbuild("validate").out == "4 workstreams, no problems\n"
    written = {ws["id"]: ws for ws in yaml.safe_load(shop.read(FILE))}
    assert [*written.values()] == told["bundles"]
    assert written["ws-changes-python-tests"]["kind"] == "test"
    assert shop.doit("list").out.count("ws:changes-") == 4


def test_text_says_why_and_after_what(shop: Space) -> None:
    """For each workstream."""
    out = shop.wsbuild("generate", "src/shop/cart.py", "tests/test_cart.py").out
    assert "  change  src/shop/cart.py\n" in out
    assert "  why: language python (Python) and directory tests (Tests, wherever they are)\n" in out
    assert "  after ws-changes-python: tests/test_cart.py imports src/shop/cart.py\n" in out
    assert out.endswith(f"2 workstreams, 2 files\nwould write (new): {FILE}; --write does it\n")


def test_what_was_edited_stays(shop: Space) -> None:
    """Until it is said twice; another prefix writes beside it, and leaves alone what it has."""
    shop.wsbuild("generate", "src", "--write")
    assert "is so already" in shop.wsbuild("generate", "src", "--write").out
    assert "wrote" in shop.wsbuild("generate", "src", "web", "--write").out
    text = shop.read(FILE) + "# mine\n"
    shop.write(FILE, text)
    refused = shop.wsbuild("generate", "src", "--write", code=2)
    assert "was edited and stays" in refused.err
    assert shop.read(FILE) == text
    assert propose(shop, "src", "--write", code=2)["state"] == "edited"
    told = propose(shop, "web", "src", "docs", "--prefix", "more", "--write")
    assert [each["why"] for each in told["left_out"]] == [
        *["ws-changes-python has it already"] * 3,
        *["ws-changes-javascript has it already"] * 2,
    ]
    assert told["file"] == "workstreams/generated-more.yaml"
    assert shop.wsbuild("generate", "src", "--write", "--force").out.endswith(f"wrote: {FILE}\n")
    assert shop.wsbuild("validate").code == 0


@pytest.mark.parametrize("scope", ["src/shop/cart.py", "src/", "src", "src/**/*.py", "src/shop/cart.py/x"])
def test_files_of_others_are_left_out_or_come_after(shop: Space, scope: str) -> None:
    """However the other says that it has them: no overlap is left unordered."""
    shop.workstream("other", files_scope=[scope], tool="aider")
    told = propose(shop, "src/shop/cart.py", "web/app.ts")
    assert told["left_out"] == [{"path": "src/shop/cart.py", "why": "ws-other has it already"}]
    assert told["overlaps"] == []
    told = propose(shop, "src/shop/cart.py", "web/app.ts", "--after-others", "--write")
    after = told["by"]["ws-changes-python"]["after"]
    assert after == [{"id": "ws-other", "reasons": ["src/shop/cart.py is in its scope"]}]
    assert [one["ordered"] for one in told["overlaps"]] == [True]
    assert "1 overlap ordered by dependencies" in shop.wsbuild("validate").out


def test_nothing_is_written_where_it_would_not_hold(shop: Space) -> None:
    """A cycle with what is there, here."""
    shop.workstream("other", files_scope=["src/"], depends_on=["ws-changes-python"])
    result = shop.wsbuild("generate", "src", "--after-others", "--write", code=2)
    assert "wait for each other: ws-changes-python -> ws-other -> ws-changes-python" in result.err
    assert "nothing is written" in result.err
    assert not (shop.root / FILE).exists()


def test_bundles_that_cannot_be_read_stop_it(shop: Space) -> None:
    """Nobody knows what they claim."""
    shop.write("workstreams/bad.yaml", "id: ws-bad\nfiles: [src/]\n")
    result = shop.wsbuild("generate", "src", code=2)
    assert "workstreams/bad.yaml" in result.err
    shop.write("workstreams/bad.yaml", "id: [")
    assert "workstreams/bad.yaml" in shop.wsbuild("generate", "src", code=2).err


def test_who_depends_on_what_would_be_gone_is_told(shop: Space) -> None:
    """Their bundle would be wrong afterwards."""
    shop.wsbuild("generate", "src", "web", "--write")
    shop.workstream("next", depends_on=["ws-changes-javascript"])
    result = shop.wsbuild("generate", "src", "--write", code=2)
    assert "ws-next depends on 'ws-changes-javascript'" in result.err
    assert "ws-changes-javascript" in shop.read(FILE)
    shop.wsbuild("generate", "src", "web/app.ts", "--write")


def test_git_says_what_has_changed(shop: Space) -> None:
    """Lines, renames, deletions, new files; and not the bundles themselves."""
    shop.write("src/shop/price.py", "RATE = 2\nMORE = 3\n")
    shop.git("mv", "web/util.ts", "web/tools.ts")
    shop.write("web/new.ts", "1\n2\n")
    (shop.root / "docs/cart.md").unlink()
    shop.workstream("other")
    told = propose(shop, "--changed")
    found = {one["path"]: (one["action"], one["lines"]) for ws in told["workstreams"] for one in ws["files"]}
    assert found == {
        "src/shop/price.py": ("change", 3),
        "web/util.ts": ("delete", 0),
        "web/tools.ts": ("rename", 0),
        "web/new.ts": ("create", 2),
        "docs/cart.md": ("delete", 1),
    }
    assert told["left_out"] == [{"path": "workstreams/ws-other.json", "why": "is a bundle file"}]
    assert told["by"]["ws-changes-javascript"]["tasks"] == [
        "Create `web/new.ts`",
        "Rename `web/util.ts` to `web/tools.ts`",
    ]
    shop.git("checkout", "-q", "-b", "work")
    shop.git("add", ".")
    shop.git("commit", "-qm", "two")
    assert propose(shop, "--affected", "main")["workstreams"] == told["workstreams"]
    assert "there is nothing to plan" in shop.wsbuild("generate", "--changed", code=2).err


def test_lists_come_from_a_file_or_a_pipe(shop: Space) -> None:
    """As git writes them."""
    shop.write("list", "A\tsrc/new.py\nD\tsrc/old.py\nR100\tweb/util.ts\tweb/b.ts\nM\tsrc/shop/cart.py\n")
    told = propose(shop, "--files-from", "list")
    [python, _] = told["workstreams"]
    assert [(one["path"], one["action"]) for one in python["files"]] == [
        *(("src/new.py", "create"), ("src/old.py", "delete"), ("src/shop/cart.py", "change")),
    ]
    bundle = told["bundles"][0]
    assert bundle["files_create"] == ["src/new.py"]
    assert bundle["files_scope"] == ["src/old.py", "src/shop/cart.py"]
    none = shop.wsbuild("generate", "--files-from", "none", code=2)
    assert "none cannot be read: No such file" in none.err


def test_names_with_special_characters_are_meant_literally(shop: Space) -> None:
    """A scope is no pattern."""
    shop.write("web/[id].ts", "")
    shop.write("web/i.ts", "")
    told = propose(shop, "web/[id].ts", "--write")
    assert told["bundles"][0]["files_scope"] == ["web/[[]id].ts"]
    assert propose(shop, "web/i.ts", "--prefix", "two", "--write")["left_out"] == []
    assert "no problems" in shop.wsbuild("validate").out


def test_a_specification_gives_files_and_tasks(shop: Space) -> None:
    """Requirement by requirement; what it does not say is told."""
    shop.write(
        "cart-spec.md",
        "# Cart\n- [ ] Fix the sum in `src/shop/cart.py` and `web/app.ts`\n- [ ] Add `src/shop/tax.py`\n"
        "- [ ] Celebrate\n- [x] Done `docs/cart.md`\n\nAll of `src/`.\n",
    )
    told = propose(shop, "cart-spec.md", "--write")
    assert told["file"] == "workstreams/generated-cart-spec.yaml"
    python, script = (told["by"][f"ws-cart-spec-{name}"] for name in ("python", "javascript"))
    assert paths(python) == ["src/shop/cart.py", "src/shop/tax.py"]
    first = "Fix the sum in `src/shop/cart.py` and `web/app.ts`"
    assert python["tasks"] == [f"{first} (here: `src/shop/cart.py`)", "Add `src/shop/tax.py`"]
    assert script["tasks"] == [f"{first} (here: `web/app.ts`)"]
    assert (python["score"], python["priority"]) == (100, "foreground")
    assert told["without_files"] == ["cart-spec.md:4: Celebrate"]
    assert told["left_out"] == [{"path": "src/", "why": "names no single file"}]
    assert told["bundles"][0]["openspec_change"] == "cart-spec"
    assert shop.wsbuild("validate").code == 0
    assert paths(propose(shop, "cart-spec.md", "--paths")["workstreams"][0]) == ["cart-spec.md"]
    nothing = shop.wsbuild("generate", "docs/cart.md", code=2).err
    assert "there is nothing to plan\n  help: --paths plans the file itself" in nothing


def test_what_is_not_urgent_goes_behind(shop: Space) -> None:
    """As soon as something is."""
    shop.write("spec.md", "# S\n- [ ] fix `web/app.ts`\n- [ ] tidy `docs/cart.md`\n")
    told = propose(shop, "spec.md")
    assert [(ws["score"], ws["priority"]) for ws in told["workstreams"]] == [
        *((100, "foreground"), (0, "background")),
    ]
    assert propose(shop, "docs/", "--task", "Fix errors")["workstreams"][0]["tasks"] == [
        *("Fix errors", "Change `docs/cart.md`"),
    ]


def test_limits_can_be_given(shop: Space) -> None:
    """And what is common to all."""
    words = ("--max-files", "1", "--tool", "claude", "--gate", "2", "--issue", "I-7", "--prefix", "p")
    told = propose(shop, "web", *words, "--write")
    assert [paths(ws) for ws in told["workstreams"]] == [["web/util.ts"], ["web/app.ts"]]
    assert [ws["id"] for ws in told["workstreams"]] == ["ws-p-javascript-2", "ws-p-javascript"]
    bundle = told["bundles"][0]
    assert (bundle["tool"], bundle["gate"], bundle["ccpm_issue"]) == ("claude", 2, "I-7")


def test_own_rules(shop: Space) -> None:
    """Of the project, or of a file that is named."""
    shop.write("config/decomposition_rules.yaml", "group_by: {directory: [{web: {patterns: [web/]}}]}\n")
    assert list(propose(shop, "web", "src")["by"]) == ["ws-changes-web", "ws-changes-rest"]
    shop.write("r.yaml", "workstream_limits: {max_files_per_workstream: 2}\n")
    assert len(propose(shop, "src", "--rules", "r.yaml")["by"]) == 2
    shop.write("r.yaml", "workstream_limits: {max_files: 2}\n")
    wrong = shop.wsbuild("generate", "src", "--rules", "r.yaml", code=2).err
    assert "r.yaml:1 /workstream_limits/max_files" in wrong
    assert "max_files_per_workstream" in wrong


WRONG = {
    (): "name a specification",
    ("a", "--changed"): "name a specification",
    ("src", "--prefix", "Not_so"): "cannot stand in an id",
    ("src", "--prefix", "a" * 41): "cannot stand in an id",
    ("src", "--tool", "aidr"): "did you mean 'aider'?",
    ("src", "--rules", "none.yaml"): "no such file",
    ("../elsewhere",): "holds `..`",
    ("--affected", "no-such-branch"): "'no-such-branch' cannot be compared with",
    ("--affected", "--help"): "cannot be compared with",
    ("src", "--capability", "flying"): "flying",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_told(shop: Space, words: tuple[str, ...]) -> None:
    """In one message, with nothing written."""
    result = shop.wsbuild("generate", *words, "--write", code=2)
    assert WRONG[words] in result.err
    assert "Traceback" not in result.err
    assert not (shop.root / FILE).exists()


def test_without_git_files_can_be_planned(space: Space) -> None:
    """But not what has changed."""
    space.write("a.py", "")
    assert list(propose(space, "a.py", "b.py")["by"]) == ["ws-changes-python"]
    assert "is in no git repository" in space.wsbuild("generate", "--changed", code=2).err


def test_the_same_list_gives_the_same_bytes(shop: Space) -> None:
    """Whatever its order, the hash seed and the time zone."""
    rng = random.Random(7)
    names = [f"{top}/{sub}/m{n}.py" for top in ("src", "lib", "tests") for sub in "ab" for n in range(9)]
    for name in names[::2]:
        shop.write(
            name, "".join(f"import {other[:-3].replace('/', '.')}\n" for other in rng.sample(names, 2))
        )
    seen = set()
    for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("2", "America/Lima")):
        rng.shuffle(names)
        shop.write("list", "\n".join(names))
        words = ("generate", "--files-from", "list", "--write", "--json")
        out = shop.wsbuild(*words, env={"PYTHONHASHSEED": seed, "TZ": zone}).json
        out.pop("state")
        seen.add((json.dumps(out), shop.read(FILE)))
    assert len(seen) == 1
    assert len(out["workstreams"]) == 6


def test_a_file_more_in_one_group_renames_nothing_elsewhere(shop: Space) -> None:
    """Ids of other groups stay."""
    words = ("src", "web", "docs", "--max-files", "1")
    before = propose(shop, *words)["by"]
    shop.write("web/a.ts", "")
    after = propose(shop, *words)["by"]
    stay = {ws_id: paths(ws) for ws_id, ws in before.items() if "javascript" not in ws_id}
    assert {ws_id: paths(ws) for ws_id, ws in after.items() if "javascript" not in ws_id} == stay


def test_a_directory_of_bundles_that_is_not_there_is_made(shop: Space) -> None:
    """And one elsewhere is used; a file in its place is told."""
    env = {"PIPELINE_WORKSTREAM_DIR": "plans/now"}
    shop.wsbuild("generate", "src", "--write", env=env)
    assert (shop.root / "plans/now/generated-changes.yaml").exists()
    shop.write("plain", "")
    blocked = shop.wsbuild("generate", "src", "--write", env={"PIPELINE_WORKSTREAM_DIR": "plain"}, code=None)
    assert blocked.code in {2, 3}
    assert "plain" in blocked.err
    assert "Traceback" not in blocked.err
