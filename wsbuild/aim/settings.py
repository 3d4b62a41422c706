"""The settings of `config/aim_config.yaml`: shipped values, replaced key by key by the repository's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.config import read_settings
from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from wsbuild.model import Problem

FILE = "config/aim_config.yaml"
AUTO = "auto"


class Settings(NamedTuple):
    """The settings in force; `config/aim_config.yaml` says what each means."""

    enable_aim: bool
    registry_path: str
    enable_audit_logging: bool
    audit_log_retention_days: int
    default_timeout_ms: int
    retry_backoff_ms: int


def load(root: str) -> tuple[Settings, list[Problem]]:
    """The settings for the project at `root`, and what is wrong with its file (then unused)."""
    path = data_path(*FILE.split("/"))
    values, problems = read_settings(path, path, "aim_config")
    if os.path.lexists(os.path.join(root, FILE)):
        own, own_problems = read_settings(os.path.join(root, FILE), FILE, "aim_config")
        values, problems = {**values, **own}, [*problems, *own_problems]
    return Settings(**{name: values[name] for name in Settings._fields}), problems
