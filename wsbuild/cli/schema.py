"""`wsbuild schema`: the schemas of what people write and of what commands print."""

from __future__ import annotations

from typing import Annotated

import typer

from wsbuild.cli.common import JsonOption, show_json, show_table
from wsbuild.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema", help="Show which schemas there are, print one, or write them for editors.")(schema)


def schema(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Print this one.")] = "",
    write: Annotated[
        str,
        typer.Option("--write", metavar="DIR", help="Write them there for editors: this one, or all."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Schemas are printed as they ship (2020-12), and written as draft-07, which every editor reads."""
    from wsbuild.planning.authoring import editors

    if write:
        try:
            for path in editors.write(write, [name] if name else editors.FOR_EDITORS):
                typer.echo(f"wrote   {path}")
        except OSError as error:
            raise UserError(f"{write} cannot be written to: {error.strerror}", "name a directory") from error
    elif name:
        typer.echo(editors.as_text(editors.schema(name)), nl=False)
    else:
        found = [(one, editors.schema(one)) for one in editors.names()]
        if as_json:
            rows = [{"name": one, "description": data["description"]} for one, data in found]
            show_json("schemas", {"schemas": rows})
        else:
            show_table([[one, data["description"].partition(". ")[0].rstrip(".")] for one, data in found])
