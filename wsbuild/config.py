"""The settings of `config/wsbuild.yaml`: shipped values, replaced key by key by the repository's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from wsbuild.model import Problem

FILE = "config/wsbuild.yaml"


class Config(NamedTuple):
    """The settings in force; `config/wsbuild.yaml` says what each means. Times are in seconds."""

    overlap: str
    static: tuple[str, ...]
    runtime: tuple[str, ...]
    test_gates: dict[str, list[str]]
    model: str
    timeout_sec: float
    grace_sec: float
    log_limit: int
    cache_mode: str
    cache_max_bytes: int
    cache_max_age_days: float
    ignore: tuple[str, ...]
    rollback: str
    watch: str
    approval_level: int
    budgets: dict[str, float]
    limit_wait_sec: float
    secrets: tuple[str, ...]
    detectors: tuple[str, ...]
    default_tool: str
    spec_sources: tuple[str, ...]
    archive_dir: str
    github: dict[str, Any]


def load(root: str) -> tuple[Config, list[Problem]]:
    """The settings for the project at `root`, and what is wrong with its file (then unused)."""
    settings, problems = read_settings(data_path("config", "wsbuild.yaml"), FILE, "wsbuild")
    own = os.path.join(root, FILE)
    if os.path.lexists(own):
        ours, own_problems = read_settings(own, FILE, "wsbuild")
        problems += own_problems
        pipeline = {**settings["pipeline"], **ours.get("pipeline", {})}
        cache = {**settings["cache"], **ours.get("cache", {})}
        budgets = {**settings["budgets"], **ours.get("budgets", {})}
        github = {**settings["github"], **ours.get("github", {})}
        merged = {"pipeline": pipeline, "cache": cache, "budgets": budgets, "github": github}
        settings = {**settings, **ours, **merged}
    return _config(settings), problems


def read_settings(path: str, rel: str, schema: str) -> tuple[dict[str, Any], list[Problem]]:
    """What a file of settings says, nothing where it has problems; problems call the file `rel`."""
    from wsbuild import schemas

    document, problems = schemas.read_document(path, rel)
    if document is None:
        return {}, problems
    problems += schemas.check(document, schema, rel)
    return ({} if problems else document.data or {}), problems


def _config(settings: dict[str, Any]) -> Config:
    return Config(
        overlap=settings["overlap"],
        static=tuple(settings["pipeline"]["static"]),
        runtime=tuple(settings["pipeline"]["runtime"]),
        test_gates=settings["test_gates"],
        model=settings["model"],
        timeout_sec=float(settings["timeout_sec"]),
        grace_sec=float(settings["grace_sec"]),
        log_limit=int(settings["log_limit_mb"] * 1_000_000),
        cache_mode=settings["cache"]["mode"],
        cache_max_bytes=int(settings["cache"]["max_size_mb"] * 1_000_000),
        cache_max_age_days=float(settings["cache"]["max_age_days"]),
        ignore=tuple(settings["ignore"]),
        rollback=settings["rollback"],
        watch=settings["watch"],
        approval_level=settings["approval_level"],
        budgets={name: most for name, most in settings["budgets"].items() if most is not None},
        limit_wait_sec=float(settings["limit_wait_sec"]),
        secrets=tuple(settings["secrets"]),
        detectors=tuple(settings["detectors"]),
        default_tool=settings["default_tool"],
        spec_sources=tuple(settings["spec_sources"]),
        archive_dir=settings["archive_dir"],
        github=settings["github"],
    )
