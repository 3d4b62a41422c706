"""Git worktrees: made from the checkout as it is, kept until their work has landed, never lost."""
