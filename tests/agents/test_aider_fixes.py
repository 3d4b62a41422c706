"""The real aider is told what a check found, and makes it good."""

from __future__ import annotations

from agent_space import RIGHT, WRONG, AgentSpace, whole
from model_server import ModelServer


def test_a_wrong_edit_is_made_good(project: AgentSpace, server: ModelServer) -> None:
    """What pytest said reaches the model, which gets its own edit to see; then all lands at once, and is
    known as done.
    """
    server.script = [whole("calc.py", WRONG), whole("calc.py", RIGHT)]
    before = project.tree()
    said = project.wsbuild("run").out
    assert "wrote calc.py" in said
    assert project.tree() == {**before, "calc.py": RIGHT.encode()}
    assert not (project.root / ".worktrees/ws-calc").exists()
    first, second = server.requests
    assert "assert 9 == 6" not in first.text
    assert "assert 9 == 6" in second.text
    assert "return number * number" in second.text
    assert project.counts() == {"up_to_date": 4}
    assert len(server.requests) == 2


def test_what_fails_its_checks_does_not_land(project: AgentSpace, server: ModelServer) -> None:
    """The model sees nothing to mend: the worktree keeps its work, and it is not asked again."""
    server.script = [whole("calc.py", WRONG), "All is well."]
    before = project.tree()
    said = project.wsbuild("run", code=1).out
    assert "assert 9 == 6" in said
    assert "the files stay as they are" in said
    assert project.tree() == before
    assert project.counts(code=1) == {"up_to_date": 2, "failed": 1}
    assert (project.root / ".worktrees/ws-calc/calc.py").read_text() == WRONG
    assert len(server.requests) == 2


def test_a_model_that_goes_back_and_forth_is_stopped(project: AgentSpace, server: ModelServer) -> None:
    """Its second mistake is mended by its first one."""
    other = "def double(number):\n    return int(None)\n"
    limits = "defaults:\n  max_attempts_per_step: 9\n  max_fix_attempts_per_step: 9\n"
    project.write("config/circuit_breakers.yaml", limits)
    server.script = lambda _: whole("calc.py", other if len(server.requests) % 2 == 0 else WRONG)
    before = project.tree()
    said = project.wsbuild("run", code=1).out
    assert "back and forth" in said
    assert project.tree() == before
    assert len(server.requests) == 3
    assert project.counts(code=1) == {"up_to_date": 2, "failed": 1}
    assert len(server.requests) == 3
