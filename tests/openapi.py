"""GitHub's published description of its API, and holding requests and answers against it."""

from __future__ import annotations

import functools
import json
import re
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from toolbox.install import NoToolError, box

ENDPOINTS = {
    ("GET", "/repos/{owner}/{repo}/issues"): set(),
    ("POST", "/repos/{owner}/{repo}/issues"): {"title", "body", "labels"},
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}"): set(),
    ("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}"): {"body", "state", "state_reason"},
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments"): set(),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments"): {"body"},
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"): {"labels"},
    ("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}"): set(),
    ("POST", "/repos/{owner}/{repo}/labels"): {"name", "color", "description"},
}
"""What wsbuild asks for, and the fields that it sends."""


def template_of(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The endpoint that a path is of, with the values in it; '' for none."""
    for known, template in ENDPOINTS:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        found = re.fullmatch(pattern, path)
        if known == method and found:
            return template, {name: unquote(value) for name, value in found.groupdict().items()}
    return "", {}


def _nullable(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as one of JSON Schema: what may be null says so in another way."""
    if isinstance(node, list):
        return [_nullable(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: _nullable(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") is True else made


@functools.cache
def _document() -> dict[str, Any]:
    path = box("package.json").parent / "@octokit/openapi/generated/api.github.com.json"
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@functools.cache
def _registry() -> Registry[Any]:
    components = {"components": {"schemas": _nullable(_document()["components"]["schemas"])}}
    return Registry().with_resource("urn:github", DRAFT202012.create_resource(components))


def is_there() -> bool:
    """Whether the description is installed (`make tools`)."""
    try:
        _document()
    except (NoToolError, OSError):
        return False
    return True


@functools.cache
def _validator(method: str, template: str, part: str, name: str = "") -> Draft202012Validator:
    operation = _document()["paths"][template][method.lower()]
    if part == "body":
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
    elif part == "answer":
        schema = operation["responses"][name]["content"]["application/json"]["schema"]
    else:
        schema = _parameters(method, template)[part, name]["schema"]
    text = json.dumps(_nullable(schema)).replace('"#/components/', '"urn:github#/components/')
    return Draft202012Validator(json.loads(text), registry=_registry())


@functools.cache
def _parameters(method: str, template: str) -> dict[tuple[str, str], Any]:
    item = _document()["paths"][template]
    found = {}
    for row in [*item.get("parameters", ()), *item[method.lower()].get("parameters", ())]:
        known = row
        if "$ref" in row:
            known = _document()["components"]["parameters"][row["$ref"].rpartition("/")[2]]
        found[known["in"], known["name"]] = known
    return found


def _typed(value: str, schema: Any) -> Any:
    return int(value) if schema.get("type") == "integer" and value.isdecimal() else value


def request_problems(method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
    """What in a request is not as the description has it."""
    template, values = template_of(method, path)
    if not template:
        return [f"{method} {path} is none of the endpoints that are known"]
    known = _parameters(method, template)
    problems = []
    for where, given in (("path", values), ("query", query)):
        for name, value in given.items():
            if (where, name) not in known:
                problems.append(f"{method} {template} has no parameter {name}")
                continue
            check = _validator(method, template, where, name)
            typed = _typed(value, known[where, name]["schema"])
            problems += [f"{name}: {error.message}" for error in check.iter_errors(typed)]
    if "requestBody" in _document()["paths"][template][method.lower()]:
        check = _validator(method, template, "body")
        problems += [f"{method} {template}: {error.message}" for error in check.iter_errors(body)]
        declared = set(re.findall(r'"(\w+)": \{', json.dumps(check.schema)))
        problems += [f"{method} {template} knows no {name}" for name in set(body or {}) - declared]
    elif body is not None:
        problems.append(f"{method} {template} takes no body")
    return problems


def answer_problems(method: str, path: str, status: int, data: Any) -> list[str]:
    """What in an answer is not as the description has it; of those that it knows."""
    template, _ = template_of(method, path)
    responses = _document()["paths"][template][method.lower()]["responses"] if template else {}
    if "content" not in responses.get(str(status), {}):
        return []
    check = _validator(method, template, "answer", str(status))
    return [f"answer to {method} {template}: {error.message[:200]}" for error in check.iter_errors(data)]


def small_problems(method: str, path: str, body: Any) -> list[str]:
    """The same of a request, where the description is not installed: by its endpoint and fields only."""
    template, _ = template_of(method, path)
    if not template:
        return [f"{method} {path} is none of the endpoints that are known"]
    return [f"{method} {template} knows no {name}" for name in set(body or {}) - ENDPOINTS[method, template]]
