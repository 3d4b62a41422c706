"""Writing workstreams by hand: a first text to go on from, and advice on what is there."""
