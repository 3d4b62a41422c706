"""Make for workstreams."""

__version__ = "0.1.0"

GC_THRESHOLD = (100_000, 20, 20)
"""How many new objects, and how often, before the collector of cycles looks at them: a command makes many,
and nearly all of them stay until it ends.
"""
