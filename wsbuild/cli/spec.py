"""`wsbuild spec`: specifications, what is made of them, and the changes of them that are to be made."""

from __future__ import annotations

import typer

from wsbuild.cli import openspec, spec_index

spec_app = typer.Typer(help="Specifications in Markdown, their paragraphs, and changes of them.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(spec_app, name="spec")
    spec_index.register(spec_app)
    openspec.register(spec_app)
