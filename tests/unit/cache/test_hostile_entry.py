"""Entries that somebody wrote by hand, with a right digest line: refused where they could do harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cachebox import entry_of, sha

from wsbuild.cache.entry import DamagedEntryError, KeptFile, parse, parse_any

DIGEST = sha(b"a")


def signed(text: str | bytes) -> bytes:
    """Any text with a right digest line behind it."""
    data = text.encode() if isinstance(text, str) else text
    return data + b"\n" + sha(data).encode() + b"\n"


def fields(**changed: object) -> dict[str, Any]:
    """What a good entry holds as JSON, but for what is changed."""
    return {**json.loads(entry_of().dump().split(b"\n")[0]), **changed}


def hostile(**changed: object) -> bytes:
    """An entry that somebody wrote by hand, with a right digest line."""
    return signed(json.dumps(fields(**changed)))


def file_row(path: object = "a", mode: object = 0o644, size: object = 1, digest: object = DIGEST) -> bytes:
    """A handmade entry with one file."""
    return hostile(files=[[path, mode, size, digest]])


def check_refused(data: bytes) -> None:
    """It is damaged for whoever reads it, and nothing else."""
    with pytest.raises(DamagedEntryError):
        parse_any(data)
    with pytest.raises(DamagedEntryError):
        parse(data, "t", "k")


@pytest.mark.parametrize("place", ["files", "removed"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "/etc/passwd",
        "//x",
        "a//b",
        "a/",
        "a/./b",
        "./a",
        ".git/hooks/x",
        ".GIT/x",
        "sub/.git/config",
        ".git",
        "git~1/x",
        ".git /x",
        ".g\u200cit/x",
        ".wsbuild/x",
        ".WSBuild/lock",
        ".wsbuild",
        ".wsbuild./x",
        ".worktrees/a/b",
        "a\0b",
        "a\ud800b",
    ],
)
def test_a_path_where_no_step_writes_is_refused(path: str, place: str) -> None:
    """Whoever wrote it, however right its digest is."""
    if place == "files":
        check_refused(file_row(path))
        check_refused(entry_of(files=(KeptFile(path, 0o644, 1, DIGEST),)).dump())
    else:
        check_refused(hostile(removed=[path]))


@pytest.mark.parametrize(
    ("files", "removed"),
    [
        (["a", "a"], []),
        (["a"], ["a"]),
        ([], ["a", "a"]),
        (["a", "a/b"], []),
        (["a/b/c", "a"], []),
        (["a/b/c", "x", "a/b"], []),
        (["a"], ["a/b"]),
        (["a/b"], ["a"]),
        ([], ["a", "a/b"]),
    ],
)
def test_paths_that_cannot_all_be_are_refused(files: list[str], removed: list[str]) -> None:
    """Twice the same, or a file that is a directory too."""
    check_refused(hostile(files=[[path, 0o644, 1, DIGEST] for path in files], removed=removed))


def test_names_that_only_begin_alike_are_no_clash() -> None:
    """`a` and `ab`, `a/b` and `a-b` can all be."""
    names = ["a", "ab", "a-b/c", "a.b"]
    entry = entry_of(files=tuple(KeptFile(name, 0o644, 1, DIGEST) for name in names))
    assert parse_any(entry.dump()) == entry


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1777, 0o7777, 0o10644, 0o100644, -1, -0o644, 10**400])
def test_special_permissions_are_refused(mode: int) -> None:
    """No file of a cache changes who somebody is."""
    check_refused(file_row(mode=mode))


@pytest.mark.parametrize("mode", [0, 0o200, 0o600, 0o644, 0o755, 0o777])
def test_plain_permissions_are_taken(mode: int) -> None:
    """All nine bits."""
    assert parse_any(file_row(mode=mode)).files[0].mode == mode


@pytest.mark.parametrize(
    "digest",
    ["", "0", DIGEST[1:], DIGEST + "0", DIGEST.upper(), "g" * 64, "/" * 64, "\u0660" * 64, " " + DIGEST[1:]],
)
def test_what_is_no_digest_is_refused(digest: str) -> None:
    """It would name a place outside the contents."""
    check_refused(file_row(digest=digest))


@pytest.mark.parametrize("size", ["x", None, [], {}, "0x1", "", float("nan")])
def test_what_is_no_size_is_refused(size: object) -> None:
    """Not a number at all."""
    check_refused(file_row(size=size))


@pytest.mark.parametrize("size", [-1, -(10**30)])
def test_a_negative_size_is_refused(size: int) -> None:
    """No file has one."""
    check_refused(file_row(size=size))


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("at", [1, 2])
def test_an_endless_number_is_refused(number: str, at: int) -> None:
    """With the exception that says so."""
    row = [json.dumps(value) for value in ("a", 0o644, 1, DIGEST)]
    row[at] = number
    text = json.dumps(fields(files=["HERE"])).replace('"HERE"', f"[{', '.join(row)}]")
    check_refused(signed(text))


@pytest.mark.parametrize(
    "log",
    ["../x", "xx/etc/passwd", "0", DIGEST.upper(), DIGEST + "/x", 5, None, ["a"], {"a": 1}, True],
    ids=repr,
)
def test_a_log_that_is_no_digest_is_refused(log: object) -> None:
    """It would name a place outside the contents."""
    data = hostile(log=log, log_size=1)
    if log is None:
        data = hostile(log=[], log_size=1)
    check_refused(data)


@pytest.mark.parametrize(
    "change",
    [
        {"files": None},
        {"files": 1},
        {"files": "abcd"},
        {"files": [1]},
        {"files": [[]]},
        {"files": [["a", 1, 1]]},
        {"files": [["a", 1, 1, DIGEST, 1]]},
        {"files": {"a": 1}},
        {"removed": None},
        {"removed": 1},
        {"removed": [1]},
        {"removed": [None]},
        {"removed": [["a"]]},
        {"format": 2},
        {"format": "1"},
        {"format": None},
        {"unknown": 1},
        {"task": 1},
        {"task": None},
        {"key": ["k"]},
        {"files": [[5, 420, 1, DIGEST]]},
        {"files": [["a", "420", 1, DIGEST]]},
        {"files": [["a", 420.9, 1, DIGEST]]},
        {"files": [["a", True, 1, DIGEST]]},
        {"files": [["a", 420, 1.5, DIGEST]]},
        {"files": [["a", 420, True, DIGEST]]},
        {"removed": "bc"},
        {"removed": {"b": 1}},
        {"before": None},
        {"before": ["a"]},
        {"before": {"a": 1}},
        {"manifest": 1},
        {"log_size": "x"},
        {"log_size": -1},
        {"exit_code": "0"},
        {"exit_code": None},
        {"duration_s": "1"},
        {"duration_s": float("nan")},
        {"made_at": 1},
        {"bound_to": 1},
        {"bound_to": "../../x"},
    ],
    ids=repr,
)
def test_wrong_types_are_refused(change: dict[str, object]) -> None:
    """Anywhere; who uses an entry looks at nothing twice."""
    with pytest.raises(DamagedEntryError):
        parse(hostile(**change), "t", "k")


@pytest.mark.parametrize("change", [{"task": 5}, {"key": 5}, {"key": "../k"}, {"key": "/x"}], ids=repr)
def test_names_that_make_no_path_are_refused_whoever_asks(change: dict[str, object]) -> None:
    """Also where it is not known whose entry it should be."""
    with pytest.raises(DamagedEntryError):
        parse_any(hostile(**change))


@pytest.mark.parametrize("name", sorted(set(fields()) - {"bound_to"}))
def test_what_is_left_out_is_missed(name: str) -> None:
    """Every field but the one with a default."""
    some = fields()
    del some[name]
    check_refused(signed(json.dumps(some)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "1",
        '"x"',
        "[]",
        "{}",
        "NaN",
        "{",
        b"\xff\xfe{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format": 1, "files": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"format": ' + "9" * 5000 + "}",
    ],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_no_entry_at_all_is_refused(text: str | bytes) -> None:
    """Other JSON, no JSON, too deep, too long a number."""
    check_refused(signed(text))
