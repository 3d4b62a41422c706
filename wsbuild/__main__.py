"""`python -m wsbuild`."""

from wsbuild.cli.entry import main

main()
