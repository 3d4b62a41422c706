"""Secrets in what tools write."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsbuild.tools.redact import WINDOW, Redactor, Secret, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = "s3cr3t/Val+ue 'q\" ü%x"
KEY = "\n".join(
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEA" * 4,
        "9x+/Zq" * 10 + "AbCd",
        "Qg==",
        "-----END RSA PRIVATE KEY-----",
    ]
)
REDACTOR = Redactor(
    [Secret("THE_TOKEN", VALUE), Secret("OTHER", "plainvalue42"), Secret("KEY_FILE", KEY)], ()
)
RAW = VALUE.encode()


def _aligned(before: bytes) -> bytes:
    return base64.b64encode(before + RAW + b"behind it")


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        shlex.quote(VALUE)[1:-1],
        VALUE.replace("'", "'\\''"),
        quote(VALUE, safe=""),
        quote(VALUE),
        quote_plus(VALUE),
        "".join(part.lower() if part[:1] == "%" else part for part in [quote(RAW, safe="")]),
        RAW.hex(),
        RAW.hex().upper(),
        base64.b64encode(RAW).decode().rstrip("=")[:-1],
        base64.urlsafe_b64encode(RAW).decode().rstrip("=")[:-1],
        "plainvalue42",
    ],
)
def test_a_value_is_found_in_every_form(form: str) -> None:
    """In the middle of a line and alone."""
    for line in (form, f"x={form};"):
        left = REDACTOR.text(f"before\n{line}\nbehind\n")
        assert form not in left
        assert "[redacted:" in left
        assert left.startswith("before\n")
        assert left.endswith("\nbehind\n")


def test_lower_case_percent_codes_are_found() -> None:
    """As some encoders write them."""
    assert REDACTOR.text("s3cr3t%2fVal%2bue%20%27q%22%20%c3%bc%25x") == "[redacted:THE_TOKEN]"


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
def test_a_value_within_longer_base64_is_found(before: bytes) -> None:
    """At each of the three alignments; what is left of it does not hold the value."""
    for text in (_aligned(before), base64.urlsafe_b64encode(before + RAW + b"behind it")):
        left = REDACTOR.data(text)
        kept, _, rest = left.partition(b"[redacted:THE_TOKEN]")
        assert len(kept) <= len(before) * 4 // 3 + 2
        assert len(rest) <= 15


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_both_alphabets_of_base64_are_found(encode: Callable[[bytes], bytes]) -> None:
    """Of a value that they write differently."""
    value = "~~~???>>>~~~???>>>"
    assert Redactor([Secret("X", value)], ()).data(encode(value.encode())) == b"[redacted:X]"


def test_a_value_quoted_with_backslashes_is_found() -> None:
    """As a shell's `printf %q` writes it."""
    quoted = subprocess.run(
        ["bash", "-c", 'printf "<%q>" "$1"', "x", "a b'c\"d$e(f)"], capture_output=True, check=True
    )
    assert Redactor([Secret("X", "a b'c\"d$e(f)")], ()).data(quoted.stdout) == b"<[redacted:X]>"


def test_a_line_of_a_longer_value_is_found() -> None:
    """Alone and indented; a line that is too short is not."""
    redactor = Redactor([Secret("X", "first line\n  second line\nshort\n")], ())
    assert redactor.text("> second line\nfirst line, short") == "> [redacted:X]\n[redacted:X], short"


def test_wrapped_base64_is_found() -> None:
    """As `base64` writes a long value, in lines of 76 columns."""
    value = "".join(map(chr, range(35, 35 + 90)))
    wrapped = base64.encodebytes(value.encode())
    left = Redactor([Secret("LONG", value)], ()).data(wrapped)
    assert left == b"[redacted:LONG]\n" * 2


def test_a_key_goes_line_by_line() -> None:
    """Lines keep their number; by value, and by its look where it is nobody's value."""
    text = f"one\n{KEY}\ntwo\n"
    for redactor in (REDACTOR, Redactor([])):
        left = redactor.text(text)
        assert left.count("\n") == text.count("\n")
        assert "MIIE" not in left
        assert "9x+" not in left
        assert left.startswith("one\n")
        assert left.endswith("\ntwo\n")
    assert "Qg==" not in Redactor([]).text(text)


@pytest.mark.parametrize(
    "token",
    [
        *("ghp_" + "a1B2" * 9, "gho_" + "a1B2" * 9, "ghs_" + "a1B2" * 9, "github_pat_" + "11AAAAAA0_" * 5),
        *("sk-" + "a1B2" * 9, "sk-proj-" + "a1B-" * 9, "sk-ant-api03-" + "a1_B" * 9),
        *("AKIAIOSFODNN7EXAMPLE", "xoxb-123456789012-abcdefghij", "AIza" + "a1B2_" * 7),
        *("glpat-" + "a1B2-" * 4, "npm_" + "a1B2" * 9, "pypi-AgEIcHlwaS5vcmc" + "a1B2" * 12),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    ],
)
def test_tokens_are_known_by_their_look(token: str) -> None:
    """Whatever stands around them; not in the middle of a word."""
    for before, behind in (("", ""), ("token=", ";"), ('"', '"'), ("a ", "\n"), ("X_", "")):
        assert Redactor([]).text(f"{before}{token}{behind}") == f"{before}[redacted]{behind}"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def-ghi_jkl=mno", "Authorization: Bearer [redacted]"),
        ('{"authorization": "Basic dXNlcjpwYXNz"}', '{"authorization": "Basic [redacted]"}'),
        ("postgres://me:hunter2@db/x", "postgres://me:[redacted]@db/x"),
        ("https://:x@host", "https://:[redacted]@host"),
    ],
)
def test_credentials_are_known_by_where_they_stand(text: str, left: str) -> None:
    """What stands around them is left."""
    assert Redactor([]).text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "task-force-of-many-words-with-dashes sk-circle-fade-dot-and-more",
        "disk-a1b2c3d4e5f6a7b8c9d0e1f2 and Xghp_a1b2c3d4e5f6a7b8c9d0e1f2",
        "https://host:8080/path?x=1 and me@example.org",
        "authorization: invalid credentials were given",
        "AKIAIOSFODNN7EXAMPLEX and ghp_short and eyJhbGciOi",
        "tool 1.2 (sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f)",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Names with dashes, ports, addresses, digests."""
    assert Redactor([]).text(text) == text


def test_overlapping_secrets_are_all_gone() -> None:
    """Nothing of either is left; the longest gives its name."""
    redactor = Redactor([Secret("A", "abcdefgh12"), Secret("B", "gh12zzzz"), Secret("C", "abcdefgh")], ())
    assert redactor.text("xabcdefgh12zzzzx") == "x[redacted:A]x"
    assert redactor.text("abcdefghijk") == "[redacted:C]ijk"
    assert Redactor([Secret("A", "abababab")], ()).text("xababababab") == "x[redacted:A]"


def _cut(data: bytes, cuts: list[int]) -> bytes:
    stream = REDACTOR.stream()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    fed = [stream.feed(data[start:end]) for start, end in pairwise(places)]
    return b"".join([*fed, stream.flush()])


PARTS = [
    VALUE,
    "plainvalue42",
    KEY,
    KEY.replace("\n", "\\n"),
    "ghp_" + "a1B2" * 9,
    "\n",
    "\r\n",
    " ",
    "x",
    "-----BEGIN PRIVATE KEY-----\n",
]


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=20), max_size=20), st.lists(st.integers(0, 5000)))
@settings(deadline=None)
def test_the_result_does_not_depend_on_cuts(parts: list[str], cuts: list[int]) -> None:
    """Whatever is fed, in whatever pieces; and the lines keep their number."""
    data = "".join(parts).encode("utf-8", "surrogatepass")
    whole = _cut(data, [])
    assert _cut(data, cuts) == whole
    assert whole.count(b"\n") == data.count(b"\n")
    assert RAW not in whole
    assert b"plainvalue42" not in whole


@pytest.mark.parametrize("before", [WINDOW - 30, 2 * WINDOW - 30, WINDOW + 4096 - 30])
def test_a_secret_over_a_border_is_found(before: int) -> None:
    """At each byte around the border of a chunk, in a line without end, however it is cut."""
    for shift in range(60):
        data = b"." * (before + shift) + RAW + b"." * 9000 + b"ghp_" + b"a1B2" * 9 + b"\n"
        left = Redactor([Secret("THE_TOKEN", VALUE)]).data(data)
        assert left == b"." * (before + shift) + b"[redacted:THE_TOKEN]" + b"." * 9000 + b"[redacted]\n"
        border = WINDOW * (1 + before // WINDOW)
        assert _cut(data, [border]) == _cut(data, list(range(border - 5, border + 5)))
        assert RAW not in _cut(data, [border])


def test_a_token_longer_than_any_window_is_gone() -> None:
    """All of it, and no more; what is held of it is limited."""
    stream = Redactor([]).stream()
    given = stream.feed(b"begin ghp_")
    for _ in range(40):
        given += stream.feed(b"aB1" * 10_000)
        assert len(stream._held) <= stream._room
    given += stream.feed(b" end\nnext\n")
    assert given == b"begin [redacted] end\nnext\n"


def test_lines_are_given_out_when_they_end() -> None:
    """Whoever watches the output sees it."""
    stream = REDACTOR.stream()
    assert stream.feed(b"one\ntwo") == b"one\n"
    assert stream.feed(b"\n") == b"two\n"
    assert stream.feed(b"three") == b""
    assert stream.flush() == b"three"


def test_which_variables_are_secret() -> None:
    """By name, by a password in their value, or because the settings name them."""
    environ = {
        "A_KEY": "value-of-key",
        "GITHUB_TOKEN": "value-of-token",
        "token": "value-of-lower",
        "CLIENT_SECRET_ID": "value-of-secret",
        "DB_PASSWORD": "value-of-password",
        "MY_CREDENTIALS": "value-of-credentials",
        "GH_PAT": "value-of-pat",
        "DATABASE_URL": "postgres://me:h%40nter-two@db/x",
        "MINE": "value-of-mine",
        "PATH": "/usr/bin:/bin",
        "KEYBOARD": "value-of-keyboard",
        "PATTERN": "value-of-pattern",
    }
    found = secrets_of(environ, ["MINE"], [("STEP_TOKEN", "value-of-step"), ("PLAIN", "value-of-plain")])
    assert {secret.name for secret in found} == {*environ, "STEP_TOKEN"} - {"PATH", "KEYBOARD", "PATTERN"}
    values = {secret.value for secret in found if secret.name == "DATABASE_URL"}
    assert values == {environ["DATABASE_URL"], "h%40nter-two", "h@nter-two"}


def test_what_is_found_everywhere_is_not_searched_for() -> None:
    """Short values, common words, existing paths, masks; a name in the settings is trusted more."""
    environ = {
        "A_KEY": "short",
        "B_KEY": "Production",
        "C_KEY": "/etc/passwd",
        "D_KEY": "*" * 12,
        "E_KEY": "",
    }
    assert secrets_of(environ, []) == []
    assert [secret.name for secret in secrets_of(environ, environ)] == ["B_KEY", "C_KEY", "D_KEY"]
    assert [secret.name for secret in secrets_of({"C_KEY": "/no/such/path"}, [])] == ["C_KEY"]


def test_data_is_redacted_in_depth() -> None:
    """All strings, the names of fields as well."""
    data = {"plainvalue42": ["plainvalue42", {"n": 1}, None], "x": ("a plainvalue42",)}
    assert REDACTOR.all(data) == {
        "[redacted:OTHER]": ["[redacted:OTHER]", {"n": 1}, None],
        "x": ["a [redacted:OTHER]"],
    }


def test_what_is_no_text_makes_no_difference() -> None:
    """Bytes as `os.fsdecode` writes them, in the value and around it, and what no file can hold."""
    redactor = Redactor([Secret("X", "\udc80not-utf-8"), Secret("Y", "plainvalue42")])
    assert redactor.text("\udcff\udc80not-utf-8\udcfe") == "\udcff[redacted:X]\udcfe"
    assert redactor.text("\ud800") == "\ud800"
    assert redactor.text("\ud800plainvalue42") == "\\ud800[redacted:Y]"
