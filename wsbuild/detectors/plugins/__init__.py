"""The detectors that ship with wsbuild: a folder each, with its manifest and its two functions."""
