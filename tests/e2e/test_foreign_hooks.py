"""The hooks that this repository exports, as pre-commit and prek start them from another repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from space import BIN, Space

OURS = Path(__file__).parents[2]


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """Another repository, and a commit of this one as it is now."""
    ours = tmp_path / "wsbuild"
    names = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=OURS, capture_output=True, check=True
    )
    for name in filter(None, names.stdout.decode().split("\0")):
        if (OURS / name).is_file():
            (ours / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(OURS / name, ours / name)
    space = Space(tmp_path / "project")
    here, space.root = space.root, ours
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "now")
    space.root = here
    (here / "workstreams").rmdir()
    space.write("config/wsbuild.yaml", "detectors: [ruff]\n")
    space.write("a.py", "X = 1\n")
    space.git("init", "-q")
    space.git("add", "-A")
    space.env |= {
        "HOME": str(tmp_path),
        "PRE_COMMIT_HOME": str(tmp_path / "pc"),
        "PREK_HOME": str(tmp_path / "pk"),
    }
    # The package index that this machine uses, and the certificates that it trusts.
    space.env |= {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
    space.env |= {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))
    }
    return space


@pytest.mark.parametrize("runner", ["pre-commit", "prek"])
def test_the_hooks_work_in_another_repository(space: Space, runner: str) -> None:
    """What is found stops the commit; what is not, does not; bundles are checked."""
    if not (BIN / runner).exists():
        pytest.skip(f"{runner} is not there")
    ours = str(space.root.parent / "wsbuild")
    assert space.run(runner, "try-repo", ours, "--all-files", timeout=600).code == 0
    space.write("b.py", "import os\n")
    space.write("workstreams/ws-x.json", json.dumps({"id": "ws-x"}))
    space.git("add", "-A")
    result = space.run(runner, "try-repo", ours, "--all-files", timeout=600)
    assert result.code == 1
    assert "[ruff F401]" in result.out
    assert "workstreams/ws-x.json" in result.out
    assert "Traceback" not in result.out + result.err
