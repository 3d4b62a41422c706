"""GitHub's REST API: one request at a time, all within a time limit, each told to who records it."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

from wsbuild import __version__
from wsbuild.errors import UserError, WsbuildError
from wsbuild.planning.project.connection import BrokenError, TrustError, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wsbuild.planning.project.connection import Answer

URL = "https://api.github.com"
URL_VARIABLE = "GITHUB_API_URL"
TOKEN_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")

RETRIES = 3
FIRST_PAUSE_S = 0.5
"""Before a failed request is sent again; the next pause is twice as long."""
CALL_S = 15.0
"""What one request may take, its answer included."""
MOST_WAIT_S = 20.0
"""A limit of the server's that is over sooner is waited for."""
SECONDARY_S = 60.0
"""How long a secondary limit lasts that does not say, as GitHub's documentation has it."""
MOST_HOPS = 3
OVER = "the time limit (`timeout_sec` of `github`) is over"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')
_REDIRECTS = frozenset({301, 302, 307, 308})


class Call(NamedTuple):
    """A request as it is recorded: `status` is that of HTTP, 0 where there was no answer; `outcome` is `ok`,
    `failed`, `retried` (it is sent again) or `later` (a limit of the server's).
    """

    method: str
    path: str
    status: int
    outcome: str
    duration_s: float
    message: str


class ApiError(Exception):
    """A request that came to nothing; `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class UnsureError(ApiError):
    """The server may have done what was asked, and has not said so."""


class LaterError(ApiError):
    """The server, or the time limit, wants it to be asked later."""


class UnusableError(WsbuildError):
    """Nothing can be asked at all: no connection, no trust, or no right."""

    exit_code = 3


def base_url(environ: Mapping[str, str]) -> str:
    """Where the API is. Raises UserError for an address that a token must not be sent to."""
    url = (environ.get(URL_VARIABLE) or URL).rstrip("/")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UserError(f"{URL_VARIABLE} is no address: {error}", f"leave it out for {URL}") from error
    if not parts.hostname or parts.username or parts.query or parts.fragment or re.search(r"\s", url):
        raise UserError(f"{URL_VARIABLE} is no address of an API", f"leave it out for {URL}")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UserError(
            f"{URL_VARIABLE} is no https address: everybody could read the token", "write https://"
        )
    return url


def token_of(environ: Mapping[str, str]) -> str:
    """The token. Raises UserError where there is none, or something else in its place."""
    name = next((name for name in TOKEN_VARIABLES if environ.get(name, "").strip()), "")
    if not name:
        hint = "`export GITHUB_TOKEN=...`: a token that may read and write issues"
        raise UserError(f"there is no token in {' or '.join(TOKEN_VARIABLES)}", hint)
    token = environ[name].strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise UserError(f"{name} holds something that is no token", "it has neither spaces nor lines")
    return token


def _limited(answer: Answer) -> float | None:
    """For how many seconds the server wants no more requests; None where this is no limit."""
    if answer.status not in {403, 429}:
        return None
    after = answer.headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(0.0, float(reset) - _their_time(answer)) if reset.isdecimal() else SECONDARY_S
    if answer.status == 429 or "rate limit" in answer.message.casefold():
        return SECONDARY_S
    return None


def _their_time(answer: Answer) -> float:
    """The server's clock, by which it says when a limit ends."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return time.time()


class Api:
    """The API at `url`; all that is asked is done, or given up, in `limit_s` seconds from now. `record` is
    told of each request when it has ended.
    """

    def __init__(self, url: str, token: str, limit_s: float, record: Callable[[Call], None]) -> None:
        self._url = url
        self._token = token
        self._end = time.monotonic() + limit_s
        self._record = record

    def pages(self, path: str, query: Mapping[str, str], most: int) -> Iterator[Any]:
        """What a list holds, row by row, of at most so many pages."""
        where = f"{path}?{urlencode({'per_page': '100', **query})}"
        for _ in range(most):
            answer, rows = self._ask("GET", where, None, again=True)
            if not isinstance(rows, list):
                raise ApiError(f"{path}: the server's answer is no list", answer.status)
            yield from rows
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None or not following[1].startswith(f"{self._url}/"):
                return
            where = following[1].removeprefix(self._url)

    def ask(self, method: str, path: str, body: Any = None, *, again: bool = True) -> Any:
        """Send a request; gives what the answer holds. Unless `again`, it is not sent twice where the server
        may have done it: that is an UnsureError. Raises ApiError, UnusableError.
        """
        return self._ask(method, path, body, again=again)[1]

    def pause(self, number: int) -> None:
        """Wait before the try after try `number`, from 1. Raises LaterError."""
        pause = FIRST_PAUSE_S * 2 ** (number - 1)
        if pause > self._left():
            raise LaterError(OVER)
        time.sleep(pause)

    def _left(self) -> float:
        return self._end - time.monotonic()

    def _sit_out(self, limit: _LimitedError) -> None:
        if limit.seconds > min(MOST_WAIT_S, self._left()):
            raise LaterError(f"GitHub wants no request for {limit.seconds:.0f} s", limit.status)
        time.sleep(limit.seconds)

    def _ask(self, method: str, path: str, body: Any, *, again: bool) -> tuple[Answer, Any]:
        number = 0
        while True:
            number += 1
            if self._left() <= 0:
                raise LaterError(OVER)
            may_retry = again and number <= RETRIES
            try:
                return self._once(method, path, body, may_retry=may_retry)
            except UnsureError:
                if not may_retry:
                    raise
                self.pause(number)
            except _LimitedError as limit:
                if number > RETRIES:
                    raise LaterError("GitHub says again and again that it was asked too often") from limit
                self._sit_out(limit)

    def _once(self, method: str, path: str, body: Any, *, may_retry: bool) -> tuple[Answer, Any]:
        """One request with its redirections, recorded."""
        start = time.monotonic()
        shown = path.partition("?")[0]

        def record(status: int, outcome: str, message: str) -> None:
            took = round(time.monotonic() - start, 3)
            self._record(Call(method, shown, status, outcome, took, message))

        try:
            answer = self._follow(method, self._url + path, body)
        except UnsureError as error:
            record(0, "retried" if may_retry else "failed", error.message)
            raise
        except (ApiError, UnusableError) as error:
            record(getattr(error, "status", 0), "failed", error.message)
            raise
        said = f"{method} {shown}: {answer.status} {answer.message}".rstrip()
        if (seconds := _limited(answer)) is not None:
            record(answer.status, "later", f"{answer.message}; wait {seconds:.0f} s")
            raise _LimitedError(said, seconds)
        if answer.status >= 500:
            record(answer.status, "retried" if may_retry else "failed", answer.message)
            raise UnsureError(said, answer.status)
        if answer.status >= 300:
            record(answer.status, "failed", answer.message)
            self._refuse(answer, said)
        try:
            data = answer.json()
        except (ValueError, RecursionError) as error:
            record(answer.status, "retried" if may_retry else "failed", "the answer is no JSON")
            raise UnsureError(f"{method} {shown}: the answer is no JSON", answer.status) from error
        record(answer.status, "ok", "")
        return answer, data

    @staticmethod
    def _refuse(answer: Answer, said: str) -> None:
        """Raise what a status of the server's means."""
        if answer.status == 401:
            raise UnusableError(f"GitHub does not accept the token ({said})", "make a new one")
        if answer.status == 403:
            hint = "it needs the right to read and write issues of the repository"
            raise UnusableError(f"the token may not do that ({said})", hint)
        raise ApiError(said, answer.status)

    def _follow(self, method: str, url: str, body: Any) -> Answer:
        """Send it, and again to where the server says it has moved. What another host says gets no token, and
        only what asks goes there.
        """
        for _ in range(MOST_HOPS + 1):
            is_ours = urlsplit(url)[:2] == urlsplit(self._url)[:2]
            if not is_ours and (method != "GET" or urlsplit(url).scheme != "https"):
                raise ApiError(f"{method} would be sent on to {urlsplit(url).netloc}, another server")
            answer = self._exchange(method, url, body, with_token=is_ours)
            target = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not target:
                return answer
            url = urljoin(url, target)
        raise ApiError("the server sends the request on and on")

    def _exchange(self, method: str, url: str, body: Any, *, with_token: bool) -> Answer:
        headers = {
            "Accept": "application/vnd.github+json",
            "Connection": "close",
            "User-Agent": f"wsbuild/{__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
            **({"Authorization": f"Bearer {self._token}"} if with_token else {}),
            **({} if body is None else {"Content-Type": "application/json"}),
        }
        data = None if body is None else json.dumps(body).encode()
        try:
            return exchange(method, url, headers, data, max(0.1, min(CALL_S, self._left())))
        except TrustError as error:
            hint = "SSL_CERT_FILE names a file with the certificates to trust"
            raise UnusableError(str(error), hint) from error
        except BrokenError as error:
            raise UnsureError(str(error)) from error


class _LimitedError(ApiError):
    """The server wants no requests for some seconds, and has not done this one."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
