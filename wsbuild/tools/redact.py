"""Secrets in text from outside: which values are secret, and taking them out of what is kept or shown.

A secret is found by its value, in the forms that tools write values in, or by the look of a well-known
token. It never reaches over a line end: of a secret of several lines each line is found by itself, so
that lines keep their number. A stream of bytes gives the same result however it is cut.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SHORTEST = 8
"""Characters; a shorter value is not searched for: it would be found in anything."""

WORDS = frozenset(
    (
        *("anonymous", "changeme", "default", "development", "disabled", "enabled", "external", "internal"),
        *("keychain", "localhost", "optional", "password", "postgres", "production", "required"),
        *("undefined", "username"),
    )
)
"""Values that a variable with the name of a secret may have and that are none."""

_NAME = re.compile(
    r"(?:^|_)(?:API)?(?:KEY|TOKEN|PAT)$|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL", re.IGNORECASE
)
_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
WRAPPED = (64, 76)
"""Columns after which base64 is broken into lines, by PEM and by MIME."""

WINDOW = 64 * 1024
PIECE = 64 * 1024
SHORT, MOST_KNOWN = 200, 4096
"""Characters of texts whose answers are kept, and how many: records have the same words again and again."""


class Secret(NamedTuple):
    """A value that must not be seen, and the name of the variable that holds it."""

    name: str
    value: str


class Pattern(NamedTuple):
    """The look of a token: no data without `anchor` matches `regex`. What is secret of a match is its
    group, or all of it where it has none. `regex` matches nothing with a line end in it; it is compiled
    when its anchor is met.
    """

    anchor: bytes
    regex: bytes


def _token(prefix: str, rest: str) -> Pattern:
    """A token that begins with the literal `prefix`, not in the middle of a word."""
    start = re.escape(prefix)
    return Pattern(prefix.encode(), f"{start}(?<![A-Za-z0-9]{start}){rest}".encode())


_BEGIN, _END = (
    rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY",
    rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,6}-----",
)
PATTERNS = (
    *(_token(f"gh{kind}_", "[A-Za-z0-9]{20,}") for kind in "pousr"),
    _token("github_pat_", "[A-Za-z0-9_]{20,}"),
    _token("glpat-", "[A-Za-z0-9_.-]{20,}"),
    # A digit is asked for: `sk-` also begins names that are words with dashes.
    _token("sk-", "(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,}"),
    *(_token(kind, "[A-Z0-9]{16}(?![A-Za-z0-9])") for kind in ("AKIA", "ASIA")),
    _token("xox", "[a-z]-[A-Za-z0-9-]{10,}"),
    _token("AIza", "[A-Za-z0-9_-]{35}"),
    _token("npm_", "[A-Za-z0-9]{36}"),
    _token("pypi-", "[A-Za-z0-9_-]{50,}"),
    _token("eyJ", r"[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    Pattern(b"earer ", rb"[Bb]earer +([A-Za-z0-9._~+/=-]{16,})"),
    Pattern(
        b"uthorization",
        rb"uthorization[\"']?[ \t]?[:=][ \t]*[\"']?(?i:basic|bearer|token) +([^\s\"']{8,})",
    ),
    Pattern(b"://", rb"://[^\s/:@\"']{0,256}:([^\s/@\"']{1,256})@"),
    Pattern(b"-----BEGIN ", _BEGIN + rb"(?:[^\n]*?" + _END + rb"|[^\r\n]*)"),
)
_OPENED = re.compile(_BEGIN + rb"(?![^\n]*" + _END + rb")")
_KEY_LINE = re.compile(rb"[ \t]*(?:[A-Za-z0-9+/=]*|[A-Za-z-]+: [^\r\n]*)[ \t]*\r?\n?")
_KEY_END = re.compile(rb"[ \t]*" + _END + rb"[ \t]*\r?\n?")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_LINE_END = re.compile(rb"\r?\n?\Z")
_TOKEN_REST = re.compile(rb"[A-Za-z0-9+/=_.~\\-]*")


def secrets_of(
    environ: Mapping[str, str], names: Iterable[str], given: Iterable[tuple[str, str]] = ()
) -> list[Secret]:
    """The secrets among the variables of `environ` and those `given` to tools.

    Secret is a variable by one of `names`, one whose name says so, and one that holds a URL with a
    password. Values that are too short, a common word or an existing path are left out; of `names` only
    those that are too short.
    """
    listed = set(names)
    found: dict[Secret, None] = {}
    for name, value in (*environ.items(), *given):
        password = _PASSWORD.search(value)
        if not (name in listed or password or _NAME.search(name)):
            continue
        held = [value, *_written(password[1])] if password else [value]
        found.update(
            (Secret(name, each), None)
            for each in held
            if len(each) >= SHORTEST and (name in listed or _tells(each))
        )
    return list(found)


def _written(password: str) -> tuple[str, str]:
    """A password as it stands in a URL, and as it is."""
    from urllib.parse import unquote

    return password, unquote(password)


def _tells(value: str) -> bool:
    """Whether a value may be a secret: neither a word, nor one character again and again, nor a path."""
    if value.lower() in WORDS or len(set(value)) == 1:
        return False
    return not (value.startswith(("/", "~/")) and os.path.lexists(os.path.expanduser(value)))


def _forms(value: str) -> Iterator[bytes]:
    """The ways to write a value on one line."""
    import base64
    from urllib.parse import quote

    raw = value.encode("utf-8", "surrogateescape")
    yield raw
    for ascii_only in (True, False):
        yield json.dumps(value, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogateescape")
    for inner in ("'\\''", "'\"'\"'"):
        yield raw.replace(b"'", inner.encode())
    yield re.sub(rb"([^A-Za-z0-9_@%+=:,./-])", rb"\\\1", raw)
    for safe in ("", "/", "!*'()"):
        percent = quote(raw, safe=safe)
        for form in (percent, re.sub(r"%..", lambda code: code[0].lower(), percent)):
            yield form.encode()
            yield form.replace("%20", "+").encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for before in range(3):
        # Of characters that also hold bits of what stands before or behind, nothing can be said.
        text = base64.b64encode(b"\0" * before + raw)[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        yield text
        yield text.translate(bytes.maketrans(b"+/", b"-_"))
    whole = base64.b64encode(raw)
    for width in WRAPPED:
        yield from (whole[at : at + width] for at in range(0, len(whole), width))


def _needles(secret: Secret) -> Iterator[bytes]:
    """What to search for: all forms without line ends, and each line of a value of several."""
    yield from _forms(secret.value)
    lines = secret.value.splitlines()
    if len(lines) > 1:
        yield from (line.strip().encode("utf-8", "surrogateescape") for line in lines if line[:5] != "-----")


class Redactor:
    """Takes `secrets`, and what looks like a token by `patterns`, out of bytes and text.

    A secret becomes `[redacted:NAME]`, a token `[redacted]`. It never changes: threads may share it.
    """

    def __init__(self, secrets: Iterable[Secret], patterns: Sequence[Pattern] = PATTERNS) -> None:
        found: dict[bytes, bytes] = {}
        for secret in secrets:
            for needle in _needles(secret):
                if len(needle) >= SHORTEST and b"\n" not in needle:
                    found.setdefault(needle, b"[redacted:%s]" % secret.name.encode("utf-8", "replace"))
        self._needles = sorted(found.items(), key=lambda item: -len(item[0]))
        self._short = lru_cache(MOST_KNOWN)(self._text)
        self._patterns = patterns
        self.longest = max([4096, *map(len, found)])
        """Bytes; no value that is searched for is longer."""

    def stream(self) -> Stream:
        """A stream to put bytes through as they come."""
        return Stream(self)

    def data(self, data: bytes) -> bytes:
        """All of some bytes, redacted."""
        stream = self.stream()
        return stream.feed(data) + stream.flush()

    def text(self, text: str) -> str:
        """The same for text; in it, bytes that are no text are as `os.fsdecode` writes them."""
        return self._short(text) if len(text) <= SHORT else self._text(text)

    def _text(self, text: str) -> str:
        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a surrogate pair, which is in no secret
            data = text.encode("utf-8", "backslashreplace")
        left = self.data(data)
        return text if left == data else left.decode("utf-8", "surrogateescape")

    def all(self, value: Any) -> Any:
        """JSON data with all its strings redacted, the names of fields as well."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.all(each) for each in value]
        if isinstance(value, dict):
            return {self.text(name): self.all(each) for name, each in value.items()}
        return value

    def spans(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Where secrets are in some bytes: start, end and what to put there; none touches another."""
        found: list[tuple[int, int, bytes]] = []
        for needle, mark in self._needles:
            at = data.find(needle)
            while at >= 0:
                found.append((at, at + len(needle), mark))
                at = data.find(needle, at + 1)
        for pattern in self._patterns:
            if pattern.anchor in data:
                found += ((*m.span(m.lastindex or 0), b"") for m in re.finditer(pattern.regex, data))
        return _merged(found)


def by_environment(text: str) -> str:
    """Text without the secrets of this process's environment: for errors that come before all else."""
    return Redactor(secrets_of(os.environ, ())).text(text)


def _merged(found: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Spans that overlap or touch made one, named by the first of them that has a name."""
    merged: list[tuple[int, int, bytes]] = []
    for start, end, mark in sorted(found, key=lambda span: (span[0], -span[1])):
        if merged and start <= merged[-1][1]:
            first = merged[-1]
            merged[-1] = (first[0], max(end, first[1]), first[2] or mark)
        else:
            merged.append((start, end, mark))
    return [(start, end, mark or b"[redacted]") for start, end, mark in merged]


def _put(data: bytes, spans: Sequence[tuple[int, int, bytes]]) -> bytes:
    pieces, done = [], 0
    for start, end, mark in spans:
        pieces += [data[done:start], mark]
        done = end
    return b"".join([*pieces, data[done:]])


class Stream:
    """Bytes on their way: a line is given out when it has ended, the rest by `flush`.

    A line longer than a window is given out window by window. Where one ends depends on nothing but
    the line, so that a cut of the input makes no difference. A token that goes on at the end of a
    window is dropped up to its own end.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._room = WINDOW + redactor.longest
        self._held = bytearray()
        self._in_token = False
        self._in_key = False

    def feed(self, data: bytes) -> bytes:
        """Take what comes next; gives what is known to hold no secret."""
        return b"".join([self._take(data[at : at + PIECE]) for at in range(0, len(data), PIECE)])

    def flush(self) -> bytes:
        """The rest: nothing follows, or it is no part of what was fed."""
        rest, self._held = self._lines(bytes(self._held)), bytearray()
        self._in_token = self._in_key = False
        return rest

    def _take(self, data: bytes) -> bytes:
        given = []
        data = self._after_token(data)
        while self._first_line(data) >= (room := self._room - len(self._held)):
            self._held += data[:room]
            given.append(self._window())
            data = self._after_token(data[room:])
        if last := data.rfind(b"\n") + 1:
            given.append(self._lines(bytes(self._held) + data[:last]))
            self._held = bytearray(data[last:])
        else:
            self._held += data
        return b"".join(given)

    @staticmethod
    def _first_line(data: bytes) -> int:
        end = data.find(b"\n")
        return end if end >= 0 else len(data)

    def _after_token(self, data: bytes) -> bytes:
        """What is left of some bytes when the token under way is dropped from their beginning."""
        if not self._in_token or not data:
            return data
        match = _TOKEN_REST.match(data)
        assert match is not None
        self._in_token = match.end() == len(data)
        return data[match.end() :]

    def _window(self) -> bytes:
        """Give out the beginning of a long line: all that cannot be part of a secret that goes on."""
        data, self._in_key = bytes(self._held), False
        spans, cut = self._redactor.spans(data), WINDOW
        spans = [span for span in spans if span[0] < cut]
        cut = max([cut, *(end for _, end, _ in spans)])
        self._held = bytearray(data[cut:])
        self._in_token = cut == len(data)
        return _put(data[:cut], spans)

    def _lines(self, data: bytes) -> bytes:
        """Some whole lines."""
        if not self._in_key and b"-----BEGIN " not in data:
            return _put(data, self._redactor.spans(data))
        return b"".join([self._line(line) for line in _LINE.findall(data)])

    def _line(self, line: bytes) -> bytes:
        """A line where keys may be: one in the block of a private key goes, whatever it is."""
        if self._in_key:
            is_end = _KEY_END.fullmatch(line)
            self._in_key = not is_end and _KEY_LINE.fullmatch(line) is not None
            if self._in_key or is_end:
                return _blank(line)
        self._in_key = _OPENED.search(line) is not None
        return _put(line, self._redactor.spans(line))


def _blank(line: bytes) -> bytes:
    """Nothing of a line but its end."""
    end = _LINE_END.search(line)
    assert end is not None
    return b"[redacted]" + end[0]
