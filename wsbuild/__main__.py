"""`python -m wsbuild`."""

from wsbuild.cli.entry import command

command()
