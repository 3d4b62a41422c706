"""Adapters that come with wsbuild: programs that take a request on stdin and answer on stdout."""
