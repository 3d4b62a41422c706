"""What a command says of what it reads and makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsbuild.planning.authoring.sketch import Sketch, StepSketch, guess_all, title_of


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A program, its data, a source of the workstream's own, a directory."""
    for name in ("tools/gen.py", "data.csv", "src/app.py", "gen.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("command", "inputs", "outputs"),
    [
        ("python tools/gen.py data.csv out.py", ("tools/gen.py", "data.csv"), ("out.py",)),
        ("python tools/gen.py --out=out.py <data.csv", ("tools/gen.py", "data.csv"), ("out.py",)),
        ("cat 'data.csv'>out.py", ("data.csv",), ("out.py",)),
        ("./gen.sh", ("gen.sh",), ("out.py",)),
        ("cp -r ./tools out.py", ("tools/",), ("out.py",)),
        ("touch out.py out.py", None, ("out.py",)),
        ("touch build/deep/x", None, ("build/deep/x", "out.py")),
        ("cat /etc/passwd ../x ~/y *.csv", None, ("out.py",)),
        ("ruff format --config data.csv src/app.py", ("data.csv", "src/app.py"), ("out.py",)),
        ("touch build", None, ("out.py",)),
        ("echo -n --", None, ("out.py",)),
    ],
)
def test_one_step(root: str, command: str, inputs: tuple[str, ...] | None, outputs: tuple[str, ...]) -> None:
    """What is there is read, what is not there and owned is made; one step alone makes all that is missing.

    What is there and owned may be changed in its place: it is read, so that no change goes unnoticed.
    """
    sketch = Sketch("ws-a", scope=("out.py", "src/app.py", "build/**"), steps=(StepSketch("a", command),))
    [step] = guess_all(sketch, root).steps
    assert (step.inputs, step.outputs) == (inputs, outputs)


def test_what_one_step_makes_the_next_one_reads(root: str) -> None:
    """And does not make it again."""
    steps = (StepSketch("a", "touch x"), StepSketch("b", "sort x -o y"), StepSketch("c", "true"))
    found = guess_all(Sketch("ws-a", scope=("x", "y"), steps=steps), root).steps
    assert [(step.inputs, step.outputs) for step in found] == [
        (None, ("x",)),
        (("x",), ("y",)),
        (None, ()),
    ]


def test_what_was_said_stays(root: str) -> None:
    """An answer is not guessed over."""
    step = StepSketch("a", "cp data.csv out", (), ("other",))
    assert guess_all(Sketch("ws-a", scope=("out", "other"), steps=(step,)), root).steps == (step,)


def test_titles() -> None:
    """Of ids, for a start."""
    assert title_of("ws-add-a-search") == "Add a search"
