"""The log of limited size."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from wsbuild.errors import StateError
from wsbuild.tools.output import TAIL, Output
from wsbuild.tools.redact import Redactor, Secret

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ([], b""),
        ([b"0123456789"], b"0123456789"),
        ([b"0123", b"456789"], b"0123456789"),
        ([b"0123456789A"], b"01234\n... 1 bytes dropped ...\n6789A"),
        ([b"%d" % (i % 10) for i in range(30)], b"01234\n... 20 bytes dropped ...\n56789"),
        ([b"x" * 100, b"ab"], b"xxxxx\n... 92 bytes dropped ...\nxxxab"),
    ],
)
def test_head_and_tail_are_kept(tmp_path: Path, pieces: list[bytes], kept: bytes) -> None:
    """Up to the cap all is kept; of more, the two ends with a line that says what is missing."""
    path = tmp_path / "log"
    with closing(Output(str(path), 10)) as output:
        for piece in pieces:
            output.add(piece)
    assert path.read_bytes() == kept
    assert output.total == sum(map(len, pieces))
    assert output.dropped == max(0, output.total - 10)


def test_an_odd_cap_loses_nothing(tmp_path: Path) -> None:
    """As many bytes as the cap fit, also when it has no half."""
    path = tmp_path / "log"
    with closing(Output(str(path), 5)) as output:
        output.add(b"01234")
    assert path.read_bytes() == b"01234"


def test_the_head_is_there_at_once(tmp_path: Path) -> None:
    """What was written can be read in the log while the command runs."""
    path = tmp_path / "log"
    with closing(Output(str(path), 100)) as output:
        output.add(b"early")
        assert path.read_bytes() == b"early"


def test_logs_are_appended_to(tmp_path: Path) -> None:
    """The next command of a step does not remove what the one before wrote."""
    path = tmp_path / "log"
    for word in (b"one ", b"two"):
        with closing(Output(str(path), 100)) as output:
            output.add(word)
    assert path.read_bytes() == b"one two"


@pytest.mark.parametrize("size", [0, 1, TAIL, TAIL + 1, 5 * TAIL + 3])
def test_the_last_bytes_are_at_hand(size: int) -> None:
    """Messages get the last bytes, wherever the log is cut and even without one."""
    data = bytes(i % 251 for i in range(size))
    with closing(Output(None, 10)) as output:
        for start in range(0, size, 1000):
            output.add(data[start : start + 1000])
    assert output.last == data[-TAIL:]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A log that cannot be written is an error that names it."""
    with pytest.raises(StateError, match="cannot write the log"):
        Output(str(tmp_path / "no" / "log"), 10)
    with (
        pytest.raises(StateError, match="No space left"),
        closing(Output("/dev/full", 10)) as output,
    ):
        output.add(b"data")


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """Neither in the log nor at hand, however it comes; each line is there when it has ended."""
    path = tmp_path / "log"
    redactor = Redactor([Secret("TOKEN", "the-secret-value")])
    with closing(Output(str(path), 100, redactor)) as output:
        assert output.add(b"one\nthe-sec") == b"one\n"
        assert path.read_bytes() == b"one\n"
        assert output.add(b"ret-value") == b""
        assert output.flush() == b"[redacted:TOKEN]"
        output.add(b"!")
    assert path.read_bytes() == b"one\n[redacted:TOKEN]!"
    assert output.last == b"one\n[redacted:TOKEN]!"
    assert output.total == len(output.last)
