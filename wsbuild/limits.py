"""The limits of the fix loop: shipped, by the repository's `config/circuit_breakers.yaml`, by a bundle."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import config
from wsbuild.breaker import Limits
from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wsbuild.model import Problem

FILE = "config/circuit_breakers.yaml"
PHASES = ("static", "runtime")
"""The steps that can be fixed and run again."""


class Settings(NamedTuple):
    """What the two files say, as they say it."""

    shipped: Mapping[str, Any]
    own: Mapping[str, Any]


def load(root: str) -> tuple[Settings, list[Problem]]:
    """The settings for the project at `root`, and what is wrong with its file (then unused)."""
    path = data_path(*FILE.split("/"))
    shipped, problems = config.read_settings(path, path, "circuit_breakers")
    own: dict[str, Any] = {}
    if os.path.lexists(os.path.join(root, FILE)):
        own, own_problems = config.read_settings(os.path.join(root, FILE), FILE, "circuit_breakers")
        problems = [*problems, *own_problems]
    return Settings(shipped, own), problems


def for_step(settings: Settings, phase: str, circuit_breaker: Mapping[str, Any]) -> Limits:
    """The limits of the `phase` (one of PHASES) of a workstream whose bundle has `circuit_breaker`.

    The bundle goes before the repository's file, and that before the shipped one; in each file what
    it says of the step goes before its defaults.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for said, where in (*_of_files(settings, phase), *_of_bundle(circuit_breaker)):
        keys = {*Limits._fields, "enable_fix_for_steps"}.intersection(said)
        values |= {key: said[key] for key in keys}
        origins |= dict.fromkeys(keys, where)
    fixed = values.pop("enable_fix_for_steps")
    # What is a whole number to a schema may have been written `3.0`.
    values = {key: value if key == "cool_down_sec" else int(value) for key, value in values.items()}
    return Limits(step=phase, fix=phase in fixed, origins=dict(sorted(origins.items())), **values)


def _of_files(settings: Settings, phase: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """What each file says of the phase and where, what counts most last."""
    for written, file in ((settings.shipped, f"shipped {FILE}"), (settings.own, FILE)):
        yield written.get("defaults", {}), f"defaults of {file}"
        yield written.get("per_step", {}).get(phase, {}), f"per_step.{phase} of {file}"


def _of_bundle(said: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """What a bundle says in the terms of the files."""
    if "max_attempts" in said:
        yield {"max_attempts_per_step": said["max_attempts"]}, "circuit_breaker.max_attempts of the bundle"
    if "max_error_repeats" in said:
        # The first occurrence of an error repeats nothing.
        most = {"max_attempts_per_error_signature": said["max_error_repeats"] + 1}
        yield most, "circuit_breaker.max_error_repeats + 1 of the bundle"
    if "oscillation_threshold" in said:
        # What is there once has not come back.
        threshold = {"oscillation_threshold": max(2, said["oscillation_threshold"])}
        yield threshold, "circuit_breaker.oscillation_threshold of the bundle"
