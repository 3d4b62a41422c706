"""What surrounds a run: where workstreams come from, and where they go when they are done."""
