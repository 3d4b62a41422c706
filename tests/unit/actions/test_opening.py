"""The first write of a run: what dead processes left is put in order while other threads ask."""

from __future__ import annotations

import pytest
from cachebox import die_at
from space import Space

import wsbuild.cache.put_back
from wsbuild.actions.engine import Engine
from wsbuild.actions.session import Session
from wsbuild.cache.cache import Cache
from wsbuild.cache.put_back import Staged


def test_who_asks_while_a_cut_restore_is_finished_is_not_believed(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one thread saw half done is no reason to run a step once another one has finished it."""
    script = "mkdir -p out; for i in 1 2 3; do echo $i > out/$i; done"
    space.workstream(
        "m", files_scope=["out/"], steps=[{"name": "make", "run": script, "shell": True, "outputs": ["out/"]}]
    )
    space.doit("run")
    store = Cache(str(space.root / ".wsbuild" / "cache"), str(space.root), writable=False)
    (entry,) = store.recent("ws:m:make")
    for path in (space.root / "out").iterdir():
        path.unlink()
    assert die_at(2, Staged(str(space.root), store.blobs, entry.files, ()).commit, calls=("rename",))

    session = Session(str(space.root), space.env, writing=True)
    engine = Engine(session)
    engine.start({"ws-m": ["make"]})
    seen = []
    finish = wsbuild.cache.put_back.finish_cut

    def look_then_finish(root: str) -> list[str]:
        seen.append(session.decide("ws-m", "make").fresh)
        return finish(root)

    monkeypatch.setattr(wsbuild.cache.put_back, "finish_cut", look_then_finish)
    try:
        engine.recorder.open_run()
        assert seen == [False]
        assert session.decided("ws-m", "make").fresh
    finally:
        engine.close()
