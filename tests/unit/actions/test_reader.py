"""What is recorded, asked for by many while it is being written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sample_rows import add_clean, add_run

from wsbuild.actions.reader import Reader
from wsbuild.store.db import Store, open_store

T = TypeVar("T")
FIRST, SECOND = "ws:parts:each", "ws:parts:index"


class Slow(Store):
    """A database that is written to after a query found something, and before that is told."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def read(self, query: Callable[..., T]) -> T:
        """What `query` finds."""
        found = super().read(query)
        meanwhile, self.meanwhile = self.meanwhile, staticmethod(lambda: None)
        meanwhile()
        return found


def test_a_step_that_ends_while_another_thread_asks_is_known_to_its_dependents(tmp_path: Path) -> None:
    """Else the dependent's key would hold a result of before, and be recorded so."""
    path = str(tmp_path / "history.db")
    open_store(path).close()
    store = Slow(path, readonly=False)
    reader = Reader(store)
    reader.prime([FIRST, SECOND])
    assert reader.ignored() == frozenset()  # any other question: the rows are fetched by the next one
    assert reader.writers(["a"]) == {"a": ()}

    def end() -> None:
        with store.transaction() as conn:
            row = add_clean(conn, add_run(conn, "ws-parts"), FIRST)
        reader.changed(FIRST, row)

    store.meanwhile = end
    assert reader.row(SECOND) is None
    found = reader.row(FIRST)
    assert found is not None
    assert found.result == "r" * 32
    store.close()
