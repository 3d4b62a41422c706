"""An editor without a window: what the language servers that editors start say of a file."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

TIMEOUT_S = 60


class Editor:
    """Speaks the Language Server Protocol with the server of a language, over its input and output.

    `settings` is what the editor answers when the server asks for its configuration.
    """

    def __init__(self, command: list[str], root: Path, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._number = 0
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        threading.Thread(target=self._listen, daemon=True).start()
        text = {
            "completion": {"completionItem": {"snippetSupport": True}},
            "hover": {"contentFormat": ["plaintext"]},
        }
        self.ask(
            "initialize",
            processId=None,
            rootUri=root.as_uri(),
            capabilities={"textDocument": text, "workspace": {"configuration": True}},
            initializationOptions={"handledSchemaProtocols": ["file"]},
        )
        self._tell("initialized")
        self._tell("workspace/didChangeConfiguration", settings=settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()

    def open(self, path: Path) -> list[str]:
        """Open a file; gives what is wrong with it, each with its line."""
        language = "json" if path.suffix == ".json" else "yaml"
        document = {"uri": path.as_uri(), "languageId": language, "version": 1, "text": path.read_text()}
        self._tell("textDocument/didOpen", textDocument=document)
        while True:
            said = self._next()
            if said.get("method") == "textDocument/publishDiagnostics":
                params = said["params"]
                if params["uri"] == path.as_uri():
                    found = params["diagnostics"]
                    return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found]

    def complete(self, path: Path, line: int, column: int) -> dict[str, str]:
        """What is offered at a place (both from 1): labels with what is told of each."""
        answer = self.ask("textDocument/completion", **_at(path, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer
        return {item["label"].strip('"'): _plain(item.get("documentation", "")) for item in items}

    def hover(self, path: Path, line: int, column: int) -> str:
        """What is shown of what is at a place (both from 1)."""
        answer = self.ask("textDocument/hover", **_at(path, line, column))
        contents = answer["contents"] if answer else ""
        return "\n".join(map(_plain, contents if isinstance(contents, list) else [contents]))

    def ask(self, method: str, **params: Any) -> Any:
        """Ask the server something; gives its answer."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            said = self._next()
            if said.get("id") == self._number and "method" not in said:
                assert "error" not in said, said
                return said["result"]

    def _tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _next(self) -> dict[str, Any]:
        """The next thing that the server says; what it asks is answered."""
        said = self._said.get(timeout=TIMEOUT_S)
        if "id" in said and "method" in said:
            asked = said["params"].get("items", []) if said["method"] == "workspace/configuration" else None
            answer = None if asked is None else [self._settings.get(one.get("section")) for one in asked]
            self._send({"id": said["id"], "result": answer})
        return said

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream
        while head := stream.readline():
            if head.lower().startswith(b"content-length:"):
                size = int(head.split(b":")[1])
                while stream.readline().strip():
                    pass
                self._said.put(json.loads(stream.read(size)))


def _at(path: Path, line: int, column: int) -> dict[str, Any]:
    position = {"line": line - 1, "character": column - 1}
    return {"textDocument": {"uri": path.as_uri()}, "position": position}


def _plain(text: Any) -> str:
    return text["value"] if isinstance(text, dict) else str(text)
