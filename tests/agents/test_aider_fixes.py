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
