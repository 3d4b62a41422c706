"""What makes two failures the same error: their text, without what differs from run to run."""

from __future__ import annotations

import re

# In this order: a later rule would tear apart what an earlier one looks for.
_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # ECMA-48 control sequences, and OSC up to its terminator
        (r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])", ""),
        (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<uuid>"),
        (
            r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!\d)",
            "<time>",
        ),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\b0[xX][0-9a-fA-F]+\b", "<hex>"),
        # a path from the root, of Unix or Windows, but not what follows the host in a URL
        (r"(?<![\w./\\:~-])/(?:[^\s/:'\"(),;\[\]<>]+/)*([^\s/:'\"(),;\[\]<>]+)/?", r"\1"),
        (r"\b[A-Za-z]:[\\/](?:[^\s\\/:'\"(),;]+[\\/])*([^\s\\/:'\"(),;]+)", r"\1"),
        (r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b", "<hex>"),
        (
            r"\b\d+(?:[.,]\d+)?\s?(?:ns|us|µs|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b",
            "<time>",
        ),
        (r"\b\d+(?:[.,]\d+)*\b", "<n>"),
        (r"<time>(?:[ :]<time>)+", "<time>"),
        (r"\s+", " "),
    )
)
LONGEST = 20_000  # characters; the end of a text says what went wrong


def normalize(text: str) -> str:
    """`text` on one line, with placeholders for times, durations, addresses, digests and numbers.

    Paths from the root are cut to their last name; terminal escapes go. Codes such as E501 stay.
    """
    text = text[-LONGEST:]
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


def signature(step: str, code: str, text: str) -> str:
    """16 hexadecimal digits that are the same for the same error of the same step."""
    from hashlib import blake2b

    whole = "\0".join((step, code, normalize(text)))
    return blake2b(whole.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
