"""What is planned of what is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from wsbuild.planning.decompose.files import (
    CHANGE,
    CREATE,
    DELETE,
    RENAME,
    LeftOut,
    Listed,
    below,
    leave,
    parse_list,
    read_text,
    take,
)
from wsbuild.planning.decompose.from_git import changed, tracked

LISTS = {
    b"a.py\nb c.py\n": [Listed("a.py"), Listed("b c.py")],
    b"a.py\r\nb.py": [Listed("a.py"), Listed("b.py")],
    b"a.py\0b\nc.py\0": [Listed("a.py"), Listed("b\nc.py")],
    b"M\ta.py\nA\tb.py\nD\tc.py\nT\td.py\n": [
        *(Listed("a.py", CHANGE), Listed("b.py", CREATE), Listed("c.py", DELETE), Listed("d.py", CHANGE)),
    ],
    b"R087\ta.py\tb.py\nC100\ta.py\tc.py\n": [
        *(Listed("a.py", DELETE, "b.py"), Listed("b.py", RENAME, "a.py"), Listed("c.py", CREATE)),
    ],
    b"M\0a.py\0R100\0b\tb\0c\0D\0M\0": [
        *(Listed("a.py", CHANGE), Listed("b\tb", DELETE, "c"), Listed("c", RENAME, "b\tb")),
        Listed("M", DELETE),
    ],
    b'M\t"b\\303\\244\\t\\"r.py"\n"\\344.py"\n': [Listed('bä\t"r.py', CHANGE), Listed("\udce4.py")],
    b"M\n": [Listed("M")],
    b"\n \n": [],
    b"": [],
}


@pytest.mark.parametrize("data", LISTS)
def test_lists_are_read_as_git_writes_them(data: bytes) -> None:
    """With a status or without, by lines or ended by NUL."""
    assert parse_list(data) == LISTS[data]


def test_a_cut_off_list_is_no_error() -> None:
    """The last entry counts as far as it goes."""
    assert parse_list(b"M\0a\0R100\0b\0") == [Listed("a", CHANGE), Listed("b", CHANGE)]


def test_deleted_and_new_files_are_told_apart(tmp_path: Path) -> None:
    """By git, where nothing is said."""
    (tmp_path / "here.py").touch()
    given = take(str(tmp_path), map(Listed, ["here.py", "gone.py", "new.py"]), tracked=["gone.py"])
    assert [(one.path, one.action, one.there) for one in given.files] == [
        ("gone.py", DELETE, False),
        ("here.py", CHANGE, True),
        ("new.py", CREATE, False),
    ]


@pytest.mark.parametrize(
    "path", ["../a", "/etc/passwd", "", ".git/config", "a\nb", ".wsbuild/x", "a\udce4", "C:a"]
)
def test_what_no_bundle_may_name_is_left_out(tmp_path: Path, path: str) -> None:
    """With the reason."""
    given = take(str(tmp_path), [Listed(path), Listed("b")])
    assert [one.path for one in given.files] == ["b"]
    [left] = given.left_out
    assert left.path == path
    assert left.why.startswith("the path ")


def test_a_file_counts_once_in_any_order(tmp_path: Path) -> None:
    """What is said of it last does not win: what says more does."""
    said = [Listed("a"), Listed("a", DELETE), Listed("./a", CREATE, lines=3), Listed("a", CHANGE)]
    assert take(str(tmp_path), said) == take(str(tmp_path), reversed(said))
    [one] = take(str(tmp_path), said).files
    assert (one.action, one.lines) == (CREATE, 3)
    said = [
        Listed("a", DELETE),
        Listed("a", CHANGE),
        Listed("b"),
        Listed("a", RENAME, "b"),
        Listed("a", CREATE),
    ]
    for each in (said, said[::-1]):
        assert take(str(tmp_path), each).files[0][:3] == ("a", RENAME, "b")


def test_words_that_name_directories_stand_for_their_files(tmp_path: Path) -> None:
    """But for what is ignored; a list never means a directory, and a link is one file."""
    for name in ("src/a.py", "src/x/b.py", "src/skip/c.py", "src/d.log", ".gitignore", "other/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("*.log\n" if name == ".gitignore" else "")
    (tmp_path / "link").symlink_to("src")
    names = [one.path for one in below(str(tmp_path), ["src/", "link", "new"], ["skip"])]
    assert names == ["src/a.py", "src/x/b.py", "link", "new"]
    assert "other/e" in [one.path for one in below(str(tmp_path), ["."], ["skip"])]
    assert take(str(tmp_path), [Listed("src")]).left_out == (LeftOut("src", "is a directory"),)
    assert [one.path for one in take(str(tmp_path), [Listed("link")]).files] == ["link"]


def test_what_leads_out_of_the_project_is_left_out(tmp_path: Path) -> None:
    """A bundle may not name it: one such link would spoil the whole plan."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to("../elsewhere")
    (tmp_path / "root/inner").symlink_to("file")
    given = take(str(tmp_path / "root"), map(Listed, ["link", "link/new", "inner", "file"]))
    assert [one.path for one in given.files] == ["file", "inner"]
    assert {each.why for each in given.left_out} == {"leads out of the project, by a link"}


def test_a_directory_elsewhere_is_not_looked_into(tmp_path: Path) -> None:
    """Nothing out of the project is planned."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else/a.py").touch()
    (tmp_path / "root").mkdir()
    assert below(str(tmp_path / "root"), ["../else"], []) == [Listed("../else")]


def test_the_partner_of_what_is_left_out_is_alone(tmp_path: Path) -> None:
    """It is planned by itself."""
    given = take(str(tmp_path), [Listed("a", DELETE, "b"), Listed("b", RENAME, "a")])
    assert [one.partner for one in given.files] == ["b", "a"]
    assert [one.partner for one in leave(given, [LeftOut("a", "why")]).files] == [""]


def test_only_files_of_the_project_are_read(tmp_path: Path) -> None:
    """Not what a link leads to outside, no directory, nothing huge."""
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.py").write_text("import a")
    (tmp_path / "root/link.py").symlink_to("../secret.py")
    (tmp_path / "root/own.py").write_bytes(b"\xef\xbb\xbfimport b\xff")
    with (tmp_path / "root/huge.py").open("wb") as file:
        file.truncate(2**23)
    found = [
        read_text(str(tmp_path / "root"), name) for name in ("link.py", "huge.py", ".", "none", "own.py")
    ]
    assert found == ["", "", "", "", "import b\ufffd"]


def _git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def test_git_tells_lines_renames_and_new_files(tmp_path: Path) -> None:
    """Binary files have no lines; what moved counts by its new name."""
    text = "".join(f"line {number}\n" for number in range(20))
    for name, data in {"a.py": text, "b.py": text.upper(), "c.py": "1\n2\n", "d.bin": "\0"}.items():
        (tmp_path / name).write_text(data)
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    assert changed(str(tmp_path), "") == []
    (tmp_path / "a.py").write_text("new\n" + text)
    _git(tmp_path, "mv", "b.py", "e é.py")
    (tmp_path / "e é.py").write_text(text.upper() + "more\n")
    (tmp_path / "c.py").unlink()
    (tmp_path / "d.bin").write_text("\0\0")
    (tmp_path / "f.py").write_text("x\ny\nz")
    assert sorted(changed(str(tmp_path), "")) == [
        Listed("a.py", CHANGE, lines=1),
        Listed("b.py", DELETE, "e é.py", 0),
        Listed("c.py", DELETE, lines=2),
        Listed("d.bin", CHANGE),
        Listed("e é.py", RENAME, "b.py", 1),
        Listed("f.py", CREATE, lines=3),
    ]
    assert "c.py" in tracked(str(tmp_path))


def test_git_before_the_first_commit(tmp_path: Path) -> None:
    """All is new."""
    _git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1\n")
    _git(tmp_path, "add", "a")
    assert changed(str(tmp_path), "") == [Listed("a", CREATE, lines=1)]
