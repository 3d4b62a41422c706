"""Specifications in Markdown whose paragraphs have ids that stay when the text around them changes."""
