"""Where the files are that ship with wsbuild: schemas and settings."""

from __future__ import annotations

import os


def data_path(*parts: str) -> str:
    """The absolute path of a file that ships with wsbuild, such as `("config", "wsbuild.yaml")`."""
    package = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(package, "_data")
    base = installed if os.path.isdir(installed) else os.path.dirname(package)
    return os.path.join(base, *parts)
