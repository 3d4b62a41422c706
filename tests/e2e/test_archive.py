"""`wsbuild archive`: what is done goes into a zip file and comes back; nobody trips over it meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from space import Space

from wsbuild.documents.zip_file import pack

SHARED = """\
# yaml-language-server: $schema=somewhere
# The shop.

- id: ws-one  # the first
  files_scope: [one.txt]
  steps:
    - {name: make, run: cp a.txt one.txt, inputs: [a.txt], outputs: [one.txt]}
  # it could do more

# about the second
- id: ws-two
  files_scope: ["two.txt"]
  depends_on: [ws-one]
  steps:
    - name: make
      run: cp one.txt two.txt
      inputs: [one.txt]
      outputs: [two.txt]

# about the third
- id: ws-three
  files_scope: [three.txt]
  depends_on: [ws-two]
  steps: [{name: make, run: cp two.txt three.txt, inputs: [two.txt], outputs: [three.txt]}]
"""
WITHOUT_TWO = SHARED.replace(SHARED[SHARED.index("- id: ws-two") : SHARED.index("\n# about the third")], "")


def tree(space: Space, folder: str = "workstreams") -> dict[str, bytes]:
    """The files below a directory."""
    top = space.root / folder
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def zips(space: Space) -> list[str]:
    """The names of the archives."""
    return sorted(path.name for path in space.root.glob("archive/*.zip"))


@pytest.fixture
def project(space: Space) -> Space:
    """`up` and `down` behind it, in files of their own; both were run. The day is fixed."""
    space.env["SOURCE_DATE_EPOCH"] = "1790000000"
    space.write("a.txt", "one\n")
    space.copying("up", "a.txt", "up.txt")
    space.copying("down", "up.txt", "down.txt", depends_on=["ws-up"])
    space.wsbuild("run")
    space.ran()
    return space


@pytest.fixture
def shop(space: Space) -> Space:
    """Three workstreams in one YAML file, all done."""
    space.env["SOURCE_DATE_EPOCH"] = "1790000000"
    space.write("a.txt", "one\n")
    space.write("workstreams/shop.yaml", SHARED)
    space.wsbuild("run")
    return space


def test_what_is_done_goes_and_comes_back(project: Space) -> None:
    """All of it with its reports; afterwards every byte is where it was, and nothing runs."""
    project.copying("new", "a.txt", "new.txt")
    before = tree(project)
    out = project.wsbuild("archive").out
    assert "archived ws-up to archive/2026-09-21-2-workstreams.zip" in out
    assert "1 workstream is not done" in out
    assert list(tree(project)) == ["ws-new.json"]
    assert "ws-down" in project.wsbuild("archive", "--list").out
    project.wsbuild("archive", "--restore", "archive/2026-09-21-2-workstreams.zip")
    assert tree(project) == before
    project.wsbuild("run", "ws:up", "ws:down")
    assert project.ran() == []


def test_an_archive_says_what_it_is(project: Space) -> None:
    """A manifest by its schema, the bundle as it was, the reports, the log; and no time of its own."""
    text = project.read("workstreams/ws-up.json")
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "begin")
    project.wsbuild("archive", "up")
    with zipfile.ZipFile(project.root / "archive/2026-09-21-ws-up.zip") as file:
        assert file.testzip() is None
        names = file.namelist()
        assert names == sorted(names)
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        manifest = json.loads(file.read("manifest.json"))
        assert file.read("bundles/ws-up.json").decode() == text
        rows = json.loads(file.read("reports/ws-up/attempts.json"))
        assert json.loads(file.read("reports/ws-up/events.json"))
        assert json.loads(file.read("reports/ws-up/errors.json")) == []
        assert b"ws-up, from ws-up.json: done" in file.read("README.txt")
        for name in set(names) - {"manifest.json"}:
            assert hashlib.sha256(file.read(name)).hexdigest() == manifest["members"][name]
    assert manifest["schema"] == "wsbuild/archive/1"
    assert manifest["made_at"] == "2026-09-21T14:13:20Z"
    assert manifest["git_head"] == project.git("rev-parse", "HEAD").strip()
    [row] = manifest["workstreams"]
    assert (row["id"], row["done"], row["index"]) == ("ws-up", True, None)
    assert row["steps"] == [{"name": "make", "fresh": True, "last_status": "ok", "reason": ""}]
    assert row["attempts"] == rows == [{**rows[0], "status": "ok"}]


def test_the_same_state_gives_the_same_bytes(project: Space) -> None:
    """Whatever was archived, and brought back, between."""
    project.wsbuild("archive")
    first = project.root / "archive/2026-09-21-2-workstreams.zip"
    project.wsbuild("archive", "--restore", str(first))
    project.wsbuild("archive", env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    again = project.root / "archive/2026-09-21-2-workstreams-2.zip"
    assert again.read_bytes() == first.read_bytes()


def test_who_depends_on_it_does_not_notice(project: Space) -> None:
    """Nothing fails, nothing runs again; what is asked about it is answered."""
    project.wsbuild("archive", "ws:up")
    for command in (["validate"], ["plan"], ["list"], ["graph"], ["run"]):
        project.wsbuild(*command)
    project.doit("list")
    project.doit("run")
    assert project.ran() == []
    where = "archive/2026-09-21-ws-up.zip"
    told = f"depends on ws-up, archived when it was done in {where}"
    assert told in project.wsbuild("status").out
    assert told in project.wsbuild("explain", "down").out
    [row] = project.wsbuild("list", "--json").json["workstreams"]
    assert (row["depends_on"], row["archived"]) == (["ws-up"], ["ws-up"])
    refused = project.wsbuild("run", "ws:up", code=2)
    assert where in refused.err
    assert "wsbuild archive --restore ws-up" in refused.err
    project.write("up.txt", "another\n")
    project.wsbuild("run")
    assert project.ran() == ["down"]
    project.wsbuild("run")
    assert project.ran() == []


def test_a_dependency_that_nobody_has_is_still_an_error(project: Space) -> None:
    """Whatever else is archived; and that of an archive that is gone."""
    project.wsbuild("archive", "up")
    project.copying("odd", "a.txt", "odd.txt", depends_on=["ws-nobody"])
    assert "ws-nobody" in project.wsbuild("validate", code=2).err
    (project.root / "workstreams/ws-odd.json").unlink()
    project.wsbuild("run")
    for path in project.root.glob("archive/*.zip"):
        path.unlink()
    assert "ws-up" in project.wsbuild("run", code=2).err


def test_the_index_is_made_anew_from_the_archives(project: Space) -> None:
    """Where it is gone, or is nonsense; asking writes none."""
    project.wsbuild("archive", "up")
    index = project.root / "archive/index.json"
    listed = project.wsbuild("archive", "--list", "--json").json
    for text in (None, b"", b"\xff\xfe", b"[" * 100, b'{"schema": "wsbuild/archive-index/1"}'):
        if text is None:
            index.unlink()
        else:
            index.write_bytes(text)
        project.wsbuild("run")
        project.wsbuild("validate")
        assert project.wsbuild("archive", "--list", "--json").json == listed
        assert (index.read_bytes() if index.exists() else None) == text
    project.write("archive/notes.zip", "no zip at all")
    project.wsbuild("run")
    assert project.ran() == []


def test_what_is_not_done_is_refused(project: Space) -> None:
    """With the reason; the others named go. Without names it is left."""
    project.write("up.txt", "changed by hand\n")
    refused = project.wsbuild("archive", "down", "up", code=1)
    assert "ws-up: make is not up to date: output changed: up.txt" in refused.err
    assert "ws-down: it depends on ws-up, which is not done" in refused.err
    assert zips(project) == []
    rows = project.wsbuild("archive", "--json").json
    assert rows["refused"] == []
    assert {row["id"] for row in rows["left"]} == {"ws-up", "ws-down"}
    assert list(tree(project)) == ["ws-down.json", "ws-up.json"]


def test_what_is_given_up_blocks_who_depends_on_it(project: Space) -> None:
    """With a reason and the way out; bringing it back and running it lets them run."""
    project.write("a.txt", "two\n")
    assert "--force needs" in project.wsbuild("archive", "--force", code=2).err
    project.wsbuild("archive", "--force", "up")
    project.wsbuild("validate")
    result = project.wsbuild("run", "--json", code=1).json
    assert [step["status"] for step in result["steps"]] == ["blocked"]
    assert "ws-up, which was archived before it was done" in result["steps"][0]["reason"]
    assert "archived before it was done" in project.wsbuild("run", "--dry-run").out
    assert "archived unfinished" in project.wsbuild("status").out
    assert project.ran() == []
    project.wsbuild("archive", "--restore", "ws-up")
    project.wsbuild("run")
    assert project.ran() == ["up", "down"]


def test_one_of_several_is_taken_out_of_its_file(shop: Space) -> None:
    """Every other byte stays, comments too; it comes back to its place."""
    shop.wsbuild("archive", "two")
    assert shop.read("workstreams/shop.yaml") == WITHOUT_TWO
    assert shop.wsbuild("run").out.startswith("nothing to do")
    shop.wsbuild("archive", "--restore", "ws-two")
    assert shop.read("workstreams/shop.yaml") == SHARED
    assert shop.wsbuild("run").out.startswith("nothing to do")


def test_parts_of_a_file_come_back_in_any_order(shop: Space) -> None:
    """Of one archive; the file is gone while none of it is there."""
    os.chmod(shop.root / "workstreams/shop.yaml", 0o600)
    shop.wsbuild("archive")
    assert tree(shop) == {}
    shop.wsbuild("archive", "--restore", "ws-three")
    shop.wsbuild("archive", "--restore", "ws-one")
    assert shop.read("workstreams/shop.yaml") == WITHOUT_TWO
    again = shop.wsbuild("archive", "--restore", "archive/2026-09-21-3-workstreams.zip", "--json").json
    assert (again["restored"], again["there"]) == (["ws-two"], ["ws-one", "ws-three"])
    assert shop.read("workstreams/shop.yaml") == SHARED
    assert (shop.root / "workstreams/shop.yaml").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_cut_out_is_refused(shop: Space) -> None:
    """A list in brackets in YAML: told so, nothing changed; all of it together goes."""
    rows = [json.dumps(each) for each in [_plain("x"), _plain("y")]]
    text = f"[{rows[0]}, # the first\n {rows[1]}]\n"
    shop.write("workstreams/odd.yaml", text)
    shop.wsbuild("run")
    refused = shop.wsbuild("archive", "x", code=1)
    assert "cannot be taken out byte for byte" in refused.err
    assert "archive all of the file together" in refused.err
    assert shop.read("workstreams/odd.yaml") == text
    shop.wsbuild("archive", "x", "y")
    assert not (shop.root / "workstreams/odd.yaml").exists()
    shop.wsbuild("archive", "--restore", "ws-y", code=2)
    shop.wsbuild("archive", "--restore", "archive/2026-09-21-2-workstreams.zip")
    assert shop.read("workstreams/odd.yaml") == text


def _plain(name: str) -> dict[str, Any]:
    step = {"name": "make", "run": f"cp a.txt {name}.txt", "inputs": ["a.txt"], "outputs": [f"{name}.txt"]}
    return {"id": f"ws-{name}", "files_scope": [f"{name}.txt"], "steps": [step]}


def test_nothing_is_brought_back_over_something_else(shop: Space) -> None:
    """A file that was changed since, an id that is taken, a link."""
    shop.wsbuild("archive", "two")
    changed = WITHOUT_TWO + "# mine\n"
    shop.write("workstreams/shop.yaml", changed)
    told = shop.wsbuild("archive", "--restore", "ws-two", code=2)
    assert "shop.yaml is not as archiving left it" in told.err
    assert shop.read("workstreams/shop.yaml") == changed
    shop.write("workstreams/shop.yaml", WITHOUT_TWO)
    shop.write("workstreams/other.json", json.dumps(_plain("two")))
    assert "declared in other.json" in shop.wsbuild("archive", "--restore", "ws-two", code=2).err
    (shop.root / "workstreams/other.json").unlink()
    shop.write("elsewhere.yaml", WITHOUT_TWO)
    (shop.root / "workstreams/shop.yaml").unlink()
    (shop.root / "workstreams/shop.yaml").symlink_to("../elsewhere.yaml")
    assert "no regular file" in shop.wsbuild("archive", "--restore", "ws-two", code=2).err
    assert "no regular file" in shop.wsbuild("archive", "one", code=1).err
    assert shop.read("elsewhere.yaml") == WITHOUT_TWO


def test_elsewhere(project: Space, tmp_path: Path) -> None:
    """By an option, or the settings; who depends on it finds it, and it comes back."""
    away = tmp_path / "backup"
    before = tree(project)
    project.wsbuild("archive", "up", "--to", str(away))
    assert [path.name for path in away.iterdir()] == ["2026-09-21-ws-up.zip"]
    project.wsbuild("run")
    assert project.ran() == []
    project.wsbuild("archive", "--restore", "up")
    assert tree(project) == before
    project.write("config/wsbuild.yaml", "archive_dir: kept/old\n")
    project.wsbuild("archive", "up")
    assert (project.root / "kept/old/2026-09-21-ws-up.zip").is_file()
    project.wsbuild("run")
    assert project.ran() == []


def test_nothing_is_written_by_looking(project: Space) -> None:
    """Neither by a dry run of either kind, nor by a list."""
    before = tree(project, ".")
    told = project.wsbuild("archive", "--dry-run")
    assert "would archive ws-up" in told.out
    assert tree(project, ".") == before
    project.wsbuild("archive", "up")
    before = tree(project, ".")
    assert (
        "would restore ws-up to ws-up.json" in project.wsbuild("archive", "--restore", "up", "--dry-run").out
    )
    project.wsbuild("archive", "--list")
    assert tree(project, ".") == before


def test_secrets_stay_out(project: Space) -> None:
    """Of all that is recorded and printed."""
    project.env["SHOP_TOKEN"] = "correct horse battery"
    step = {"name": "say", "run": "cat secret.txt", "inputs": ["secret.txt"]}
    project.write("secret.txt", "correct horse battery\n")
    project.workstream("say", files_scope=["said.txt"], steps=[step])
    project.wsbuild("run", "say", env={"SHOP_TOKEN": "another thing"})
    [log] = project.wsbuild("log", "say", "--json").json["items"]
    assert "correct horse" in project.read(log["log_path"])
    project.wsbuild("archive", "say")
    with zipfile.ZipFile(project.root / "archive/2026-09-21-ws-say.zip") as file:
        assert file.read("reports/ws-say/logs/say.log") == b"[redacted:SHOP_TOKEN]\n"
        assert not any(b"correct horse" in file.read(name) for name in file.namelist())


def _hostile(good: Path, how: str) -> bytes:
    """An archive with something wrong in it."""
    with zipfile.ZipFile(good) as file:
        members = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(members["manifest.json"])
    if how == "no zip":
        return b"PK no zip"
    if how == "cut off":
        return good.read_bytes()[:-30]
    if how == "empty":
        return b""
    if how == "no manifest":
        del members["manifest.json"]
        return pack(members)
    if how == "wrong checksum":
        members["bundles/ws-up.json"] += b" "
        return pack(members)
    if how == "one more":
        return pack({**members, "extra.txt": b""})
    if how == "other place":
        manifest["bundles"][0]["name"] = "../../evil.json"
    if how == "other form":
        manifest["schema"] = "wsbuild/archive/9"
    if how == "not there":
        manifest["workstreams"][0]["id"] = "ws-evil"
    members["manifest.json"] = json.dumps(manifest).encode()
    return pack(members)


@pytest.mark.parametrize(
    "how",
    [
        *("no zip", "cut off", "empty", "no manifest", "wrong checksum", "one more", "other place"),
        *("other form", "not there", "a directory", "not there at all"),
    ],
)
def test_what_is_no_archive_is_refused(project: Space, how: str) -> None:
    """With its name and what is wrong; nothing is written."""
    project.wsbuild("archive", "up")
    good = project.root / "archive/2026-09-21-ws-up.zip"
    bad = project.root / "bad.zip"
    if how == "a directory":
        bad.mkdir()
    elif how != "not there at all":
        bad.write_bytes(_hostile(good, how))
    before = tree(project, ".")
    told = project.wsbuild("archive", "--restore", "bad.zip", code=2)
    assert "bad.zip" in told.err
    assert "Traceback" not in told.err
    assert {k: v for k, v in tree(project, ".").items() if k != ".wsbuild/lock"} == {
        k: v for k, v in before.items() if k != ".wsbuild/lock"
    }


def test_a_copy_of_an_archive_from_elsewhere_is_brought_back(project: Space, tmp_path: Path) -> None:
    """The index does not know it, and need not."""
    before = tree(project)
    project.wsbuild("archive", "up")
    shutil.move(project.root / "archive", tmp_path / "away")
    project.wsbuild("archive", "--restore", str(tmp_path / "away/2026-09-21-ws-up.zip"))
    assert tree(project) == before
    assert not (project.root / "archive").exists()


def test_an_archive_that_is_damaged_is_no_reason_to_remove_a_file(project: Space) -> None:
    """It was there when the process was killed, and is archived again."""
    before = tree(project)
    project.wsbuild("archive", "up")
    path = project.root / "archive/2026-09-21-ws-up.zip"
    project.wsbuild("archive", "--restore", "up")
    index = json.loads(project.read("archive/index.json"))
    index["archives"][0]["workstreams"][0]["restored"] = False
    project.write("archive/index.json", json.dumps(index))
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    assert project.wsbuild("archive", "up", "--json").json["archived"] == ["ws-up"]
    assert zips(project) == ["2026-09-21-ws-up-2.zip", "2026-09-21-ws-up.zip"]
    project.wsbuild("archive", "--restore", "archive/2026-09-21-ws-up-2.zip")
    assert tree(project) == before


def test_a_branch_that_is_not_merged_is_not_done(project: Space) -> None:
    """Its work is nowhere else."""
    step = {"name": "make", "run": "cp a.txt b.txt", "inputs": ["a.txt"], "outputs": ["b.txt"]}
    project.workstream("b", files_scope=["b.txt"], steps=[step], isolation="worktree", land="branch")
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "begin")
    project.wsbuild("run", "b")
    assert "its branch wsbuild/ws-b is not merged" in project.wsbuild("archive", "b", code=1).err
    project.git("merge", "-q", "wsbuild/ws-b")
    project.wsbuild("archive", "b")
