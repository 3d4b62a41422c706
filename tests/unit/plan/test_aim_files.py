"""The plan knows where a registry may lie without importing what reads it."""

from __future__ import annotations

from wsbuild.aim import registry
from wsbuild.plan import cached


def test_the_places_are_the_same() -> None:
    """Else a registry that appears would go unnoticed."""
    assert cached.REGISTRY_PLACES == registry.PLACES
    assert (cached.REGISTRY, cached.REGISTRY_VARIABLE) == (registry.NAME, registry.VARIABLE)
