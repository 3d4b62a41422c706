"""Make for workstreams."""

__version__ = "0.1.0"
