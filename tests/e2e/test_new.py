"""`wsbuild new` with options: what it writes is valid; what is wrong is refused, and nothing is written."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from space import Space

from wsbuild.documents.read import read_document

STEP = ("--step", "make=touch out.txt")
TITLES = [
    *("a: b", "# not a comment", 'it\'s "quoted"', "yes", "null", "1e5", "0o7", "- a", "{a: b}", "[x]", "~"),
    *(
        "&a",
        "*a",
        "!t",
        "%x",
        "@x",
        "`x`",
        "|",
        ">",
        "?",
        "a #b",
        "é 🎉 日本",
        "\\n",
        "2026-01-31",
        "=",
        "<<",
    ),
]


def _new(space: Space, *words: str, code: int = 0, **options: Any) -> Any:
    """Run it with what every workstream needs."""
    return space.wsbuild("new", *words, "--scope", "out.txt", *STEP, code=code, **options)


def _files(space: Space) -> dict[str, bytes]:
    return {str(p.relative_to(space.root)): p.read_bytes() for p in space.root.rglob("*") if p.is_file()}


def _data(space: Space, name: str) -> Any:
    document, problems = read_document(str(space.root / "workstreams" / name), name)
    assert document, problems
    return document.data


def test_what_is_written_is_valid_and_runs(space: Space) -> None:
    """And needs no advice; the second time there is nothing to do."""
    space.write("tools/gen.py", "import sys\nopen(sys.argv[2], 'w').write(open(sys.argv[1]).read())\n")
    space.write("data.csv", "1\n")
    result = space.wsbuild(
        *("new", "ws:catalog", "--scope", "out/catalog.py", "--kind", "infra"),
        *("--step", "dir=mkdir -p out", "--step", "gen=python tools/gen.py data.csv out/catalog.py"),
        *("--step", "sum=md5sum < out/catalog.py > out/sum", "--create", "out/sum"),
    )
    assert "wrote   workstreams/catalog.yaml\n" in result.out
    assert _data(space, "catalog.yaml") == {
        "id": "ws-catalog",
        "metadata": {"title": "Catalog"},
        "kind": "infra",
        "files_scope": ["out/catalog.py"],
        "files_create": ["out/sum"],
        "steps": [
            {"name": "dir", "run": "mkdir -p out"},
            {
                "name": "gen",
                "run": "python tools/gen.py data.csv out/catalog.py",
                "inputs": ["tools/gen.py", "data.csv"],
                "outputs": ["out/catalog.py"],
            },
            {
                "name": "sum",
                "run": "md5sum < out/catalog.py > out/sum",
                "shell": True,
                "inputs": ["out/catalog.py"],
                "outputs": ["out/sum"],
            },
        ],
    }
    assert space.wsbuild("validate", "--strict").out == "1 workstream, no problems, no advice\n"
    assert "3 executed" in space.wsbuild("run").out
    assert "nothing to do" in space.wsbuild("run").out
    space.write("data.csv", "2\n")
    assert "2 executed" in space.wsbuild("run").out


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_one_for_a_tool(space: Space, form: str) -> None:
    """Everything that was said is in it, as it was said."""
    space.workstream("base", files_scope=["b"], steps=[{"name": "a", "run": "true"}])
    space.wsbuild(
        *("new", "search", "--title", "Search: by title", "--scope", "src/", "--create", "src/new.py"),
        *("--tool", "aider", "--capability", "refactoring", "--depends-on", "base", "--format", form),
        *(
            "--task",
            "One: do it # now",
            "--task",
            "Two\nlines",
            "--test",
            "$ pytest -q",
            "--test",
            "Look at it",
        ),
    )
    assert {k: v for k, v in _data(space, f"search.{form}").items() if not k.startswith("_comment")} == {
        "id": "ws-search",
        "metadata": {"title": "Search: by title"},
        "openspec_change": "",
        "ccpm_issue": "",
        "gate": 1,
        "depends_on": ["ws-base"],
        "files_scope": ["src/"],
        "files_create": ["src/new.py"],
        "tool": "aider",
        "capability": "refactoring",
        "tasks": ["One: do it # now", "Two\nlines"],
        "acceptance_tests": ["$ pytest -q", "Look at it"],
    }
    assert space.wsbuild("validate", "--json").json["ok"]


@pytest.mark.parametrize("title", TITLES)
def test_titles_mean_what_they_say(space: Space, title: str) -> None:
    """In both formats, whatever YAML would make of them."""
    for form in ("yaml", "json"):
        _new(space, "x", "--title", title, "--format", form, "--force")
        assert _data(space, f"x.{form}")["metadata"] == {"title": title}
        (space.root / f"workstreams/x.{form}").unlink()


@pytest.mark.parametrize("title", ["a\nb", "a\x1b[31mb", "\x07", "a\u2028b", "a\u202eb", "\udcff"])
def test_titles_that_would_steer_a_terminal_are_refused(space: Space, title: str) -> None:
    """Nothing of them is printed as it is."""
    result = _new(space, "x", "--title", title, code=2)
    assert "the title: " in result.err
    assert title.strip("ab") not in result.err.removesuffix("\n").replace("\n  help", "")
    assert os.listdir(space.root / "workstreams") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x", "Try 'ws-x'"),
        ("a/b", "Try 'ws-a-b'"),
        ("My Thing", "Try 'ws-my-thing'"),
        ("ws-é", "does not have the right form"),
        ("日本", "does not have the right form"),
        ("a\nb", "cannot be printed"),
        ("a\x1b[2J", "cannot be printed"),
        ("x" * 200, "may have 100 characters at most"),
        ("ws-", "does not have the right form"),
        ("ws-ws-", ""),
        ("--", "names nothing"),
        (" ", "nothing was given"),
    ],
)
def test_hostile_ids(space: Space, name: str, said: str) -> None:
    """Are refused with what would do; no file is written for them."""
    before = _files(space)
    result = space.wsbuild("new", "--scope", "out.txt", *STEP, "--", name, code=2 if said else 0)
    assert said in result.err
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err
    assert said == "" or _files(space) == before


def test_an_empty_id_is_none(space: Space) -> None:
    """It is told as missing, with all else that is."""
    result = space.wsbuild("new", "", code=2)
    assert "not enough is given: ID; --scope PATH; --step NAME=COMMAND, or --tool PROFILE" in result.err
    assert "--scope" not in space.wsbuild("new", "x", "--scope", "a", "--tool", "aider", code=2).err
    assert "--task TEXT" in space.wsbuild("new", "x", "--scope", "a", "--tool", "aider", code=2).err


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "", ".git/config", "~/x", "C:\\x", ".", "a\x1b"])
def test_scopes_that_may_not_be(space: Space, path: str) -> None:
    """All of them are told at once, each with its reason."""
    before = _files(space)
    result = space.wsbuild("new", "x", "--scope", path, "--create", path, *STEP, code=2)
    assert "--scope: " in result.err
    assert "--create: " in result.err
    assert _files(space) == before


def test_a_link_out_of_the_project_is_no_scope(space: Space) -> None:
    """As `validate` would say."""
    (space.root / "out").symlink_to("/tmp")
    result = space.wsbuild("new", "x", "--scope", "out/a", *STEP, code=2)
    assert "leads to a place where workstreams may not write" in result.err


def test_what_is_wrong_is_told_all_at_once(space: Space) -> None:
    """With the nearest that there is."""
    space.workstream("catalog", files_scope=["b"], steps=[{"name": "a", "run": "true"}])
    result = space.wsbuild(
        *("new", "search", "--scope", "a", "--kind", "dogs", "--tool", "aidr", "--task", "x"),
        *("--depends-on", "catlog", "--capability", "flying"),
        code=2,
    )
    near = ("did you mean 'aider'", "did you mean 'ws-catalog'", "did you mean `docs`")
    for said in ("4 options are wrong", *near, "not 'flying'"):
        assert said in result.err, said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("touch x", "has no name"),
        ("=touch x", "the step: "),
        ("A=touch x", "does not have the right form"),
        ("a=", "needs 1 or more characters"),
        ('a=echo "b', "no closing quotation"),
        ("a=b\nc", "cannot be printed"),
    ],
)
def test_steps_that_are_none(space: Space, step: str, said: str) -> None:
    """Are refused."""
    assert said in space.wsbuild("new", "x", "--scope", "a", "--step", step, code=2).err


def test_steps_stand_in_place_of_a_tool(space: Space) -> None:
    """What would have no effect beside them is refused."""
    result = _new(space, "x", "--tool", "aider", "--test", "$ true", code=2)
    assert "--step does not go with --tool and --test" in result.err


def test_an_id_that_is_taken(space: Space) -> None:
    """By whom, and where; also where another file would be written."""
    space.write("workstreams/all.yaml", "- id: ws-a\n  files_scope: [a]\n  steps: [{name: x, run: x}]\n")
    result = _new(space, "a", code=2)
    assert "ws-a is taken, in workstreams/all.yaml, line 1" in result.err
    assert "taken" in _new(space, "a", "--file", "b.yaml", "--force", code=2).err


def test_a_file_that_is_there_stays(space: Space) -> None:
    """But with `--force`: then its ids are free, too."""
    _new(space, "a", "--title", "one")
    before = _files(space)
    assert "is taken" in _new(space, "a", "--title", "two", code=2).err
    assert "workstreams/a.yaml is there already" in _new(space, "b", "--file", "a.yaml", code=2).err
    assert _files(space) == before
    _new(space, "a", "--title", "two", "--force")
    assert _data(space, "a.yaml")["metadata"]["title"] == "two"
    (space.root / "workstreams/link.yaml").symlink_to(space.root / "elsewhere.yaml")
    assert "is there already" in _new(space, "c", "--file", "link.yaml", code=2).err
    assert not (space.root / "elsewhere.yaml").exists()


@pytest.mark.parametrize(
    "name", ["../x.yaml", "a/b.yaml", ".x.yaml", "x.txt", "x", "x" * 300 + ".yaml", "a\nb.yaml"]
)
def test_names_that_no_bundle_has(space: Space, name: str) -> None:
    """A file by them would not be read, or not be where it is looked for."""
    before = _files(space)
    assert "the file: " in _new(space, "x", "--file", name, code=2).err
    assert _files(space) == before


def test_format_and_file_agree(space: Space) -> None:
    """The ending says it where the format does not."""
    assert "of that format" in _new(space, "x", "--file", "x.yaml", "--format", "json", code=2).err
    assert "the format: " in _new(space, "x", "--format", "toml", code=2).err
    _new(space, "x", "--file", "01-x.json")
    assert json.loads(space.read("workstreams/01-x.json"))["id"] == "ws-x"


def test_somewhere_else(space: Space) -> None:
    """Where `PIPELINE_WORKSTREAM_DIR` says, made if it is not there."""
    space.env["PIPELINE_WORKSTREAM_DIR"] = "deep/specs"
    result = _new(space, "x", "--editor")
    assert "wrote   deep/specs/x.yaml" in result.out
    first = space.read("deep/specs/x.yaml").splitlines()[0]
    place = first.partition("$schema=")[2]
    assert (space.root / "deep/specs" / place).is_file()
    assert space.wsbuild("validate", "--json").json["workstreams"] == ["ws-x"]


@pytest.mark.parametrize("place", ["file", "/proc/nothing"])
def test_where_nothing_can_be_written(space: Space, place: str) -> None:
    """A file in the place of the directory; a disk that takes nothing."""
    space.write("file", "mine\n")
    space.env["PIPELINE_WORKSTREAM_DIR"] = place
    result = _new(space, "x", code=2)
    assert "x.yaml cannot be written: " in result.err
    assert "PIPELINE_WORKSTREAM_DIR" in result.err
    assert space.read("file") == "mine\n"


def test_a_directory_in_the_place_of_the_file(space: Space) -> None:
    """Is not replaced, not even by force."""
    (space.root / "workstreams/x.yaml").mkdir()
    assert "is there already" in _new(space, "x", code=2).err
    assert "cannot be written" in _new(space, "x", "--force", code=2).err
    assert (space.root / "workstreams/x.yaml").is_dir()


def test_paths_are_given_from_where_one_is(space: Space) -> None:
    """In a directory below the root, as the shell completes them there."""
    space.write("src/app/a.py", "")
    space.wsbuild("new", "x", "--scope", "a.py", "--create", "../b.py", *STEP, cwd=space.root / "src/app")
    data = _data(space, "x.yaml")
    assert (data["files_scope"], data["files_create"]) == (["src/app/a.py"], ["src/b.py"])
    result = space.wsbuild("new", "y", "--scope", "../../../z", *STEP, cwd=space.root / "src/app", code=2)
    assert "lead out of the project" in result.err


def test_overlaps_are_told_with_what_orders_them(space: Space) -> None:
    """Where the settings allow none, it is refused."""
    space.workstream("other", files_scope=["src/"], steps=[{"name": "a", "run": "true"}])
    words = ("new", "x", "--scope", "src/a.py", "--step", "a=touch src/a.py")
    result = space.wsbuild(*words)
    assert "overlap: ws-x and ws-other claim src/" in result.err
    assert "--depends-on ws-other" in result.err
    assert space.wsbuild(*words, "--force", "--depends-on", "ws-other").err == ""
    space.write("config/wsbuild.yaml", "overlap: error\n")
    assert "[overlap]" in space.wsbuild(*words, "--force", code=2).err
    space.wsbuild(*words, "--force", "--depends-on", "ws-other")


def test_what_depends_on_it_already_makes_no_cycle(space: Space) -> None:
    """It is what `validate` would say that decides."""
    space.workstream("later", files_scope=["b"], depends_on=["ws-x"], steps=[{"name": "a", "run": "true"}])
    assert "wait for each other" in _new(space, "x", "--depends-on", "later", code=2).err
    assert not (space.root / "workstreams/x.yaml").exists()
    _new(space, "x")
    assert space.wsbuild("validate", "--json").json["ok"]


def test_print_writes_nothing(space: Space) -> None:
    """And prints nothing else: it is the very file."""
    before = _files(space)
    printed = _new(space, "x", "--print").out
    assert _files(space) == before
    _new(space, "x")
    assert space.read("workstreams/x.yaml") == printed


def test_it_is_the_same_on_every_day(space: Space) -> None:
    """Whatever the hash seed and the zone."""
    texts = {
        _new(space, "x", "--print", env={"PYTHONHASHSEED": seed, "TZ": zone}).out
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"), ("3", "America/New_York"))
    }
    assert len(texts) == 1


def test_others_that_are_broken_are_no_hindrance(space: Space) -> None:
    """What is wrong with them is not its business; an id that is readable is taken all the same."""
    space.write("workstreams/broken.yaml", "id: [\n")
    space.write("workstreams/half.yaml", "id: ws-half\nfiles_scope: 3\n")
    _new(space, "x")
    assert "taken" in _new(space, "half", code=2).err
