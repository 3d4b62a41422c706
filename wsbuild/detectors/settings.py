"""The settings and the detectors of a project: read and checked once, and then known by all they are made of.

Reading YAML and checking it against a schema takes longer than judging a file.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wsbuild import __version__
from wsbuild.cache.digest import sha256_bytes, sha256_text
from wsbuild.config import FILE, Config
from wsbuild.detectors import registry
from wsbuild.errors import UserError
from wsbuild.looks import look_at
from wsbuild.shipped import data_path
from wsbuild.statedir import keep_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wsbuild.detectors.contract import Detector

MEMORY = ".wsbuild/detect-settings"
MARGIN_NS = 2_000_000_000
"""A directory that changed so shortly ago may change again without a trace in its times."""


def load(home: str, place: str) -> tuple[Config, list[Detector]]:
    """The settings and detectors as they are in `place`, the project at `home` or a copy of it. Raises
    UserError with all that is wrong with them.
    """
    made_of = _made_of(place)
    if made_of and (known := _remembered(home, place, made_of)):
        return known
    from wsbuild import config
    from wsbuild.problems import describe

    settings, problems = config.load(place)
    detectors, wrong = registry.load(place)
    if problems or wrong:
        raise UserError("\n".join(map(describe, (*problems, *wrong))))
    if made_of == _made_of(place):
        rows = [(_from(place, one.folder), one.module, one.manifest._asdict()) for one in detectors]
        text = json.dumps([settings._asdict(), rows])
        keep_file(home, MEMORY, f"{made_of}\n{sha256_text(text)}\n{text}".encode())
    return settings, detectors


def _made_of(place: str) -> str:
    """The digest of all that settings and detectors are read from; '' where that cannot be told."""
    parts = [__version__, _content(data_path("config", "wsbuild.yaml")), _content(os.path.join(place, FILE))]
    # One version may be installed twice, in a checkout or from one.
    parts += [" ".join(map(str, look_at(path))) for path in registry.shipped_manifests()]
    for folder in sorted(_folders(os.path.join(place, registry.FOLDER))):
        files = (os.path.join(folder, name) for name in (registry.MANIFEST, "plugin.py"))
        parts += [_from(place, folder), *map(_content, files)]
    for path in packages():
        try:
            st = os.stat(path or ".")
        except OSError:
            parts += [path, ""]
            continue
        if time.time_ns() - st.st_mtime_ns < MARGIN_NS:
            return ""
        parts += [path, f"{st.st_mtime_ns} {st.st_ino}"]
    return sha256_text("\0".join(parts))


def packages() -> Iterable[str]:
    """Where packages are installed, which may bring detectors."""
    return registry.packages()


def _folders(folder: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry.path for entry in entries)


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return sha256_bytes(file.read())
    except OSError as error:
        return type(error).__name__


def _from(place: str, folder: str) -> str:
    """A folder of the project as seen from its root; any other as it is."""
    return folder.removeprefix(os.path.join(place, ""))


def _remembered(home: str, place: str, made_of: str) -> tuple[Config, list[Detector]] | None:
    try:
        with open(os.path.join(home, MEMORY), encoding="utf-8") as file:
            key, digest, text = file.read().split("\n", 2)
        if key != made_of or digest != sha256_text(text):
            return None
        settings, rows = json.loads(text)
    except (OSError, ValueError):
        return None
    detectors = [
        registry.restore(os.path.join(place, folder), module, registry.manifest_of(manifest))
        for folder, module, manifest in rows
    ]
    return Config(**{name: _tuple(value) for name, value in settings.items()}), detectors


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
