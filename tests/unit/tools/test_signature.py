"""Error signatures: the same error looks the same, another one does not."""

from __future__ import annotations

import pytest

from wsbuild.tools.signature import normalize, signature


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \n\n b\tc\r\n", "a b c"),
        ("\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07", "red link"),
        ("at 0x7f3a9C10 in", "at <hex> in"),
        ("commit 3f5efa74b0", "commit <hex>"),
        ("2026-11-23T15:03:11.123Z start", "<time> start"),
        ("2026-11-23 15:03:11,5 start", "<time> start"),
        ("[15:03:11] start", "[<time>] start"),
        ("id 123e4567-e89b-12d3-a456-426614174000.", "id <uuid>."),
        ("3 passed in 0.12s", "<n> passed in <time>"),
        ("took 12 ms", "took <time>"),
        ("took 1m 3s", "took <time>"),
        ("/tmp/pytest-12/a/x.py:12:3: E501", "x.py:<n>:<n>: E501"),
        ('File "/home/u/src/x.py", line 7', 'File "x.py", line <n>'),
        ("--config=/etc/a/b.ini", "--config=b.ini"),
        ("(/a/b)", "(b)"),
        (r"C:\Users\me\x.py:3", "x.py:<n>"),
        ("src/a.py:3: F401", "src/a.py:<n>: F401"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("expected 1,234.5 got 7", "expected <n> got <n>"),
        ("py311 test_12 E501 utf8", "py311 test_12 E501 utf8"),
        ("defaced facade", "defaced facade"),
        ("", ""),
    ],
)
def test_normalizing(text: str, expected: str) -> None:
    """What differs from run to run becomes a placeholder; what names the error stays."""
    assert normalize(text) == expected


@pytest.mark.parametrize(
    "other",
    [("test", "1", "F401 x.py:1"), ("static", "2", "F401 x.py:1"), ("static", "1", "F841 x.py:1")],
)
def test_another_error_has_another_signature(other: tuple[str, str, str]) -> None:
    """Step, code and text all count."""
    assert signature(*other) != signature("static", "1", "F401 x.py:1")


def test_the_same_error_has_the_same_signature() -> None:
    """Sixteen hexadecimal digits, whatever the directory, line and duration."""
    first = signature("static", "1", "/a/b/x.py:10:2 F401 in 0.1s")
    assert first == signature("static", "1", "/c/x.py:99:8 F401 in 12.7s")
    assert len(first) == 16
    assert int(first, 16) >= 0


def test_fields_do_not_run_together() -> None:
    """A character cannot move from one field to the next unnoticed."""
    assert signature("ab", "c", "x") != signature("a", "bc", "x")


def test_half_a_character_is_no_obstacle() -> None:
    """Output that was no UTF-8 still has a signature."""
    assert signature("s", "c", b"\xff".decode("utf-8", "surrogateescape"))
