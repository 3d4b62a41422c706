"""Facts by name that are costly to ask for: fetched for many names at once, remembered until they change."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")


class Facts(Generic[T]):
    """One kind of fact; `none` is what there is of a name without one.

    For threads: a fact that changes while it is being fetched is not remembered as it was before. The
    lock is not held during a fetch, which may have to wait for somebody who then asks here.
    """

    def __init__(self, fetch: Callable[[Sequence[str]], Mapping[str, T]], none: T) -> None:
        self._fetch = fetch
        self._none = none
        self._lock = Lock()
        self._known: dict[str, T] = {}
        self._wanted: dict[str, None] = {}
        self._changes = 0
        self._changed_at: dict[str, int] = {}
        self._all_changed_at = 0

    def want(self, names: Iterable[str]) -> None:
        """Say which names will be asked for: the next fetch takes them all."""
        with self._lock:
            self._wanted.update((name, None) for name in names if name not in self._known)

    def get(self, name: str) -> T:
        """The fact of one name."""
        try:
            return self._known[name]
        except KeyError:
            return self.get_many((name,))[name]

    def get_many(self, names: Sequence[str]) -> dict[str, T]:
        """The facts of `names`."""
        with self._lock:
            if all(name in self._known for name in names):
                return {name: self._known[name] for name in names}
            self._wanted.update((name, None) for name in names if name not in self._known)
            new, as_of = list(self._wanted), self._changes
            self._wanted.clear()
        found = self._fetch(new)
        with self._lock:
            if self._all_changed_at <= as_of:
                unchanged = (name for name in new if self._changed_at.get(name, 0) <= as_of)
                self._known.update((name, found.get(name, self._none)) for name in unchanged)
            return {name: self._known.get(name, found.get(name, self._none)) for name in names}

    def put(self, name: str, fact: T) -> None:
        """The fact of `name` is this now."""
        with self._lock:
            self._note_change(name)
            self._known[name] = fact
            self._wanted.pop(name, None)

    def drop(self, name: str) -> None:
        """The fact of `name` has changed."""
        with self._lock:
            self._note_change(name)
            if name in self._known:
                del self._known[name]
                self._wanted[name] = None

    def drop_all(self) -> None:
        """Any fact may have changed."""
        with self._lock:
            self._changes += 1
            self._all_changed_at = self._changes
            self._wanted.update(dict.fromkeys(self._known))
            self._known.clear()

    def _note_change(self, name: str) -> None:
        self._changes += 1
        self._changed_at[name] = self._changes

    def take_over(self, other: Facts[T], *, known: bool) -> None:
        """Go on with what `other` was told will be asked for, and with what it has `known`."""
        with other._lock:
            wanted, facts = list(other._wanted), dict(other._known)
        with self._lock:
            self._wanted.update(dict.fromkeys(wanted if known else [*wanted, *facts]))
            self._known.update(facts if known else {})
