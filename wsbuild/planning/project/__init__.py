"""Epics and tasks as CCPM keeps them, as workstreams, and as issues on GitHub."""
