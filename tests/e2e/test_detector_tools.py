"""The shipped detectors with their real tools: they find what the bare tool finds, asked in another way."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from detecting import detect, places
from space import BIN, Space
from toolbox.install import NoToolError, box

from wsbuild.detectors import registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHON = {
    "pkg/__init__.py": '"""A package."""\n',
    "pkg/bad one.py": '"""Bad."""\n\nimport sys, os\nfrom pkg import x\n\n\n'
    'def add(a: int) -> str:\n    return a + "1"\n',
    "pkg/fine.py": '"""Fine."""\n\nX = 1\n',
}
BROKEN = {"broken.py": "def broken(:\n    pass\n"}
SCRIPT = {
    "a b.js": "var a = 1\nif (a == 2) { a = 3 }\n",
    "fine.js": "export const a = 1;\n",
    "bad.js": "function ( {\n",
}
TEXT = {"doc/[x] one.md": "# One\nTwo   \n* three\n", "fine.md": "# Fine\n"}
SECRET = "AKIA" + "QYLPMN5HHHFPZAM2"
RULES = """\
rules:
  - id: no-eval
    languages: [python]
    severity: ERROR
    message: eval
    pattern: eval($X)
    fix: safe($X)
"""
ESLINT = """\
import js from "@eslint/js";
export default [js.configs.recommended, { rules: { "no-var": 2 } }];
"""
TESTS = "def test_ok():\n    pass\n\n\ndef test_bad():\n    assert 1 == 2\n"


class Case(NamedTuple):
    """Files for a detector; how its tool is asked directly, and what to read from what it says (paths that
    it names, once for each finding); a setting that changes what is found; where the tool is from.
    """

    files: dict[str, str]
    bare: tuple[str, ...]
    read: str | Callable[[str], list[str]]
    setting: tuple[str, str] | None
    box: str = ""
    code: str = "syntax"


def pylint_paths(said: str) -> list[str]:
    """Of the form `path:line: [code, ...] message`."""
    return re.findall(r"(?m)^(.+?):\d+: \[", said)


def stylish(said: str) -> list[str]:
    """Of ESLint's form for people: a path, and below it a line for each message."""
    found, path = [], ""
    for line in said.splitlines():
        if re.match(r"\s+\d+:\d+ ", line):
            found.append(path)
        elif line:
            path = line
    return found


def unwrapped(said: str) -> list[str]:
    """Of a form that breaks long lines between words."""
    return re.findall(r'File "(.+?)" is not', " ".join(said.split()))


CASES = {
    "isort": Case(
        PYTHON,
        ("isort", "--check", "--diff", "pkg"),
        r"(?m)^--- (.+):before",
        (".isort.cfg", "[settings]\nskip = bad one.py\n"),
    ),
    "pylint": Case(
        {**PYTHON, **BROKEN},
        ("pylint", "-f", "parseable", "pkg/__init__.py", "pkg/bad one.py", "pkg/fine.py", "broken.py"),
        pylint_paths,
        (".pylintrc", "[MAIN]\ndisable=all\nenable=unused-import\n"),
        code="syntax-error",
    ),
    "mypy": Case(
        PYTHON,
        ("mypy", "--no-incremental", "pkg"),
        r"(?m)^(.+?):\d+: (?:error|note)",
        ("mypy.ini", "[mypy]\nignore_errors = True\n"),
    ),
    "pyright": Case(
        {**PYTHON, **BROKEN},
        ("pyright", "pkg", "broken.py"),
        r"(?m)^\s+(/.+?):\d+:\d+ - ",
        ("pyrightconfig.json", '{"reportAttributeAccessIssue": false, "reportReturnType": false}'),
    ),
    "ruff-format": Case(
        {**PYTHON, "ugly.py": "x=1\n"},
        ("ruff", "format", "--no-cache", "--diff", "."),
        r"(?m)^--- (.+)$",
        ("ruff.toml", "exclude = ['ugly.py']\n"),
    ),
    "safety": Case(
        {"requirements.txt": "django==2.2.0\n# none\nJinja2==2.10\n"},
        ("safety", "check", "--bare", "-r", "requirements.txt", "--db", "{db}"),
        r"\S+",
        None,
        "safety.txt",
    ),
    "prettier": Case(
        {**SCRIPT, **TEXT, "a.yaml": "a:   1\n"},
        ("prettier", "--check", *SCRIPT, *TEXT, "a.yaml"),
        r"(?m)^\[warn\] (.+\.\w+)$|^\[error\] (.+?): Syntax",
        (".prettierignore", "doc/\n"),
        "package.json",
    ),
    "eslint": Case(
        {
            **SCRIPT,
            "eslint.config.mjs": ESLINT,
        },
        ("eslint", "-f", "stylish", *SCRIPT, "eslint.config.mjs"),
        stylish,
        ("eslint.config.mjs", "export default [{ rules: { 'eqeqeq': 2 } }];\n"),
        "package.json",
    ),
    "mdformat": Case(
        TEXT,
        ("mdformat", "--check", "doc/[x] one.md", "fine.md"),
        unwrapped,
        (".mdformat.toml", 'end_of_line = "crlf"\n'),
    ),
    "markdownlint": Case(
        TEXT,
        ("markdownlint-cli2", "**/*.md", "#node_modules"),
        r"(?m)^(.+?):\d+(?::\d+)? error",
        ("doc/.markdownlint.yaml", "default: false\n"),
        "package.json",
    ),
    "jq": Case(
        {"a.json": "{}", "-b c.json": '{"a": }', "d.json": "[1,\n"},
        ("sh", "-c", 'for f in ./*.json; do jq . "$f" > /dev/null 2>&1 || echo "$f"; done'),
        r"(?m)^(.+)$",
        None,
    ),
    "semgrep": Case(
        {"bad one.py": "eval(a)\n\n\neval(b)\n", "fine.py": "a = 1\n", ".semgrep.yml": RULES},
        (
            "semgrep",
            "scan",
            "--vim",
            "--quiet",
            "--metrics=off",
            "--disable-version-check",
            "--config=.semgrep.yml",
            "bad one.py",
            "fine.py",
        ),
        r"(?m)^(.+?):\d+:\d+:",
        (".semgrep.yml", RULES.replace("eval($X)\n    fix", "nothing($X)\n    fix")),
        "semgrep.txt",
    ),
    "gitleaks": Case(
        {"conf/a b.py": f'\nKEY = "{SECRET}"\n', "fine.py": "a = 1\n"},
        ("gitleaks", "dir", "--no-banner", "--report-format=csv", "--report-path=-", "."),
        r"(?m)^aws-access-token,,(.+?),",
        (
            ".gitleaks.toml",
            'title = "none"\n[allowlist]\npaths = ["conf/.*"]\n[[rules]]\nid = "x"\nregex = "nothing"\n',
        ),
        "gitleaks.txt",
    ),
    "test_runner": Case(
        {"test_a.py": TESTS, "sub/test_b.py": TESTS, "test_c.py": "def f(:\n"},
        ("pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"),
        r"(?m)^(?:ERROR) (\S+?)(?: -|$)",
        ("pytest.ini", "[pytest]\naddopts = --continue-on-collection-errors\n"),
    ),
}


@pytest.fixture
def space(request: pytest.FixtureRequest, tmp_path: Path) -> Space:
    """A project with the files of a case, its tool on PATH."""
    case = CASES[request.node.callspec.params["name"]]
    space = Space(tmp_path / "project")
    (space.root / "pyproject.toml").unlink()
    shutil.rmtree(space.root / "workstreams")
    (space.root / ".wsbuild").mkdir()
    space.write(".wsbuild/.gitignore", "*\n")
    for path, text in case.files.items():
        space.write(path, text)
    if case.box:
        try:
            folder = box(case.box)
        except NoToolError as reason:
            pytest.skip(str(reason))
        space.env["PATH"] = f"{folder}:/usr/local/bin:/usr/bin:/bin"
        if case.box == "package.json":
            space.write(".gitignore", "node_modules\n")
            (space.root / "node_modules").symlink_to(folder.parent)
        if case.box == "safety.txt":
            [space.env["SAFETY_DB"]] = map(str, folder.parent.glob("lib/*/site-packages/safety_db"))
    if not shutil.which(case.bare[0], path=f"{space.env['PATH']}:{BIN}"):
        pytest.skip(f"{case.bare[0]} is not there")
    return space


def bare(space: Space, name: str) -> list[str]:
    """The paths that the bare tool names, one for each finding."""
    case = CASES[name]
    argv = [word.format(db=space.env.get("SAFETY_DB", "")) if word == "{db}" else word for word in case.bare]
    program = shutil.which(argv[0], path=f"{space.env['PATH']}:{BIN}") or ""
    env = {**space.env, "NO_COLOR": "1", "HOME": str(space.root.parent), "PATH": f"{space.env['PATH']}:{BIN}"}
    done = subprocess.run(
        [program, *argv[1:]],
        cwd=space.root,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    said = done.stdout + "\n" + done.stderr
    found = (
        case.read(said)
        if callable(case.read)
        else ["".join(m.groups("")) or m[0] for m in re.finditer(case.read, said)]
    )
    return sorted(
        os.path.relpath(path, space.root) if path.startswith("/") else os.path.normpath(path)
        for path in found
    )


def found(told: dict[str, Any], name: str) -> list[str]:
    """The paths that a detector names, one for each finding."""
    assert told["errors"] == []
    assert [one["status"] for one in told["detectors"]] in (["ran"], ["cached"])
    return [path for path, *_ in places(told, name)]


@pytest.mark.parametrize("name", [name for name in CASES if name not in {"safety", "test_runner"}])
def test_what_is_found_is_what_the_tool_finds(space: Space, name: str) -> None:
    """File by file, as often; with nothing changed no tool is asked; a setting changes it."""
    command = ("-d", name)
    told = detect(space, *command)
    assert found(told, name) == bare(space, name)
    shutil.rmtree(space.root / ".wsbuild/detect")
    again = detect(space, *command)
    assert (again["findings"], again["counts"]["tool_calls"]) == (told["findings"], 0)
    case = CASES[name]
    if case.setting is not None:
        space.write(*case.setting)
        changed = space.wsbuild("detect", "--json", *command, code=None).json
        assert changed["counts"]["tool_calls"] > 0
        assert found(changed, name) == bare(space, name) != found(told, name)


@pytest.mark.parametrize("name", ["pylint", "prettier", "eslint", "pyright", "jq"])
def test_what_does_not_parse_is_found(space: Space, name: str) -> None:
    """With its place, as an error of syntax."""
    rows = [one for one in detect(space, "-d", name)["findings"] if one["category"] == "syntax"]
    assert {one["severity"] for one in rows} == {"error"}
    assert all(one["line"] >= 1 for one in rows)
    assert {one["path"] for one in rows} <= {"broken.py", "bad.js", "-b c.json", "d.json"}
    assert rows


FIXABLE = ("isort", "ruff-format", "prettier", "mdformat", "markdownlint", "semgrep", "eslint")


@pytest.mark.parametrize("name", FIXABLE)
def test_what_its_fix_mends_is_clean(space: Space, name: str) -> None:
    """Of what the tool can mend nothing is left, and all else is as it was."""
    before = Counter(found(detect(space, "-d", name), name))
    [detector] = [one for one in registry.load(str(space.root))[0] if one.id == name]
    program, *words = detector.plugin.fix(sorted(before))
    path = shutil.which(program, path=f"{space.env['PATH']}:{BIN}") or ""
    env = {**space.env, **detector.manifest.env}
    done = subprocess.run(
        [path, *words], cwd=space.root, env=env, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode in detector.manifest.fixed, done.stderr
    after = Counter(found(space.wsbuild("detect", "--json", "-d", name, code=None).json, name))
    assert after < before
    assert not [path for path in after if path not in {"bad.js"}] or name in {"markdownlint", "eslint"}


@pytest.mark.parametrize("name", ["safety"])
def test_vulnerable_packages_are_found_where_they_are_named(space: Space, name: str) -> None:
    """As many packages as the tool names, in their lines."""
    told = detect(space, "-d", name)
    rows = places(told, name)
    assert {(path, line) for path, line, *_ in rows} == {("requirements.txt", 1), ("requirements.txt", 3)}
    assert set(bare(space, name)) == {"django", "jinja2"}
    space.write("requirements.txt", "nothing-known==1\n")
    assert found(detect(space, "-d", name, code=0), name) == []
    space.env["SAFETY_DB"] = "/nowhere"
    failed = detect(space, "-d", name)
    assert [one["status"] for one in failed["detectors"]] == ["error"]
    assert "Unable to load vulnerability database" in failed["errors"][0]["message"]


@pytest.mark.parametrize("name", ["test_runner"])
def test_failing_tests_are_found_in_their_lines(space: Space, name: str) -> None:
    """And tests that cannot be collected; any file that changes has all tests run again."""
    rows = places(detect(space, "-d", name), name)
    assert [(path, line) for path, line, *_ in rows] == [("test_c.py", 1)]
    space.write(*CASES[name].setting or ("", ""))
    rows = places(detect(space, "-d", name), name)
    wanted = [("sub/test_b.py", 6), ("test_a.py", 6), ("test_c.py", 1)]
    assert [(path, line) for path, line, *_ in rows] == wanted
    (space.root / "test_c.py").unlink()
    space.write("sub/test_b.py", "import data\n\n\ndef test_it():\n    assert data.X == 1\n")
    space.write("sub/data.py", "X = 1\n")
    space.write("test_a.py", "def test_ok():\n    pass\n")
    assert detect(space, "-d", name, code=0)["findings"] == []
    assert detect(space, "-d", name, code=0)["counts"]["tool_calls"] == 0
    space.write("sub/data.py", "X = 2\n")
    assert [path for path, *_ in places(detect(space, "-d", name), name)] == ["sub/test_b.py"]
    assert not list(space.root.rglob("*.pyc"))
    for path in ("sub/test_b.py", "test_a.py"):
        (space.root / path).unlink()
    told = detect(space, "-d", name)
    assert [one["status"] for one in told["detectors"]] == ["error"], "no tests are no success"


@pytest.mark.parametrize("name", ["mypy"])
def test_what_stops_mypy_is_all_that_is_found(space: Space, name: str) -> None:
    """A file that is no Python stops it; two modules of one name are a failure."""
    space.write("broken.py", BROKEN["broken.py"])
    rows = detect(space, "-d", name)["findings"]
    assert {(one["path"], one["category"]) for one in rows} == {("broken.py", "syntax")}
    (space.root / "broken.py").unlink()
    space.write("a/same.py", "")
    space.write("b/same.py", "")
    told = detect(space, "-d", name)
    assert [one["status"] for one in told["detectors"]] == ["error"]
    assert "Duplicate module" in told["errors"][0]["message"]


CONFIGURED = [
    ("pyright", "pyproject.toml", "[tool.pyright]\ninclude = ['pkg']\n", (), {"pkg/bad one.py"}),
    ("pyright", "pyrightconfig.json", '{"exclude": ["pkg"]}', (), {"other/bad.py"}),
    ("mypy", "pyproject.toml", "[tool.mypy]\nfiles = ['pkg']\n", (), {"pkg/bad one.py"}),
    ("mypy", "mypy.ini", "[mypy]\nexclude = ^(a|pkg)/\n", (".",), {"other/bad.py"}),
    ("mypy", "setup.cfg", "[mypy]\npackages = pkg\n", (), {"pkg/bad one.py"}),
    ("mypy", ".mypy.ini", "[mypy]\nfiles = pkg\nnum_workers = 2\n", (), {"pkg/bad one.py"}),
]


@pytest.mark.parametrize(("name", "file", "settings", "words", "where"), CONFIGURED)
def test_a_project_says_what_is_judged_as_a_whole(
    space: Space, name: str, file: str, settings: str, words: tuple[str, ...], where: set[str]
) -> None:
    """Two modules of one name, which stop mypy, may be among the rest."""
    for path in ("a/same.py", "b/same.py"):
        space.write(path, "X = 1\n")
    if name == "pyright":
        (space.root / "broken.py").unlink()
    space.write("other/bad.py", 'def add(a: int) -> str:\n    return a + "1"\n')
    space.write(file, settings)
    told = detect(space, "-d", name)
    assert told["errors"] == []
    errors = Counter(one["path"] for one in told["findings"] if one["severity"] == "error")
    assert set(errors) == where
    said = space.run(name, *words, env={"NO_COLOR": "1", "HOME": str(space.root.parent)}).out
    bare = re.findall(r"(?m)^\s*(.+?\.py):\d+(?::\d+)?(?: -|:) error", said)
    assert Counter(os.path.relpath(os.path.join(space.root, path), space.root) for path in bare) == errors
    shutil.rmtree(space.root / ".wsbuild/detect")
    assert detect(space, "-d", name)["counts"]["tool_calls"] == 0
    space.write(file, "")
    assert detect(space, "-d", name)["counts"]["tool_calls"] == 1


@pytest.mark.parametrize("name", ["gitleaks"])
def test_no_secret_is_told(space: Space, name: str) -> None:
    """Neither shown nor kept; the place is."""
    result = space.wsbuild("detect", "-d", name, "--json", code=1)
    assert places(result.json, name) == [("conf/a b.py", 2, 8, "aws-access-token")]
    assert SECRET not in result.out
    kept = [path for path in (space.root / ".wsbuild").rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
    space.write(".gitleaks.toml", "title = [\n")
    told = detect(space, "-d", name)
    assert [one["status"] for one in told["detectors"]] == ["error"]


@pytest.mark.parametrize("name", ["gitleaks", "ruff-format"])
def test_a_file_with_a_private_key_is_judged(space: Space, name: str) -> None:
    """Whatever of it the tool prints, between quotes of its own."""
    rows = "\n".join(hashlib.sha512(bytes([at])).hexdigest()[:64] for at in range(9))
    begin = "-----BEGIN RSA PRIVATE KEY-----"
    space.write(
        "key.py", f"KEYS = ['{begin}', '{begin}', '{begin}']\nKEY = b'''{begin}\n{rows}\n{begin}'''\n"
    )
    result = space.wsbuild("detect", "-d", name, "--json", code=1)
    assert result.json["errors"] == []
    assert "key.py" in {path for path, *_ in places(result.json, name)}
    assert rows[:64] not in result.out


@pytest.mark.parametrize("name", ["ruff-format"])
def test_python_in_markdown_is_formatted(space: Space, name: str) -> None:
    """As the tool does it, from the version that does."""
    space.write("doc.md", "# Doc\n\n```python\nx=1\n```\n")
    assert "doc.md" in found(detect(space, "-d", name), name)
    space.wsbuild("detect", "-d", name, "--fix", code=None)
    assert "x = 1" in space.read("doc.md")


@pytest.mark.parametrize("name", ["eslint", "semgrep"])
def test_a_wrong_configuration_is_a_failure(space: Space, name: str) -> None:
    """And one that is not there has the detector skipped."""
    path = "eslint.config.mjs" if name == "eslint" else ".semgrep.yml"
    space.write(path, "export default [{ rules: { nope: 2 } }];\n" if name == "eslint" else "rules: 7\n")
    told = detect(space, "-d", name)
    assert [one["status"] for one in told["detectors"]] == ["error"]
    (space.root / path).unlink()
    told = detect(space, "-d", name, code=0)
    assert [one["status"] for one in told["detectors"]] == ["skipped"]
    assert path in told["detectors"][0]["reason"]


def test_a_powershell_of_ours(tmp_path: Path) -> None:
    """PowerShell is not on the package indexes: a program in its place says what the real one would, of
    the arguments that it was given.
    """
    space = Space(tmp_path / "project")
    space.write("a b.ps1", "gci\n")
    folder = tmp_path / "bin"
    folder.mkdir()
    rows = [
        {"rule": "PSAvoidUsingCmdletAliases", "severity": "Warning", "path": f"{space.root}/a b.ps1"}
        | {"message": "'gci' is an alias", "line": 1, "column": 1},
        {"rule": "MissingEndCurlyBrace", "severity": "ParseError", "path": f"{space.root}/a b.ps1"}
        | {"message": "Missing", "line": 2, "column": 3},
    ]
    shim = (
        f"#!{BIN / 'python'}\nimport sys\n"
        "if '-CommandWithArgs' in sys.argv:\n"
        "    assert sys.argv[5:] == ['a b.ps1'], sys.argv\n"
        f"    print({json.dumps(json.dumps(rows))})\n"
        "else:\n"
        "    print('1.22.0 7.4.1')\n"
    )
    (folder / "pwsh").write_text(shim)
    (folder / "pwsh").chmod(0o755)
    space.env["PATH"] = f"{folder}:{space.env['PATH']}"
    told = detect(space, "-d", "psscriptanalyzer")
    assert [(one["line"], one["column"], one["category"], one["severity"]) for one in told["findings"]] == [
        (1, 1, "style", "warning"),
        (2, 3, "syntax", "error"),
    ]
    assert told["findings"][0]["url"].endswith("/rules/avoidusingcmdletaliases")
    assert told["detectors"][0]["version"] == "1.22.0 7.4.1"
    (folder / "pwsh").write_text(
        "#!/bin/sh\necho 'Import-Module: PSScriptAnalyzer was not loaded' >&2; exit 1\n"
    )
    told = detect(space, "-d", "psscriptanalyzer")
    assert "PSScriptAnalyzer was not loaded" in told["errors"][0]["message"]
