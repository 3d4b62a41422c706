"""GitHub's issues on a port of loopback: it keeps them, holds each request against the published description
of the API, and fails as a test tells it to.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import openapi

TOKEN = "ghp_loopbackloopbackloopbackloopback0001"
REPOSITORY = "octo/shop"
USER = "https://api.github.com/users/octocat"


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Fault(NamedTuple):
    """What is done in the place of an answer: by default one with `status`. With `performed` what was asked
    is done before. `kind` is `answer`, `hang`, `drop` (a reset), `drip` (an answer that never ends), `short`
    (one that ends too early) or `text` (an answer that is `body` as it stands).
    """

    status: int = 500
    message: str = "a fault"
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = "answer"
    performed: bool = False
    body: str = ""


class GitHub:
    """The server. `issues`, `comments` (by issue) and `labels` are what is there, `requests` what was asked,
    `problems` what was wrong with that. `page_size` is how many rows it gives at most.
    """

    def __init__(self, context: Any = None) -> None:
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.labels: set[str] = set()
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.page_size = 100
        self.is_described = openapi.is_there()
        self._faults: list[tuple[re.Pattern[str], list[Fault]]] = []
        self.closing = threading.Event()
        self.lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": self}))
        self._http.daemon_threads = True
        scheme = "http"
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def fail(self, pattern: str, *faults: Fault) -> None:
        """Have the next requests that match (`POST .*/issues$`) fail, each in its way."""
        self._faults.append((re.compile(pattern), list(faults)))

    def asked(self, pattern: str = "") -> list[Request]:
        """What was asked, of what matches."""
        return [each for each in self.requests if re.search(pattern, str(each))]

    def issue(self, title: str = "Mine", **fields: Any) -> int:
        """Make an issue; gives its number."""
        number = max(self.issues, default=0) + 1
        self.issues[number] = _issue(number, {"title": title, **fields})
        self.comments[number] = []
        return number

    def label_names(self, number: int) -> list[str]:
        """The labels of an issue."""
        return [label["name"] for label in self.issues[number]["labels"]]

    def fault_for(self, request: Request) -> Fault | None:
        """What is to go wrong now."""
        for pattern, faults in self._faults:
            if faults and pattern.search(str(request)):
                return faults.pop(0)
        return None

    def check(self, request: Request) -> None:
        """Hold a request against the description."""
        self.requests.append(request)
        if self.is_described:
            self.problems += openapi.request_problems(
                request.method, request.path, request.query, request.body
            )
        else:
            self.problems += openapi.small_problems(request.method, request.path, request.body)
        wanted = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        for name, value in wanted.items():
            if request.headers.get(name) != value:
                self.problems.append(f"{request}: {name} is {request.headers.get(name)}")
        if not request.headers.get("user-agent", "").startswith("wsbuild/"):
            self.problems.append(f"{request}: no user agent")
        if request.body is not None and request.headers.get("content-type") != "application/json":
            self.problems.append(f"{request}: the body has no type")

    def answer(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        """Do what was asked."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return (
                401,
                {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"},
                {},
            )
        rest = request.path.removeprefix(f"/repos/{REPOSITORY}")
        if rest == request.path:
            return 404, {"message": "Not Found"}, {}
        status, data, headers = self._do(request, rest)
        if self.is_described and status < 300:
            self.problems += openapi.answer_problems(request.method, request.path, status, data)
        return status, data, headers

    def _do(self, request: Request, rest: str) -> tuple[int, Any, dict[str, str]]:
        body = request.body or {}
        if rest == "/labels":
            return self._make_label(body)
        if rest == "/issues" and request.method == "POST":
            number = self.issue(**body)
            return 201, self.issues[number], {}
        if rest == "/issues":
            rows = sorted(self.issues.values(), key=lambda row: -row["number"])
            state = request.query.get("state", "open")
            return self._page(request, [row for row in rows if state in {"all", row["state"]}])
        number, _, inner = rest.removeprefix("/issues/").partition("/")
        issue = self.issues.get(int(number))
        if issue is None:
            return 404, {"message": "Not Found"}, {}
        if inner == "comments" and request.method == "POST":
            self.comments[int(number)].append(_comment(len(self.requests), body["body"]))
            return 201, self.comments[int(number)][-1], {}
        if inner == "comments":
            return self._page(request, self.comments[int(number)])
        if inner == "labels":
            issue["labels"] += [_label(name) for name in body["labels"]]
            return 200, issue["labels"], {}
        if inner.startswith("labels/"):
            name = unquote(inner.removeprefix("labels/"))
            issue["labels"] = [row for row in issue["labels"] if row["name"] != name]
            return 200, issue["labels"], {}
        issue.update(body)
        return 200, issue, {}

    def _make_label(self, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        if body["name"] in self.labels:
            errors = [{"resource": "Label", "code": "already_exists", "field": "name"}]
            return 422, {"message": "Validation Failed", "errors": errors}, {}
        self.labels.add(body["name"])
        return 201, _label(body["name"], body["color"]), {}

    def _page(self, request: Request, rows: list[Any]) -> tuple[int, Any, dict[str, str]]:
        page, size = int(request.query.get("page", "1")), min(self.page_size, int(request.query["per_page"]))
        headers = {}
        if page * size < len(rows):
            query = "&".join(f"{name}={value}" for name, value in request.query.items() if name != "page")
            following = f"{self.url}{request.path}?{query}&page={page + 1}"
            headers["Link"] = f'<{following}>; rel="next", <{self.url}/x?page=9>; rel="last"'
        return 200, rows[(page - 1) * size : page * size], headers


def _label(name: str, color: str = "ededed") -> dict[str, Any]:
    url = f"https://api.github.com/repos/{REPOSITORY}/labels/x"
    return {
        "id": 1,
        "node_id": "n",
        "url": url,
        "name": name,
        "description": None,
        "color": color,
        "default": False,
    }


def _user() -> dict[str, Any]:
    names = (
        *("followers_url", "following_url", "gists_url", "starred_url", "subscriptions_url"),
        *("organizations_url", "repos_url", "events_url", "received_events_url", "url", "html_url"),
    )
    return {
        "login": "octocat",
        "id": 1,
        "node_id": "n",
        "avatar_url": USER,
        "gravatar_id": "",
        **dict.fromkeys(names, USER),
        "type": "User",
        "site_admin": False,
    }


def _issue(number: int, given: dict[str, Any]) -> dict[str, Any]:
    url = f"https://api.github.com/repos/{REPOSITORY}/issues/{number}"
    at = "2026-01-01T00:00:00Z"
    made: dict[str, Any] = {
        "id": number,
        "node_id": "n",
        "url": url,
        "number": number,
        "state": "open",
        "locked": False,
        "repository_url": f"https://api.github.com/repos/{REPOSITORY}",
        "labels_url": f"{url}/labels",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "user": _user(),
        "body": "",
        "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
        "labels": [],
        "comments": 0,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "closed_at": None,
        "created_at": at,
        "updated_at": at,
        "author_association": "OWNER",
        "active_lock_reason": None,
        "closed_by": None,
        "state_reason": None,
    }
    made |= given
    made["labels"] = [_label(each) if isinstance(each, str) else each for each in made["labels"]]
    return made


def _comment(number: int, body: str) -> dict[str, Any]:
    url = f"https://api.github.com/repos/{REPOSITORY}/issues/comments/{number}"
    at = "2026-01-01T00:00:00Z"
    return {
        "id": number,
        "node_id": "n",
        "url": url,
        "html_url": url,
        "body": body,
        "user": _user(),
        "created_at": at,
        "updated_at": at,
        "issue_url": url,
        "author_association": "OWNER",
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: GitHub

    def _handle(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(text) if text else None
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        with self.github.lock:
            self.github.check(request)
            fault = self.github.fault_for(request)
            if fault is None or fault.performed:
                status, data, more = self.github.answer(request)
        if fault is None:
            self._send(status, json.dumps(data), more)
            return
        self.close_connection = True
        if fault.kind in {"answer", "text"}:
            text = fault.body if fault.kind == "text" else json.dumps({"message": fault.message})
            self._send(fault.status, text, dict(fault.headers))
        else:
            getattr(self, f"_{fault.kind}")()

    do_GET = do_POST = do_PATCH = do_DELETE = _handle

    def _send(self, status: int, text: str, headers: dict[str, str]) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _hang(self) -> None:
        self.github.closing.wait(60)

    def _drop(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _drip(self) -> None:
        self._begin()
        while not self.github.closing.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()

    def _short(self) -> None:
        self._begin()
        self.wfile.write(b'{"number": 1')

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):  # who asked is gone
            self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Nothing."""
