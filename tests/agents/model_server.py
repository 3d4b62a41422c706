"""A model that says what a test tells it to: OpenAI's HTTP interface on a port of loopback.

It is a proxy too, so that whoever is told to use it as one cannot reach anybody unnoticed.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MODEL = "scripted"


class Refusal(NamedTuple):
    """An answer that is an error, as OpenAI words them."""

    status: int
    message: str
    kind: str = "invalid_request_error"
    code: str | None = None
    retry_after: str = ""


class Hang(NamedTuple):
    """No answer until the server is closed or the caller is gone."""


class Drop(NamedTuple):
    """The connection ends without a word."""


Reply = str | Refusal | Hang | Drop

USAGE_LIMIT = Refusal(
    429,
    "You exceeded your current quota, please check your plan and billing details. For more information on"
    " this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    "insufficient_quota",
    "insufficient_quota",
    "1",
)
BAD_KEY = Refusal(401, "Incorrect API key provided: dummy.", code="invalid_api_key")
OVER = Refusal(400, "the script of the test is over")


class Request(NamedTuple):
    """What was asked: the body as it came, who asks, and the words of all messages."""

    body: dict[str, Any]
    authorization: str = ""

    @property
    def text(self) -> str:
        """All that the model is told."""
        return "\n".join(_words(message["content"]) for message in self.body["messages"])


def _words(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content)


class ModelServer:
    """Gives the replies of a script, one a request, in their order; or what a callable makes of a request.

    `requests` are those for an answer, `strays` all others: paths, and who was to be reached through it.
    """

    def __init__(self, script: Iterable[Reply] | Callable[[Request], Reply] = ()) -> None:
        self.script = script if callable(script) else list(script)
        self.requests: list[Request] = []
        self.strays: list[str] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def address(self) -> str:
        """Its URL, without a path."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        """Let go of who hangs, and end."""
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reply(self, request: Request) -> Reply:
        """What a request gets."""
        with self._lock:
            self.requests.append(request)
            if callable(self.script):
                return self.script(request)
            return self.script.pop(0) if self.script else OVER

    def wait(self, connection: socket.socket) -> None:
        """Until the server is closed or the caller is gone."""
        connection.settimeout(0.05)
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return


def _choice(stream: bool, text: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": text}
    return {"index": 0, "finish_reason": None if stream else "stop", ("delta" if stream else "message"): said}


def _answer(choice: dict[str, Any], kind: str) -> dict[str, Any]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "1",
        "object": kind,
        "created": 0,
        "model": MODEL,
        "choices": [choice],
        **({} if "chunk" in kind else {"usage": usage}),
    }


class _Handler(BaseHTTPRequestHandler):
    timeout = 60
    server: _Http

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_CONNECT(self) -> None:
        self._stray(403)

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._send(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        else:
            self._stray(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v1/chat/completions":
            request = Request(json.loads(body), self.headers.get("Authorization", ""))
            self._reply(self.server.model.reply(request), bool(request.body.get("stream")))
        else:
            self._stray(404)

    def _stray(self, status: int) -> None:
        self.server.model.strays.append(self.path)
        self.send_error(status)

    def _reply(self, reply: Reply, stream: bool) -> None:
        match reply:
            case Hang():
                self.server.model.wait(self.connection)
            case Drop():
                self.connection.shutdown(socket.SHUT_RDWR)
            case Refusal():
                fields = {"message": reply.message, "type": reply.kind, "code": reply.code}
                self._send(reply.status, {"error": fields}, reply.retry_after)
            case str() if stream:
                self._stream(reply)
            case str():
                self._send(200, _answer(_choice(False, reply), "chat.completion"))

    def _send(self, status: int, data: dict[str, Any], retry_after: str = "") -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in text.splitlines(keepends=True):
            self._event(_answer(_choice(True, piece), "chat.completion.chunk"))
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self._event(_answer(end, "chat.completion.chunk"))
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, data: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: ModelServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model
