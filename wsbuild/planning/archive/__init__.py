"""Workstreams that are done, put away with their reports: into a zip file, and back from one."""
