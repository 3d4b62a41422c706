"""docs/openspec.md: what its example promises comes of it."""

from __future__ import annotations

import re
from pathlib import Path

from changing import ChangeSpace

PAGE = (Path(__file__).parents[2] / "docs/openspec.md").read_text()


def test_the_example(tmp_path: Path) -> None:
    """Byte by byte, as far as it is shown; and its commands are understood."""
    space = ChangeSpace(tmp_path / "project")
    space.write("src/app.py", "")
    tasks, delta = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    [bundle] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert f"{space.changes}/add-theme/specs/ui/spec.md" in PAGE
    space.change("add-theme", tasks, ui=delta)
    [commands] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line.split("#")[0].split() for line in commands.splitlines() if line.startswith("wsbuild")]
    assert [line[1:3] for line in lines] == [["spec", "import"], ["run"], ["spec", "sync"]]
    space.wsbuild(*lines[0][1:])
    assert space.read("workstreams/openspec-add-theme.yaml").startswith(bundle)
    assert space.wsbuild("validate", "--json").json["ok"]
    assert space.wsbuild(*lines[2][1:]).out == "nothing to tick\n"
