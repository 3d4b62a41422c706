"""Imports and paths that a project has given up: where they stand, and what is written instead."""
