"""A small bookshop: a catalog, a cart, and what it costs to send."""
