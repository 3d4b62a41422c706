"""Detectors: linters and scanners as plugins, whose results are kept by what they depend on."""
