"""Entries on disk: whole and harmless, or refused."""

from __future__ import annotations

import pytest
from cachebox import entry_of, sha

from wsbuild.cache.entry import DamagedEntryError, Entry, KeptFile, parse, parse_any
from wsbuild.cache.files import MISSING

DIGEST = sha(b"a")
ODD = [
    "a b/c  d",
    "caf\u00e9/\u65e5\u672c.txt",
    "not-utf8-\udcff\udc80",
    "quo\"te'/back\\slash",
    "new\nline",
    "tab\t\x7f",
    "\u2028",
    "~/x",
    "-rf",
    ".github/x",
    ".gitignore",
    "sub/.wsbuild/x",
    "..a/b..",
    "x" * 255,
]


def check_refused(data: bytes) -> None:
    """It is damaged for whoever reads it, and nothing else."""
    with pytest.raises(DamagedEntryError):
        parse_any(data)
    with pytest.raises(DamagedEntryError):
        parse(data, "t", "k")


# --- good ones


@pytest.mark.parametrize("path", ODD)
def test_an_entry_comes_back_as_it_went(path: str) -> None:
    """With any name that a disk can have, in every place that holds text."""
    entry = entry_of(
        path,
        "k",
        manifest=path,
        files=(KeptFile(path, 0o755, 0, DIGEST), KeptFile("z", 0o400, 1 << 40, DIGEST)),
        removed=(path[:250] + ".gone",),
        before={path: MISSING, "b": "f:" + DIGEST},
        log=DIGEST,
        log_size=7,
        exit_code=3,
        duration_s=0.25,
        bound_to="0123456789abcdef",
    )
    assert parse(entry.dump(), path, "k") == parse_any(entry.dump()) == entry
    assert isinstance(parse_any(entry.dump()), Entry)


def test_the_form_is_one_line_of_ascii_and_its_digest() -> None:
    """Anybody can read and check it: head -1 | sha256sum, without the newline."""
    data = entry_of(ODD[2]).dump()
    text, digest, rest = data.split(b"\n")
    assert (sha(text).encode(), rest) == (digest, b"")
    assert data.isascii()


def test_states_tell_what_the_step_leaves() -> None:
    """Executable or not, and nothing where it removes."""
    files = (
        KeptFile("a", 0o644, 1, DIGEST),
        KeptFile("b", 0o700, 1, DIGEST),
        KeptFile("c", 0o601, 1, DIGEST),
    )
    assert entry_of(files=files, removed=("d",)).states() == {
        "a": "f:" + DIGEST,
        "b": "x:" + DIGEST,
        "c": "x:" + DIGEST,
        "d": MISSING,
    }


# --- damaged ones


def test_a_flip_of_any_bit_is_noticed() -> None:
    """In the text, the digest and the line ends."""
    data = entry_of().dump()
    for at in range(len(data)):
        for bit in range(8):
            check_refused(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])


def test_any_other_length_is_noticed() -> None:
    """Cut off anywhere, or with something behind it."""
    data = entry_of().dump()
    for length in range(len(data)):
        check_refused(data[:length])
    for more in (b"\n", b"\0", b"x", data):
        check_refused(data + more)


@pytest.mark.parametrize(("task", "key"), [("other", "k"), ("t", "other"), ("k", "t"), ("", "")])
def test_the_entry_of_another_step_or_key_is_refused(task: str, key: str) -> None:
    """A right entry in a wrong place is a wrong answer."""
    with pytest.raises(DamagedEntryError, match="another step"):
        parse(entry_of().dump(), task, key)


@pytest.mark.parametrize("data", [b"", b"\n", b"\0" * 4096, b"\n" + sha(b"").encode() + b"\n"], ids=len)
def test_an_empty_file_is_no_entry(data: bytes) -> None:
    """As a crash of the machine may leave it, or somebody who wants it to look right."""
    check_refused(data)
