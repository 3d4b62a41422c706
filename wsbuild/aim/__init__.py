"""AIM: which tool serves a capability, who is asked after it fails, and a record of each time."""
