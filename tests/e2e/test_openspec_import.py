"""`wsbuild spec import`: changes of OpenSpec become bundles that are valid, and stay what they were."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest
from changing import ChangeSpace
from space import BIN

GROUPS = """\
# Tasks

## 1. Set up

- [ ] 1.1 Create `src/new.txt`
- [ ] 1.2 Change `src/app.txt`
  - [ ] 1.2.1 And say so

## 2. Use it

- [ ] 2.1 Use it in src/new.txt and verify with `$ test -f src/new.txt`

## 3. Docs (independent)

- [ ] 3.1 Write `docs/page.md`
"""
DELTA = """\
## ADDED Requirements
### Requirement: Toggle
The system SHALL toggle.
#### Scenario: Press
- **WHEN** it is pressed
- **THEN** it changes
## REMOVED Requirements
### Requirement: Old
**Reason**: gone
"""


@pytest.fixture
def space(tmp_path: Path) -> ChangeSpace:
    space = ChangeSpace(tmp_path / "project")
    space.start_project()
    return space


def test_a_workstream_for_each_group(space: ChangeSpace) -> None:
    """With its files, what it waits for, and what it came from; the last sees to the requirements."""
    space.change("add-it", GROUPS, proposal="# Change: Add it\n", ui=DELTA)
    first, second, third = space.imported("add-it")
    assert [ws["id"] for ws in (first, second, third)] == [
        "ws-add-it-1-set-up",
        "ws-add-it-2-use-it",
        "ws-add-it-3-docs-independent",
    ]
    assert (first["files_scope"], first["files_create"]) == (["src/app.txt"], ["src/new.txt"])
    assert (second["files_scope"], second["files_create"]) == (["src/new.txt"], ["src/new.txt"])
    assert (third["files_scope"], third["files_create"]) == (["docs/page.md"], ["docs/page.md"])
    assert "depends_on" not in first
    assert second["depends_on"] == ["ws-add-it-1-set-up"]
    assert third["depends_on"] == ["ws-add-it-1-set-up"]
    assert first["tasks"] == ["1.1 Create `src/new.txt`", "1.2 Change `src/app.txt`\n- 1.2.1 And say so"]
    assert second["acceptance_tests"] == ["$ test -f src/new.txt"]
    assert third["tasks"][1:] == [
        "See to it that this requirement (added in ui) holds: Toggle\nThe system SHALL toggle.",
        "See to it that this requirement (removed in ui) does not hold any more: Old\n**Reason**: gone",
    ]
    assert third["acceptance_tests"] == ["Toggle: Press: WHEN it is pressed THEN it changes"]
    assert (third["tool"], third["gate"], third["ccpm_issue"]) == ("edit", 1, "TBD")
    assert first["metadata"]["title"] == "Add it: Set up"
    assert first["metadata"]["openspec"]["change"] == "add-it"
    assert space.wsbuild("validate", "--json").json["ok"]


def test_one_workstream_where_all_concern_the_same_files(space: ChangeSpace) -> None:
    """Or where it is said; groups where that is."""
    tasks = "## 1. A\n- [ ] 1.1 Do `src/app.txt`\n## 2. B\n- [ ] 2.1 Do more\n"
    space.change("small", tasks)
    [ws] = space.imported("small")
    assert (ws["id"], ws["files_scope"]) == ("ws-small", ["src/app.txt"])
    assert ws["tasks"] == ["A: 1.1 Do `src/app.txt`", "B: 2.1 Do more"]
    assert ws["metadata"]["openspec"] == {"change": "small", "tasks": ws["metadata"]["openspec"]["tasks"]}
    space.change("split", tasks)
    assert "names no file" in space.refused("split", "--split", "group").err
    found = space.imported("split", "--split", "group", "--files", "src/")
    assert [ws["id"] for ws in found] == ["ws-split-1-a", "ws-split-2-b"]
    space.change("joined", GROUPS)
    assert [ws["id"] for ws in space.imported("joined", "--split", "none")] == ["ws-joined"]
    many = "".join(f"## {n}. G{n}\n- [ ] {n}.1 Do `src/app.txt`\n" for n in range(1, 9))
    space.change("many", many)
    assert len(space.imported("many")) == 8


def test_what_an_earlier_group_makes_may_be_changed_by_a_later_one(space: ChangeSpace) -> None:
    """Or be made by it, if the first did not; also when it is imported after that was made."""
    tasks = "## 1. A\n- [ ] Make `src/new.txt`\n## 2. B\n- [ ] Change `src/app.txt` for `src/new.txt`\n"
    space.change("x", tasks)
    second = space.imported("x")[1]
    assert (second["files_scope"], second["files_create"]) == (
        ["src/app.txt", "src/new.txt"],
        ["src/new.txt"],
    )
    space.write("src/new.txt", "")
    assert space.state("x") == ["same"]


def test_files_of_the_proposal(space: ChangeSpace) -> None:
    """Where tasks name none: what stands below Impact, and nothing else of it."""
    proposal = (
        "# P\n## Why\n`README.md`\n## Impact\n- `src/app.txt`\n### More\n`src/b.txt`\n## Next\n`c/d.txt`\n"
    )
    space.change("x", "- [ ] Do it\n", proposal=proposal)
    [ws] = space.imported("x")
    assert (ws["files_scope"], ws["files_create"]) == (["src/app.txt"], ["src/b.txt"])


def test_no_file_is_guessed(space: ChangeSpace) -> None:
    """Where none is named: the message says where, and how to."""
    space.change("x", "\n- [ ] Do it, see https://x.org/y.html\n", proposal="## Impact\nNone\n")
    said = space.refused("x").err
    assert "openspec/changes/x/tasks.md:2: x names no file" in said
    assert "--files PATTERN" in said
    [ws] = space.imported("x", "--files", "src", "--files", "docs/*.md", "--files", "b.txt")
    assert (ws["files_scope"], ws["files_create"]) == (["src/", "docs/*.md"], ["b.txt"])
    assert space.imported("x") == [ws]
    assert "'../y': it holds `..`" in space.refused("x", "--files", "../y", "--force").err


def test_the_real_change(space: ChangeSpace, real_bundles: Path) -> None:
    """It names no files; as Markdown and as a bundle of items it comes to the same work."""
    old = real_bundles / "predecessor-files/openspec/changes/test-001"
    shutil.copytree(old, space.root / space.changes / "test-001")
    shutil.copy(real_bundles / "openspec/openspec-test-001.yaml", space.root / "items.yaml")
    assert "test-001/tasks.md:1: test-001 names no file" in space.refused("test-001").err
    assert "items.yaml:6: test-001 names no file" in space.refused("items.yaml").err
    [ws] = space.imported("test-001", "--files", "src/")
    assert ws["tasks"] == ["Create bundle YAML", "Create GitHub issue", "Run pipeline validation"]
    assert ws["metadata"]["title"] == "Test Integration"
    shutil.rmtree(space.root / "workstreams")
    [same] = space.imported("items.yaml", "--files", "src/")
    assert (same["id"], same["tasks"], same["metadata"]["title"]) == (
        ws["id"],
        ws["tasks"],
        "Test Integration",
    )


def test_a_bundle_of_items(space: ChangeSpace) -> None:
    """All that the older reader lost is kept."""
    text = """\
bundle_id: openspec-Add_X
version: "1.0"
metadata: {owner: us}
items:
  - id: CH-Add_X
    title: Add X
    tags: [a, b]
    when-then:
      - {when: all is done, then: it works}
  - id: t-1
    title: Change `src/app.txt`
    description: |
      Verify: `$ test -f src/app.txt`
    when-then:
      - {when: "asked", then: "told"}
      - {when: "asked: again", then: "told"}
  - id: R-1
    title: It holds
"""
    space.write("x.yaml", text)
    [ws] = space.imported("x.yaml")
    assert ws["id"] == "ws-add-x"
    assert ws["tasks"] == [
        "Change `src/app.txt`\nVerify: `$ test -f src/app.txt`",
        "See to it that this requirement (added) holds: It holds",
    ]
    assert ws["acceptance_tests"] == [
        "Add X: WHEN all is done THEN it works",
        "Change `src/app.txt`: WHEN asked THEN told",
        "Change `src/app.txt`: WHEN asked: again THEN told",
        "$ test -f src/app.txt",
    ]
    assert space.state("x.yaml") == ["same"]
    space.write("bad.yaml", "bundle-id: x\nitems:\n  - id: T-1\n    titel: y\n")
    assert "did you mean `title`" in space.refused("bad.yaml").err
    space.write("none.yaml", "bundle-id: x\nitems:\n  - id: T-1\n")
    assert "none.yaml:3: a task says nothing" in space.refused("none.yaml").err
    assert "cannot be read" in space.refused("gone.yaml").err


def test_importing_again_changes_no_byte(space: ChangeSpace) -> None:
    """Nor with another order of sets."""
    space.change("add-it", GROUPS, ui=DELTA)
    assert space.state("add-it") == ["new"]
    path = space.root / "workstreams/openspec-add-it.yaml"
    before, stat = path.read_bytes(), path.stat()
    for seed in ("1", "2"):
        space.env["PYTHONHASHSEED"] = seed
        assert space.state("add-it") == ["same"]
    assert path.stat() == stat
    path.unlink()
    space.imported("add-it")
    assert path.read_bytes() == before


def test_ids_stay_when_the_text_is_edited(space: ChangeSpace) -> None:
    """Whatever a group is called by now, wherever it stands; and what is new gets a new one."""
    space.change("add-it", GROUPS)
    old = [ws["id"] for ws in space.imported("add-it")]
    text = (
        GROUPS.replace("Set up", "Prepare")
        .replace("1.1 Create", "1.1 Make")
        .replace("Use it in", "Put it in")
    )
    text = text.replace("## 2. Use it", "## 2. Between\n- [ ] 2.0 See `src/app.txt`\n\n## 3. Use it")
    space.change("add-it", text.replace("## 3. Docs", "## 4. Docs"))
    assert [ws["id"] for ws in space.imported("add-it")] == [old[0], "ws-add-it-2-between", *old[1:]]
    kept = text.replace("## 3. Use it", "## 3. Employ it")
    space.change("add-it", kept)
    assert [ws["id"] for ws in space.imported("add-it")] == [old[0], "ws-add-it-2-between", *old[1:]]
    space.change("add-it", GROUPS.replace("Use it in", "Put it in"))
    [told] = space.wsbuild("spec", "import", "add-it", "--json").json["changes"]
    assert [ws["id"] for ws in told["workstreams"]] == old
    assert told["gone"] == ["ws-add-it-2-between"]


def test_what_was_said_holds(space: ChangeSpace) -> None:
    """Until something else is said."""
    space.change("x", "- [ ] 1.1 Do `src/app.txt`\n")
    said = ("--tool", "aider", "--gate", "2", "--ccpm-issue", "17")
    [ws] = space.imported("x", *said)
    assert (ws["tool"], ws["gate"], ws["ccpm_issue"]) == ("aider", 2, 17)
    assert space.imported("x") == [ws]
    [ws] = space.imported("x", "--capability", "refactoring", "--ccpm-issue", "A-1")
    assert (ws["tool"], ws["capability"], ws["gate"], ws["ccpm_issue"]) == ("", "refactoring", 2, "A-1")
    assert "did you mean 'edit'" in space.refused("x", "--tool", "edti").err
    assert "capability" in space.refused("x", "--capability", "telepathy").err
    space.wsbuild("spec", "import", "x", "--split", "both", code=2)
    space.wsbuild("spec", "import", code=2)
    space.wsbuild("spec", "import", "x", "--all", code=2)


def test_what_somebody_edited_stays(space: ChangeSpace) -> None:
    """But with --force; its ids and what is known of it are kept in both."""
    space.change("x", "- [ ] 1.1 Do `src/app.txt`\n")
    space.imported("x")
    path = "workstreams/openspec-x.yaml"
    edited = space.read(path).replace("ws-x\n", "ws-mine\n").replace("Do", "Do well")
    space.write(path, edited)
    done = space.wsbuild("spec", "import", "x")
    assert "stays as somebody has edited it; --force" in done.err
    assert space.read(path) == edited
    # What stays is not checked as if it were written.
    space.wsbuild("spec", "import", "x", "--capability", "telepathy")
    assert "capability" in space.refused("x", "--capability", "telepathy", "--force").err
    [ws] = space.imported("x", "--force")
    assert (ws["id"], ws["tasks"]) == ("ws-mine", ["1.1 Do `src/app.txt`"])


def test_a_bundle_that_was_moved_is_found(space: ChangeSpace) -> None:
    """By what it remembers; one that shares its file with others is not written over."""
    space.change("x", "- [ ] 1.1 Do `src/app.txt`\n")
    space.imported("x")
    (space.root / "workstreams/openspec-x.yaml").rename(space.root / "workstreams/mine.yaml")
    assert space.state("x") == ["same"]
    text = space.read("workstreams/mine.yaml")
    both = (
        "- "
        + "\n  ".join(text.splitlines()[1:-1])
        + "\n- {id: ws-o, files_scope: [o], steps: [{name: a, run: 'true'}]}\n"
    )
    space.write("workstreams/mine.yaml", both)
    assert "declared twice" in space.refused("x", "--force").err


def test_what_is_done_at_first_is_left_out(space: ChangeSpace) -> None:
    """And what was open at first stays, ticked or not: else ticking it would be a reason to run again."""
    text = "## 1. A\n- [x] 1.1 Old\n- [ ] 1.2 New `src/app.txt`\n  - [X] 1.2.1 in\n## 2. B\n- [x] 2.1 Gone\n"
    space.change("x", text)
    [ws] = space.imported("x")
    assert ws["tasks"] == ["A: 1.2 New `src/app.txt`"]
    space.change("x", text.replace("[ ]", "[x]"))
    assert space.state("x") == ["same"]
    space.change("x", text.replace("[ ] 1.2 New", "[x] 1.2 Newer"))
    assert space.imported("x")[0]["tasks"] == ["A: 1.2 Newer `src/app.txt`"]
    space.change("y", "- [x] all `src/app.txt`\n", ui=DELTA)
    assert "y: nothing is left to do" in space.wsbuild("spec", "import", "y").out
    assert not (space.root / "workstreams/openspec-y.yaml").exists()


def test_a_change_without_tasks(space: ChangeSpace) -> None:
    """Its requirements are the tasks; one that has neither is refused, as are empty files."""
    space.change("specs", "", ui=DELTA.replace("toggle.", "toggle `src/app.txt`."))
    [ws] = space.imported("specs")
    assert ws["files_scope"] == ["src/app.txt"]
    assert [task.split(": ")[1].split("\n")[0] for task in ws["tasks"]] == ["Toggle", "Old"]
    (space.root / space.changes / "none").mkdir()
    assert "neither tasks nor requirements" in space.refused("none").err
    for name in ("tasks", "proposal", "design"):
        space.write(f"{space.changes}/empty/{name}.md", "")
    assert "neither tasks nor requirements" in space.refused("empty").err


def test_a_task_that_says_nothing(space: ChangeSpace) -> None:
    """As the templates have them."""
    space.change("x", "## 1. <!-- Group -->\n\n- [ ] <!-- Task -->\n- [ ]\n- [ ] do `src/app.txt`\n")
    said = space.refused("x").err
    assert "x/tasks.md:3: a task says nothing" in said
    assert "x/tasks.md:4: a task says nothing" in said


def test_tasks_without_boxes(space: ChangeSpace) -> None:
    """Numbered and starred ones are tasks, and it is told that none can be ticked."""
    space.change("x", "1. one `src/app.txt`\n2. two\n\n* three\n")
    done = space.wsbuild("spec", "import", "x", "--json")
    [ws] = done.json["changes"][0]["workstreams"]
    assert ws["tasks"] == ["one `src/app.txt`", "two", "three"]
    assert "tasks.md:1: no task has a box" in done.err
    space.change("y", "- [ ] one `src/app.txt`\n- loose\n-[ ] odd\n")
    said = space.wsbuild("spec", "import", "y").err
    assert "tasks.md:2: what has no box" in said
    assert "tasks.md:3: looks like a task" in said or "tasks.md:2" in said


def test_a_name_that_looks_like_a_command_is_not_run(space: ChangeSpace) -> None:
    """What is not plainly said to be one is for a person."""
    delta = "## ADDED Requirements\n### Requirement: $ touch oops\n#### Scenario: $ touch oops\n- WHEN\n"
    space.change("x", "- [ ] $ touch oops `src/app.txt`\n", ui=delta)
    [ws] = space.imported("x")
    assert ws["acceptance_tests"] == ["Scenario: $ touch oops: $ touch oops: WHEN"]
    space.wsbuild("run")
    assert not (space.root / "oops").exists()


def test_a_command_that_cannot_be_split(space: ChangeSpace) -> None:
    """Is told where it stands."""
    space.change("x", "- [ ] a `src/app.txt`\n- [ ] run `$ echo 'a`\n", ui=DELTA + 'run `$ "`\n')
    assert 'tasks.md:2: "echo \'a" cannot be split' in space.refused("x").err


HOSTILE = {
    "not UTF-8": (b"- [ ] a\n- [ ] \xff\n", "tasks.md:2: holds the byte 0xff, which is not UTF-8"),
    "NUL": (b"- [ ] a\n\x00\n", "tasks.md:2: holds a NUL"),
    "too large": (b"- [ ] a\n" + b"x" * 5_000_000, "tasks.md: has 5000008 bytes"),
    "too deep": (b"".join(b"  " * n + b"- [ ] a\n" for n in range(50)), "nested more than"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_files_that_cannot_be_read(space: ChangeSpace, name: str) -> None:
    """Are named, with the line."""
    data, words = HOSTILE[name]
    space.change("x", "x")
    (space.root / space.changes / "x/tasks.md").write_bytes(data)
    assert words in space.refused("x").err


def test_places_that_are_none(space: ChangeSpace, tmp_path: Path) -> None:
    """Links out of the project, directories in the place of files, the archive, names that lead elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "tasks.md").write_text("- [ ] `src/app.txt`\n")
    space.change("x", "- [ ] `src/app.txt`\n")
    base = space.root / space.changes
    (base / "link").symlink_to(outside)
    assert "link is a link out of the project" in space.refused("link").err
    assert "link is a link out of the project" in space.refused("--all").err
    (base / "link").unlink()
    (base / "inner").mkdir()
    (base / "inner/tasks.md").symlink_to(outside / "tasks.md")
    assert "inner/tasks.md: is a link out of the project" in space.refused("inner").err
    (base / "inner/tasks.md").unlink()
    (base / "inner/tasks.md").mkdir()
    assert "inner/tasks.md: is not a regular file" in space.refused("inner").err
    shutil.copytree(base / "x", base / "archive/2025-01-01-old")
    assert "archive of changes" in space.refused("archive/2025-01-01-old").err
    assert "archive of changes" in space.refused("archive").err
    assert "old is archived: it is done" in space.refused("old").err
    for word in ("../x", "/etc", "", ".", "a/b", "x/../../y"):
        assert "is no id of a change" in space.refused(word).err
    assert "did you mean 'inner'" in space.refused("iner").err
    assert [ws["id"] for ws in space.imported("openspec/changes/x/")] == ["ws-x"]


def test_without_any_change(space: ChangeSpace) -> None:
    """It is said what would make one."""
    assert "openspec init" in space.refused("--all").err
    (space.root / space.changes).mkdir(parents=True)
    assert "openspec new change" in space.refused("x").err
    assert space.state("--all") == []


def test_marks_and_line_ends_of_windows(space: ChangeSpace) -> None:
    """Are no part of what a task says."""
    data = "\ufeff---\r\ntitle: A thing\r\n---\r\n# P\r\n"
    space.change("x", "x", proposal="x")
    base = space.root / space.changes / "x"
    (base / "proposal.md").write_bytes(data.encode())
    (base / "tasks.md").write_bytes("\ufeff- [ ] 1.1 Do\r\n  `src\\app.txt`\r\n".encode())
    [ws] = space.imported("x")
    assert (ws["tasks"], ws["files_scope"]) == (["1.1 Do `src\\app.txt`"], ["src/app.txt"])
    assert ws["metadata"]["title"] == "A thing"
    (base / "proposal.md").write_bytes(b"---\ntitle: a\nx: [\n---\n")
    assert "x/proposal.md:4" in space.refused("x").err


@pytest.mark.parametrize(
    ("name", "ws_id"),
    [
        ("Add_Up.x", "ws-add-up-x"),
        ("a--b", "ws-a-b"),
        ("\u00c4nderung", "ws-anderung-ca7417"),
        ("\u65e5\u672c", "ws-change-"),
        ("x" * 100, "ws-" + "x" * 56 + "-"),
        ("1-2", "ws-1-2"),
        ("a b", "ws-a-b"),
        ("a.yaml", "ws-a-yaml"),
    ],
)
def test_names_become_ids(space: ChangeSpace, name: str, ws_id: str) -> None:
    """That are valid, whatever a directory is called."""
    space.change(name, "- [ ] `src/app.txt`\n")
    [ws] = space.imported(name)
    assert ws["id"].startswith(ws_id[:12])
    assert len(ws["id"]) <= 100
    assert ws["openspec_change"] == name
    assert space.wsbuild("validate", "--json").json["ok"]
    assert space.state("--all") == ["same"]


def test_names_that_come_to_the_same(space: ChangeSpace) -> None:
    """Get ids of their own, whichever is imported first; and nobody's id is taken."""
    for name in ("add-x", "add_x", "Add.X", "own"):
        space.change(name, "- [ ] `src/app.txt`\n")
    space.workstream("own", files_scope=["own"])
    alone = space.imported("add_x")[0]["id"]
    ids = {ws["openspec_change"]: ws["id"] for ws in space.imported("--all")}
    assert ids["add-x"] == "ws-add-x"
    assert ids["add_x"] == alone != ids["Add.X"]
    assert ids["own"] == "ws-own-2"
    assert len(set(ids.values())) == 4
    assert space.wsbuild("validate", "--json").json["ok"]
    assert space.state("--all") == ["same"] * 4


def test_nothing_is_written_where_anything_is_wrong(space: ChangeSpace) -> None:
    """Of none of the changes; all problems are told at once."""
    space.change("good", "- [ ] `src/app.txt`\n")
    space.change("bad", "- [ ] nothing\n")
    space.change("worse", "- [ ]\n")
    said = space.refused("--all").err
    assert "bad names no file" in said
    assert "a task says nothing" in said
    space.change("bad", "- [ ] `src/app.txt`\n")
    space.change("worse", "- [ ] `src/app.txt`\n")
    space.write("config/wsbuild.yaml", "overlap: error\ndefault_tool: edit\n")
    assert "overlap" in space.refused("--all").err


def test_a_dry_run_writes_nothing(space: ChangeSpace) -> None:
    """And shows it."""
    space.change("x", "- [ ] `src/app.txt`\n")
    before = space.everything()
    out = space.wsbuild("spec", "import", "x", "--dry-run").out
    assert out.startswith("new      workstreams/openspec-x.yaml: ws-x\n# From openspec/changes/x")
    assert space.everything() == before


def test_files_are_asked_for_on_a_terminal(space: ChangeSpace) -> None:
    """And remembered."""
    space.change("x", "- [ ] Do it\n")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [str(BIN / "wsbuild"), "spec", "import", "x"],
        cwd=space.root,
        env=space.env,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(master, b"src/ docs/new.md\n")
        out, err = process.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert "x names no file of the project" in err
    assert out == "new      workstreams/openspec-x.yaml: ws-x\n"
    [ws] = space.imported("x")
    assert (ws["files_scope"], ws["files_create"]) == (["src/"], ["docs/new.md"])
    assert space.state("x") == ["same"]


def test_from_below_the_root(space: ChangeSpace) -> None:
    """Names are seen from where one is."""
    space.change("x", "- [ ] Do it\n")
    (space.root / "src/inner").mkdir()
    where = space.root / "src"
    space.wsbuild("spec", "import", "x", "--files", "./app.txt", cwd=where)
    assert "files_scope: [src/app.txt]" in space.read("workstreams/openspec-x.yaml")
    space.wsbuild("spec", "import", "x", "../openspec/changes/x", cwd=where)


DESIGN = """\
## Context
It is as it is, in `src/other.txt`.

## Decisions
- Keep the theme in **one** file, `src/theme.txt`
  because it is small

### Decision: no colors
Black on white.

## Risks / Trade-offs
None.
"""


def test_the_design_is_kept_to(space: ChangeSpace) -> None:
    """By each workstream: what was decided is its first task."""
    space.change("add-it", GROUPS, design=DESIGN)
    made = space.imported("add-it")
    lines = (
        "Keep to the design of the change: openspec/changes/add-it/design.md",
        "- Keep the theme in **one** file, `src/theme.txt` because it is small",
        "Decision: no colors",
        "Black on white.",
    )
    assert {ws["tasks"][0] for ws in made} == {"\n".join(lines)}
    assert made[0]["files_create"] == ["src/new.txt"]
    space.change("add-it", GROUPS, design=DESIGN.replace("Black", "White"))
    assert {ws["tasks"][0][-15:] for ws in space.imported("add-it")} == {"White on white."}


def test_a_design_says_which_files_where_nothing_else_does(space: ChangeSpace) -> None:
    """Not where the proposal does."""
    space.write("src/other.txt", "")
    space.change("add-it", "- [ ] Do it", design=DESIGN)
    [ws] = space.imported("add-it")
    assert (ws["files_scope"], ws["files_create"]) == (["src/other.txt"], ["src/theme.txt"])
    space.change("say-it", "- [ ] Do it", design=DESIGN, proposal="## Impact\n`src/app.txt`\n")
    [ws] = space.imported("say-it")
    assert ws["files_scope"] == ["src/app.txt"]


def test_a_design_that_cannot_be_read(space: ChangeSpace) -> None:
    """Is told, and nothing is written."""
    space.change("add-it", GROUPS)
    (space.root / space.changes / "add-it/design.md").write_bytes(b"\xff")
    assert "design.md" in space.refused("add-it").err
