"""`wsbuild pm import`, `export` and `status`: epics to workstreams and back, byte by byte."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from epics import CLAUDE, WORKSPACE, EpicSpace

IDS = ["ws-check-out-001", "ws-check-out-002", "ws-check-out-003"]


@pytest.fixture
def space(tmp_path: Path) -> EpicSpace:
    """A project with both epics."""
    space = EpicSpace(tmp_path / "project")
    space.check_out()
    space.pay_all()
    return space


def bundle(space: EpicSpace, name: str) -> list[dict[str, Any]]:
    """The workstreams of a bundle file as a reader of YAML has them."""
    import yaml

    data = yaml.safe_load(space.read(f"workstreams/epic-{name}.yaml"))
    return data if isinstance(data, list) else [data]


def states(told: Any) -> dict[str, str]:
    """What became of each file."""
    return {os.path.basename(row["path"]): row["state"] for row in told["files"]}


def test_an_epic_becomes_a_bundle_that_is_valid(space: EpicSpace) -> None:
    """With all that its tasks say: order, files, criteria, issue, priority."""
    told = space.take()
    assert states(told) == {"epic-check-out.yaml": "new", "epic-pay-all.yaml": "new"}
    rows = bundle(space, "check-out")
    assert [row["id"] for row in rows] == IDS
    assert [row.get("depends_on", []) for row in rows] == [[], IDS[:1], IDS[:2]]
    assert [row["files_scope"] for row in rows] == [["src/cart.py"], ["src/till.py"], ["src/bill.py"]]
    assert rows[0]["acceptance_tests"] == ["it works", "$ test -f src/cart.py"]
    assert rows[0]["tasks"] == ["cart", "Write the cart."]
    [pay] = bundle(space, "pay-all")
    assert (pay["id"], pay["ccpm_issue"], pay["priority"]) == ("ws-pay-all-task-01", 7, "background")
    assert (pay["files_scope"], pay["parallel_ok"]) == (["src/pay.py", "src/paid.py"], False)
    assert "\r" not in pay["tasks"][1]
    assert space.wsbuild("validate", "--json").json["bundles"] == 2
    plan = space.wsbuild("plan", "--json").json
    assert [wave for wave in plan["waves"] if IDS[1] in wave or IDS[2] in wave] == [[IDS[1]], [IDS[2]]]


def test_the_way_there_and_back_changes_no_byte(space: EpicSpace) -> None:
    """Beside what is there, and where it is gone; as often as one goes."""
    before = space.files(CLAUDE, WORKSPACE)
    space.take()
    bundles = space.files("workstreams")
    assert set(states(space.wsbuild("pm", "export", "--json").json).values()) == {"same"}
    assert space.files(CLAUDE, WORKSPACE) == before
    shutil.rmtree(space.root / ".claude")
    shutil.rmtree(space.root / "pm")
    assert set(states(space.wsbuild("pm", "export", "--json").json).values()) == {"new"}
    del before[f"{CLAUDE}/check-out/001-analysis.md"]
    assert space.files(CLAUDE, WORKSPACE) == before
    assert set(states(space.take()).values()) == {"same"}
    assert space.files("workstreams") == bundles


def test_the_same_epics_make_the_same_bundles(space: EpicSpace) -> None:
    """Whatever the seed of hashes and the time zone."""
    space.take()
    before = space.files("workstreams")
    shutil.rmtree(space.root / "workstreams")
    space.take()
    for seed, zone in (("1", "Asia/Tokyo"), ("2", "America/Lima")):
        env = {"PYTHONHASHSEED": seed, "TZ": zone}
        space.wsbuild("pm", "import", "--all", "--tool", "write", env=env)
        assert space.files("workstreams") == before


def test_what_somebody_edited_stays(space: EpicSpace) -> None:
    """A bundle that was edited, a page that was; it is said, and --force writes over it."""
    space.take()
    path = "workstreams/epic-pay-all.yaml"
    edited = space.read(path).replace("[One]", "[Two]")
    space.write(path, edited)
    text = (space.root / f"{WORKSPACE}/pay-all/tasks/task-01.md").read_text().replace("One", "Three")
    space.write(f"{WORKSPACE}/pay-all/tasks/task-01.md", text)
    result = space.wsbuild("pm", "import", "pay-all", "--tool", "write")
    assert "edited" in result.out
    assert "--force" in result.out
    assert space.read(path) == edited
    exported = space.wsbuild("pm", "export")
    assert "epic-pay-all.yaml was edited" in exported.err
    assert "edited   pm/workspace/epics/pay-all/tasks/task-01.md" in exported.out
    assert "Three" in space.read(f"{WORKSPACE}/pay-all/tasks/task-01.md")
    space.wsbuild("pm", "import", "pay-all", "--tool", "write", "--force")
    assert bundle(space, "pay-all")[0]["acceptance_tests"] == ["Three"]
    space.write(f"{WORKSPACE}/pay-all/tasks/task-01.md", "spoilt")
    space.wsbuild("pm", "export", "--force")
    assert (space.root / f"{WORKSPACE}/pay-all/tasks/task-01.md").read_text() == text


def test_what_is_done_is_not_done_again(space: EpicSpace) -> None:
    """A task that is closed when the epic comes in is left out, also as what others need; one that was
    closed since stays.
    """
    path = f"{CLAUDE}/check-out/001.md"
    opened = space.read(path)
    space.write(path, opened.replace("status: open", "status: closed"))
    told = space.take()
    assert told["left_out"] == [{"epic": "check-out", "task": "001", "reason": "is closed"}]
    rows = bundle(space, "check-out")
    assert [(row["id"], row.get("depends_on", [])) for row in rows] == [(IDS[1], []), (IDS[2], [IDS[1]])]
    before = space.files(CLAUDE)
    shutil.rmtree(space.root / ".claude")
    space.wsbuild("pm", "export")
    del before[f"{CLAUDE}/check-out/001-analysis.md"]
    assert space.files(CLAUDE) == before
    assert [row["id"] for row in (space.take("--closed"), bundle(space, "check-out"))[1]] == IDS
    for name in ("001", "002", "003"):
        text = space.read(f"{CLAUDE}/check-out/{name}.md")
        space.write(f"{CLAUDE}/check-out/{name}.md", re.sub("status: open", "status: completed", text))
    assert space.take()["left_out"] == []
    assert [row["id"] for row in bundle(space, "check-out")] == IDS
    space.write("workstreams/epic-check-out.yaml", "")
    (space.root / "workstreams/epic-check-out.yaml").unlink()
    assert "epic-check-out.yaml" not in states(space.take())


def lines_that_differ(before: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
    """The lines that are different, of texts with as many lines."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    assert len(old) == len(new)
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


def test_statuses_go_back_and_nothing_else_changes(space: EpicSpace) -> None:
    """The lines `status:` and `updated:`, with what stands behind them; by the time that is recorded."""
    space.take()
    space.broken(IDS[1])
    space.wsbuild("run", "--continue", code=1)
    before = space.files(CLAUDE, WORKSPACE)
    checked = space.wsbuild("pm", "status", "--check", "--json", code=1).json
    assert space.files(CLAUDE, WORKSPACE) == before
    told = space.wsbuild("pm", "status", "--json").json
    assert told["files"] == checked["files"]
    after = space.files(CLAUDE, WORKSPACE)
    changed = {
        path: lines_that_differ(old, after[path]) for path, old in before.items() if old != after[path]
    }
    events = space.wsbuild("events", "--limit", "200", "--json").json["items"]
    moves = [event for event in events if event["type"] == "workstream_status"]
    moved = {(event["ws_id"], event["payload"]["to"]): event["at"][:19] + "Z" for event in moves}
    last = max(moved[IDS[0], "done"], moved[IDS[1], "failed"], moved[IDS[2], "blocked"])
    paid = moved["ws-pay-all-task-01", "done"]
    old = b"updated: 2025-11-06T17:32:38Z\n"
    was = b"status: open   # as CCPM has it\n"
    updated = {key: f"updated: {at}\n".encode() for key, at in moved.items()}
    assert changed == {
        f"{CLAUDE}/check-out/001.md": [
            (was, b"status: closed   # as CCPM has it\n"),
            (old, updated[IDS[0], "done"]),
        ],
        f"{CLAUDE}/check-out/002.md": [
            (was, b"status: blocked   # as CCPM has it\n"),
            (old, updated[IDS[1], "failed"]),
        ],
        f"{CLAUDE}/check-out/003.md": [
            (was, b"status: blocked   # as CCPM has it\n"),
            (old, updated[IDS[2], "blocked"]),
        ],
        f"{CLAUDE}/check-out/epic.md": [
            (b"status: backlog\n", b"status: in-progress\n"),
            (b"updated: 2025-11-06T17:24:32Z\n", f"updated: {last}\n".encode()),
        ],
        f"{WORKSPACE}/pay-all/tasks/task-01.md": [(b"status: planned\r\n", b"status: completed\r\n")],
        f"{WORKSPACE}/pay-all/epic.md": [(b"status: planned\n", b"status: completed\n")],
        f"{WORKSPACE}/pay-all/.metadata.yaml": [
            (b"status: planned\n", b"status: completed\n"),
            (b"updated_at: '2025-11-20T10:00:00.1'\n", f"updated_at: {paid}\n".encode()),
        ],
    }
    assert space.wsbuild("pm", "status", "--check", "--json").json["files"] == []


def test_a_run_that_finds_nothing_new_moves_no_time(space: EpicSpace) -> None:
    """`updated:` is since when it is so, not since when it was looked at."""
    space.take()
    space.wsbuild("run", "ws:check-out-001")
    space.wsbuild("pm", "status")
    before = space.files(CLAUDE)
    space.wsbuild("run")
    space.wsbuild("run", "--force", "ws:pay-all-task-01")
    space.wsbuild("pm", "status", "pay-all")
    assert space.files(CLAUDE) == before
    told = space.wsbuild("pm", "status", "--json").json["files"]
    assert f"{CLAUDE}/check-out/001.md" not in [row["path"] for row in told]


def test_what_a_person_said_later_stays(space: EpicSpace) -> None:
    """A file whose `updated:` is after what is recorded is left alone, and that is said."""
    space.take()
    space.wsbuild("run")
    path = f"{CLAUDE}/check-out/002.md"
    space.write(path, space.read(path).replace("updated: 2025", "updated: 2999"))
    before = space.read(path)
    result = space.wsbuild("pm", "status")
    assert f"left     {path}: open -> closed" in result.out
    assert space.read(path) == before
    assert "status: in-progress" in space.read(f"{CLAUDE}/check-out/epic.md")


def test_workstreams_become_a_new_epic(space: EpicSpace) -> None:
    """In both layouts; their statuses go there, and coming back they are no second workstreams."""
    shutil.rmtree(space.root / ".claude")
    shutil.rmtree(space.root / "pm")
    fields = {"tool": "write", "openspec_change": "", "ccpm_issue": 12, "gate": 1, "tasks": ["Do: this"]}
    for name, needs in (("b", []), ("a", ["ws-b"]), ("c", ["ws-b"])):
        group = {} if name == "b" else {"conflict_group": "x"}
        tests = ["it is: so", "$ test -d src"]
        space.workstream(
            name,
            files_scope=[f"src/{name}.py"],
            depends_on=needs,
            acceptance_tests=tests,
            metadata={"title": f"Title: {name}"},
            **fields,
            **group,
        )
    told = space.wsbuild("pm", "export", "--json").json
    assert (told["files"], told["left_out"]) == ([], ["ws-b", "ws-a", "ws-c"])
    places = (("claude", f"{CLAUDE}/new-one", "001"), ("workspace", f"{WORKSPACE}/other", "task-01"))
    for layout, folder, first in places:
        name = folder.rpartition("/")[2]
        words = ("pm", "export", "--epic", name, "--layout", layout, "--json")
        assert set(states(space.wsbuild(*words).json).values()) == {"new"}
        before = space.files(folder)
        assert len(before) == 4
        assert space.wsbuild(*words).json["files"] == []
        assert space.files(folder) == before
        told = space.wsbuild("pm", "import", name, "--json").json
        assert told["files"] == []
        reasons = {row["reason"] for row in told["left_out"]}
        assert reasons == {f"is declared in ws-{one}.json" for one in "abc"}
        assert f"{first}" in str(before)
    text = space.read(f"{CLAUDE}/new-one/002.md")
    assert "depends_on: [001]\n" in text
    assert "conflicts_with: [003]\n" in text
    assert "name: 'Title: a'\n" in text
    space.write("src/x", "")
    space.wsbuild("run")
    space.wsbuild("pm", "status")
    assert "status: closed\n" in space.read(f"{CLAUDE}/new-one/001.md")
    assert "status: completed\n" in space.read(f"{CLAUDE}/new-one/epic.md")
    assert "status: completed\n" in space.read(f"{WORKSPACE}/other/tasks/task-03.md")
    space.workstream("d", files_scope=["src/d.py"], **fields)
    told = space.wsbuild("pm", "export", "ws:d", "--epic", "new-one", "--json").json
    assert states(told) == {"004.md": "new"}


WRONG = {
    "no scope": (
        "file_scope: [src/cart.py]\n",
        "",
        "001.md:1: says nowhere which files it may change",
    ),
    "filler": ("[src/cart.py]", "[TBD]", "001.md:10 /file_scope: says nowhere which files"),
    "out": ("[src/cart.py]", "[../cart.py]", "001.md:10: '../cart.py' holds `..`"),
    "unknown": ("depends_on: []", "depends_on: [009]", "001.md:7 /depends_on: 9 is no task of this epic"),
    "itself": ("depends_on: []", "depends_on: [001]", "001.md:7 /depends_on: 1 is the task itself"),
    "conflict": ("conflicts_with: []", "conflicts_with: [x]", "001.md:9 /conflicts_with: x is no task"),
    "cycle": ("depends_on: []", "depends_on: [003]", "cycle"),
    "yaml": ("name: cart", "name: cart: x", "001.md:2: is not valid YAML"),
    "twice": ("parallel: true", "status: open", "001.md:8 /status: 'status' is given twice"),
    "type": ("parallel: true", "parallel: maybe", "001.md:8 /parallel: must be"),
    "alias": ("name: cart", "name: &a cart", "001.md:2"),
    "open end": ("\n---\n\n# Task", "\n--\n\n# Task", "001.md:1: has front matter that nothing ends"),
    "none": ("---\nname", "name", "001.md:1: has no front matter"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_a_task_is_told(space: EpicSpace, name: str) -> None:
    """With its file and line, and nothing is written."""
    old, new, words = WRONG[name]
    path = f"{CLAUDE}/check-out/001.md"
    text = space.read(path)
    assert old in text
    space.write(path, text.replace(old, new, 1))
    done = space.wsbuild("pm", "import", "--all", code=2)
    assert words in done.err
    assert space.files("workstreams") == {}


def test_all_that_is_wrong_is_told_at_once(space: EpicSpace) -> None:
    """Of all files, whatever they are."""
    folder = space.root / CLAUDE / "check-out"
    (folder / "001.md").write_bytes(b"\xff\xfe")
    (folder / "002.md").unlink()
    (folder / "002.md").mkdir()
    (folder / "003.md").write_text("")
    (folder / "004.md").symlink_to("/etc/passwd")
    (folder / "005.md").symlink_to("nowhere")
    (folder / "006.md").write_text("---\nname: " + "[" * 100_000 + "\n---\n")
    (folder / "007.md").write_bytes(b"---\nname: x\n---\n" + b"x" * 5_000_000)
    (folder / "008.md").write_text("---\n- a\n---\n")
    os.mkfifo(folder / "009.md")
    done = space.wsbuild("pm", "import", "--all", code=2)
    for words in (
        *("001.md:1: holds the byte 0xff", "002.md: is not a regular file", "003.md:1: has no front matter"),
        *("004.md: leads out of the project", "005.md: cannot be read", "006.md:2: is not valid YAML"),
        *("007.md: has 5000016 bytes", "008.md:2: must be", "009.md: is not a regular file"),
    ):
        assert words in done.err, words
    assert space.files("workstreams") == {}


def test_names_of_all_sorts(space: EpicSpace) -> None:
    """Several words, capitals, other scripts, very long; those that would be one file are told."""
    shutil.rmtree(space.root / "pm")
    for name in ("Über uns!", "日本", "x" * 120, "a b c"):
        shutil.copytree(space.root / CLAUDE / "check-out", space.root / CLAUDE / name)
        for number in ("1", "2", "3"):
            path = f"{CLAUDE}/{name}/00{number}.md"
            space.write(path, space.read(path).replace("src/", f"src/{len(name)}{name[0]}/"))
    space.take()
    ids = space.wsbuild("validate", "--json").json["workstreams"]
    assert {"ws-uber-uns-001", "ws-a-b-c-002", f"ws-{'x' * 93}-003"} <= set(ids)
    before = space.files(CLAUDE)
    shutil.rmtree(space.root / ".claude")
    space.wsbuild("pm", "export")
    assert {path for path in before if not path.endswith("-analysis.md")} == set(space.files(CLAUDE))
    shutil.copytree(space.root / CLAUDE / "a b c", space.root / CLAUDE / "a-b-c")
    assert "would be epic-a-b-c.yaml, as" in space.wsbuild("pm", "import", "--all", code=2).err


def test_bytes_that_are_hard_to_keep(space: EpicSpace) -> None:
    """A byte order mark, line ends of all sorts, none at the end, control characters, leading blanks."""
    path = space.root / CLAUDE / "check-out/001.md"
    text = path.read_bytes()
    odd = text + b"\r\x0b\x0c\xc2\x85\xe2\x80\xa8x\r\n\n\n"
    blanks = text + b"\ttab \n   indented\n#\n"
    windows, other = text.replace(b"\n", b"\r\n"), text + "日本 \U0001f600\n".encode()
    for body in (b"\xef\xbb\xbf" + text, text.rstrip(b"\n"), odd, windows, blanks, other):
        path.write_bytes(body)
        space.take()
        path.unlink()
        space.wsbuild("pm", "export")
        assert path.read_bytes() == body


def test_bundles_that_name_other_files(space: EpicSpace) -> None:
    """Nothing is written but files of epics, in the project."""
    space.take()
    path = "workstreams/epic-pay-all.yaml"
    text = space.read(path)
    old = f"{WORKSPACE}/pay-all/tasks/task-01.md"
    names = ("../x.md", "/tmp/x.md", "dodo.py", "7", f"{CLAUDE}/../../x/001.md", f"{CLAUDE}/x/epic.md/1.md")
    for name in names:
        space.write(path, text.replace(f"file: {old}", f"file: {name}"))
        done = space.wsbuild("pm", "export", code=2)
        assert "[bad-origin]" in done.err, name
    (space.root / "pm").rename(space.root.parent / "away")
    (space.root / "pm").symlink_to(space.root.parent / "away")
    space.write(path, text)
    assert "[bad-origin]" in space.wsbuild("pm", "export", "--force", code=2).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["import"], "no epic is named"),
        (["import", "check-out", "--all"], "all wanted"),
        (["import", "nosuch"], "nosuch is no epic in .claude/epics nor in pm/workspace/epics"),
        (["status", "nosuch"], "there are: check-out, pay-all"),
        (["export", "--layout", "x"], "is none of claude, workspace"),
        (["export", "nosuch"], "is no workstream"),
        (["github"], "GitHub is not enabled"),
    ],
)
def test_what_is_wrong_in_a_command(space: EpicSpace, words: list[str], told: str) -> None:
    """With the next step."""
    space.take()
    assert told in space.wsbuild("pm", *words, code=2).err


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "x\ny", " x"])
def test_names_that_no_epic_can_have(space: EpicSpace, name: str) -> None:
    """Are told."""
    space.copying("new", "a", "b")
    done = space.wsbuild("pm", "export", "--epic", name, code=None)
    assert done.code == (0 if not name else 2), done
    assert not space.files(".claude/epics/.hidden", "b")


def test_without_epics(tmp_path: Path) -> None:
    """It says where it has looked."""
    space = EpicSpace(tmp_path / "project")
    for words in (("import", "--all"), ("status",)):
        said = space.wsbuild("pm", *words, code=2).err
        assert "there is no epic in .claude/epics nor in pm/workspace/epics" in said


def test_dry_runs_write_nothing(space: EpicSpace) -> None:
    """And say the same."""
    told = space.take("--dry-run")
    assert space.files("workstreams") == {}
    rows = space.take()["files"]
    assert [{**row, "written": True} for row in told["files"]] == rows
    shutil.rmtree(space.root / ".claude")
    assert len(space.wsbuild("pm", "export", "--dry-run", "--json").json["files"]) == 7
    assert space.files(".claude") == {}


def test_the_real_bundles(space: EpicSpace, real_bundles: Path) -> None:
    """Become one epic, come back as what they are, and their issues are known."""
    shutil.rmtree(space.root / ".claude")
    for path in real_bundles.glob("*.json"):
        shutil.copy(path, space.root / "workstreams")
    told = space.wsbuild("pm", "export", "--epic", "refactor", "--json").json
    ids = space.wsbuild("validate", "--json", code=None).json["workstreams"]
    assert len(told["files"]) == 1 + len([ws for ws in ids if "pay-all" not in ws])
    before = space.files(CLAUDE)
    told = space.wsbuild("pm", "import", "refactor", "--json").json
    assert (told["files"], len(told["left_out"])) == ([], len(before) - 1)
    assert space.wsbuild("pm", "export", "--epic", "refactor", "--json").json["files"] == []
    assert space.files(CLAUDE) == before
    config = {"github": {"enabled": False, "repository": "octo/shop"}}
    space.write("config/wsbuild.yaml", json.dumps(config))
    pending = space.wsbuild("pm", "github", "--dry-run", "--json").json["items"]
    assert {row["what"] for row in pending} == {"new", "tick"}
