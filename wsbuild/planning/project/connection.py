"""One exchange over HTTP, cut when its time is over, whatever has come until then.

The only user of `http` and `ssl`. No library in their place: `requests` and `urllib3` bound the time between
two bytes, not that of a whole answer.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 32 * 2**20
"""An answer may have."""


class BrokenError(Exception):
    """There was no answer, or no whole one."""


class TrustError(Exception):
    """The server cannot prove who it is, or does not speak TLS."""


class Answer(NamedTuple):
    """What came back; `headers` by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> Any:
        """What it holds. Raises ValueError, RecursionError."""
        return json.loads(self.data) if self.data.strip() else None

    @property
    def message(self) -> str:
        """What the server says of an error."""
        try:
            said = self.json()
        except (ValueError, RecursionError):
            said = None
        text = said.get("message") if isinstance(said, dict) else None
        return " ".join(str(text or http.client.responses.get(self.status, "")).split())[:200]


class _Connection:
    """A connection for one request that is cut after `limit_s` seconds, whatever comes until then."""

    def __init__(self, url: str, limit_s: float) -> None:
        parts = urlsplit(url)
        host, self._limit_s = parts.hostname or "", limit_s
        self._connection: http.client.HTTPConnection
        if parts.scheme == "http":
            self._connection = http.client.HTTPConnection(host, parts.port, timeout=limit_s)
        else:
            proxy = "" if proxy_bypass(host) else getproxies().get("https", "")
            self._connection = _secure(host, parts.port or 443, proxy, limit_s)
        self._is_cut = threading.Event()
        self._watch: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._connection.close()

    def _cut(self, sock: socket.socket) -> None:
        self._is_cut.set()
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # that of TLS would say good-bye first

    def exchange(self, method: str, target: str, headers: Mapping[str, str], data: bytes | None) -> Answer:
        """Send and receive. Raises OSError, HTTPException, ValueError."""
        self._connection.connect()
        self._watch = threading.Timer(self._limit_s, self._cut, [self._connection.sock])
        self._watch.daemon = True
        self._watch.start()
        try:
            self._connection.request(method, target, data, dict(headers))
            response = self._connection.getresponse()
            received = response.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._is_cut.is_set():
                raise TimeoutError from error
            raise
        if self._is_cut.is_set():
            raise TimeoutError
        if len(received) > MOST_BYTES:
            raise ValueError("the answer is too long")
        known = {name.casefold(): value for name, value in response.getheaders()}
        return Answer(response.status, known, received)


def _secure(host: str, port: int, proxy: str, limit_s: float) -> http.client.HTTPSConnection:
    """A connection by TLS, through a proxy where one is configured."""
    context = ssl.create_default_context()
    if not proxy:
        return http.client.HTTPSConnection(host, port, timeout=limit_s, context=context)
    through = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = http.client.HTTPSConnection(
        through.hostname or "", through.port or 8080, timeout=limit_s, context=context
    )
    connection.set_tunnel(host, port)
    return connection


def exchange(method: str, url: str, headers: Mapping[str, str], data: bytes | None, limit_s: float) -> Answer:
    """Send a request; gives what comes back within `limit_s` seconds. Raises BrokenError, TrustError."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _Connection(url, limit_s) as connection:
            return connection.exchange(method, target, headers, data)
    except ssl.SSLEOFError as error:
        raise BrokenError(f"{parts.netloc}: the connection ended") from error
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        raise TrustError(f"no trust in {parts.netloc}: {why}") from error
    except TimeoutError as error:
        raise BrokenError(f"{parts.netloc} has not answered in {limit_s:.0f} s") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "strerror", "") or str(error) or type(error).__name__
        raise BrokenError(f"{parts.netloc}: {why}") from error
