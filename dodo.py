"""What `doit` finds here: bundle -> graph -> tasks -> actions -> store.

With `[tool.doit] loader = "wsbuild"` in the pyproject.toml of the current directory doit does not
read this file. It is for where that line is missing, and for `doit -k` from a directory below: it
hands doit's command line to the same loader.
"""

from wsbuild.doit_plugin.loader import hand_over

hand_over()
