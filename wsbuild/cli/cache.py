"""`wsbuild cache`: what is in the cache of results, whether it is sound, and less of it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cache import housekeeping
from wsbuild.cache.place import VARIABLE, cache_dir
from wsbuild.cache.shelf import Shelf
from wsbuild.cli.common import JsonOption, asking_session, project_root, show_json
from wsbuild.cli.units import DAY_S, read_age, read_size, shown_size
from wsbuild.errors import EXIT_FAILED, StateError

if TYPE_CHECKING:
    from wsbuild.cache.housekeeping import Removed


def register(app: typer.Typer) -> None:
    """Add the commands."""
    cache = typer.Typer(help="The results kept to be restored: count, check, remove.", no_args_is_help=True)
    cache.command("stats", help="Where the cache is, and what is in it.")(stats)
    cache.command("verify", help="Read everything in the cache; exit 1 when something is damaged.")(verify)
    cache.command("gc", help="Remove what was of no use for long, and what is too much.")(gc)
    cache.command("clear", help="Remove everything from the cache.")(clear)
    app.add_typer(cache, name="cache")


def _shelf(*, writable: bool) -> Shelf:
    """The cache of this project. Raises StateError where it may not be changed."""
    shelf = Shelf(cache_dir(project_root(), os.environ), writable=writable)
    if not housekeeping.is_cache(shelf):
        raise StateError(
            f"{shelf.directory} is not a cache of wsbuild", f"set {VARIABLE} to another directory"
        )
    if writable and os.path.isdir(shelf.directory) and not os.access(shelf.directory, os.W_OK):
        raise StateError(f"{shelf.directory} cannot be written", "make it writable")
    return shelf


def _utc(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stats(as_json: JsonOption = False) -> None:
    """Show what is in the cache, and how the last run used it."""
    shelf = _shelf(writable=False)
    session = asking_session()
    try:
        counts = session.reader.last_counts()
    finally:
        session.close()
    found = housekeeping.stats(shelf)
    data: dict[str, Any] = {
        "directory": shelf.directory,
        **found._asdict(),
        "oldest": _utc(found.oldest),
        "hits": counts.get("cache_hits", 0),
        "misses": counts.get("cache_misses", 0),
    }
    if as_json:
        show_json("cache-stats", data)
        return
    typer.echo(
        f"{shelf.directory}: {found.entries} results, {found.blobs} contents, {shown_size(found.bytes)}"
    )
    if data["oldest"]:
        typer.echo(f"least recently used: {data['oldest']}")
    if found.damaged:
        typer.echo(f"{found.damaged} damaged files are kept in {shelf.path('damaged')}")
    typer.echo(f"last run: {data['hits']} hits, {data['misses']} misses")


def verify(
    fix: Annotated[bool, typer.Option("--fix", help="Put what is damaged out of use.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check every result and content against its digest."""
    shelf = _shelf(writable=fix)
    problems = housekeeping.verify(shelf, fix=fix)
    if as_json:
        show_json(
            "cache-verify", {"ok": not problems, "fixed": fix, "problems": [p._asdict() for p in problems]}
        )
    else:
        for problem in problems:
            typer.echo(f"{problem.path} {problem.what}")
        ending = ", put out of use" if fix else "; `wsbuild cache verify --fix` puts them out of use"
        typer.echo(f"{len(problems)} damaged{ending}" if problems else "all is as it was written")
    if problems and not fix:
        raise typer.Exit(EXIT_FAILED)


def gc(
    max_size: Annotated[
        str, typer.Option("--max-size", metavar="SIZE", help="Leave at most this: 500M, 2G.")
    ] = "",
    max_age: Annotated[
        str, typer.Option("--max-age", metavar="AGE", help="Remove what was not used for this: 30d, 12h.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Remove results of oldest use first; the limits not given are those of the settings."""
    shelf = _shelf(writable=True)
    settings = asking_session().plan.config
    size = read_size(max_size) if max_size else settings.cache_max_bytes
    age = read_age(max_age) if max_age else settings.cache_max_age_days * DAY_S
    _tell_removed(housekeeping.collect(shelf, max_bytes=size, max_age_s=age), as_json=as_json)


def clear(as_json: JsonOption = False) -> None:
    """Remove all results; what is up to date stays so."""
    _tell_removed(housekeeping.clear(_shelf(writable=True)), as_json=as_json)


def _tell_removed(removed: Removed, *, as_json: bool) -> None:
    if as_json:
        show_json("cache-removed", removed._asdict())
        return
    typer.echo(
        f"removed {removed.entries} results and {removed.blobs} contents, {shown_size(removed.bytes)};"
        f" {shown_size(removed.left)} left"
    )
