"""From files that are to be changed to workstreams: grouping, limits, order, and the reason for each."""
