"""A registry of AIM in a scratch project, whose adapters are small programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from space import Space

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "aim/registry"
OK = """printf '{"success": true, "message": "done by %s", "content": {"n": 1}}' "$AIM_TOOL_ID\""""
FAIL = """printf '{"success": false, "message": "%s failed", "content": {}}' "$AIM_TOOL_ID"; exit 1"""


class AimSpace(Space):
    """A project with a registry; `calls` has a line for each time that an adapter was started."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.calls = root.parent / "calls"
        self.tools: dict[str, Any] = {}
        self.rules: dict[str, Any] = {"capabilities": {}}
        self.write("config/aim_config.yaml", "retry_backoff_ms: 10\n")
        (root / FOLDER).mkdir(parents=True)

    def tool(self, name: str, script: str, *, there: bool = True, kind: str = "", **fields: Any) -> None:
        """A tool that is asked by an adapter which notes that, and then does what a shell script says."""
        adapter = self.root / FOLDER / f"{name}{kind or '.sh'}"
        note = f'echo "{name} $$" >> {self.calls}'
        adapter.write_text(script if kind else f"#!/bin/sh\n{note}\n{script}\n")
        adapter.chmod(0o755)
        self.tools[name] = {
            "name": name.title(),
            "detectCommands": ["sh" if there else f"no-{name}"],
            "adapterScript": f"%AIM_REGISTRY_PATH%/{adapter.name}",
            **fields,
        }
        self._write()

    def rule(self, capability: str, primary: str, *fallback: str, **fields: Any) -> None:
        """Who is asked for a capability."""
        self.rules["capabilities"][capability] = {"primary": primary, "fallback": list(fallback), **fields}
        self._write()

    def limit(self, **security: Any) -> None:
        """What may be handed over."""
        self.rules["security"] = security
        self._write()

    def at_most(self, count: int, strategy: str = "queue") -> None:
        """How many tools are asked at a time."""
        access = {"strategy": strategy, "max_concurrent": count}
        self.rules["conflict_resolution"] = {"concurrent_access": access}
        self._write()

    def _write(self) -> None:
        rules = "%AIM_REGISTRY_PATH%/rules.json"
        self.write(
            f"{FOLDER}/AIM_registry.json", json.dumps({"tools": self.tools, "crossToolRulesPath": rules})
        )
        self.write(f"{FOLDER}/rules.json", json.dumps(self.rules))

    def route(self, capability: str, payload: Any = None, *, code: int | None = None) -> dict[str, Any]:
        """What becomes of a request."""
        self.write("payload.json", json.dumps({} if payload is None else payload))
        words = ("aim", "route", capability, "--payload", "payload.json", "--json")
        found: dict[str, Any] = self.wsbuild(*words, code=code).json
        return found

    def called(self) -> list[str]:
        """The tools whose adapters were started since this was asked last."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [line.split()[0] for line in lines]

    def audits(self) -> list[dict[str, Any]]:
        """The entries of the audit trail, oldest first, as they are in their files."""
        paths = sorted(self.root.glob("AIM_audit/*/*.json"))
        return [json.loads(path.read_text()) for path in paths]
