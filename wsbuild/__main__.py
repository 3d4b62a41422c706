"""`python -m wsbuild`."""

from wsbuild.cli.app import main

main()
