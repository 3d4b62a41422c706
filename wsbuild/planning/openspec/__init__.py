"""Changes of OpenSpec as bundles, and what is done written back to their task lists."""
