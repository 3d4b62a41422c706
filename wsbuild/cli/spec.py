"""`wsbuild spec`: specifications, and what is made of them."""

from __future__ import annotations

import typer

from wsbuild.cli import spec_index

spec_app = typer.Typer(help="Specifications in Markdown: ids of their paragraphs, and what they mean.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(spec_app, name="spec")
    spec_index.register(spec_app)
