"""`wsbuild spec`: specifications, and the changes of them that are to be made."""

from __future__ import annotations

import typer

from wsbuild.cli import openspec

spec_app = typer.Typer(help="Specifications, and the changes of them that are to be made.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(spec_app, name="spec")
    openspec.register(spec_app)
