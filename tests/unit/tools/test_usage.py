"""What tools say of their usage and its limits, in the words of the shipped profiles' tools."""

from __future__ import annotations

import json

import pytest

from wsbuild.shipped import data_path
from wsbuild.tools.usage import LONGEST_WAIT_S, Usage, limited_until, used

NOW = 1_750_000_000.0
WAIT = 900.0

with open(data_path("config", "tool_profiles.json"), encoding="utf-8") as _file:
    PROFILES = json.load(_file)

AIDER = """\
Tokens: 2.5k sent, 1,234 received. Cost: $0.01 message, $0.01 session.
Applied edit to a.py
Tokens: 10k sent, 5k cache write, 1.5k cache hit, 2M received.
Cost: $1.50 message, $1.51 session.
"""
CLAUDE = (
    '{"type":"result","is_error":false,"result":"done","total_cost_usd":0.6571631500000001,"usage":{"input_tokens":112,'
    '"cache_creation_input_tokens":58211,"cache_read_input_tokens":1120129,"cache_creation":{"ephemeral_5m_input_tokens":7},'
    '"output_tokens":6814},"modelUsage":{"m":{"inputTokens":112,"outputTokens":6814,"costUSD":0.65}}}'
)


@pytest.mark.parametrize(
    ("tool", "text", "usage"),
    [
        ("aider", AIDER, Usage(1.51, 12_500, 2_001_234)),
        ("aider", "no report\n", Usage()),
        ("claude", CLAUDE, Usage(0.6571631500000001, 112 + 58_211 + 1_120_129, 6_814)),
        ("codex", "done\ntokens used\n1,234\n", Usage(0.0, 1_234, 0)),
        ("codex", "tokens used: 12\n", Usage(0.0, 12, 0)),
    ],
)
def test_what_tools_report_is_added_up(tool: str, text: str, usage: Usage) -> None:
    assert used(PROFILES[tool]["usage_output"], text) == usage


@pytest.mark.parametrize("number", ["", ",", "x", "nan", "inf", "-1", "1e999", "k"])
def test_what_is_no_amount_does_not_count(number: str) -> None:
    assert used(["cost: (?P<cost_usd>.*)"], f"cost: {number}\ncost: 2") == Usage(2.0)


@pytest.mark.parametrize(
    ("tool", "text", "after"),
    [
        ("claude", f"Claude AI usage limit reached|{NOW + 5_000:.0f}", 5_000.0),
        ("claude", "Claude usage limit reached. Your limit will reset at 3pm (America/Bogota).", WAIT),
        ("claude", "You've hit your limit \u00b7 resets 4:50am (Europe/Rome)", WAIT),
        (
            "codex",
            "You've hit your usage limit. Upgrade (https://x.y) or try again in 5 days 22 hours 11\nminutes.",
            5 * 86_400 + 22 * 3_600 + 11 * 60,
        ),
        ("codex", "You've hit your usage limit. Try again in 3 hours 2 minutes.", 3 * 3_600 + 2 * 60),
        ("codex", "You've hit your usage limit, or wait for limits to reset (every 5h).", WAIT),
        ("aider", "litellm.RateLimitError: RateLimitError: OpenAIException - slow down", WAIT),
    ],
)
def test_when_a_tool_may_be_asked_again(tool: str, text: str, after: float) -> None:
    found = limited_until(PROFILES[tool]["limit_output"], f"hello\n{text}\nbye\n", NOW, WAIT)
    assert found is not None
    assert found[0] == NOW + after
    assert "\n" not in found[1]


@pytest.mark.parametrize("tool", ["aider", "claude", "codex"])
def test_a_tool_that_says_nothing_of_a_limit_has_none(tool: str) -> None:
    text = AIDER + CLAUDE + "limits of the usage\n"
    assert limited_until(PROFILES[tool]["limit_output"], text, NOW, WAIT) is None


@pytest.mark.parametrize("at", [NOW - 5, NOW, NOW + LONGEST_WAIT_S + 1, 0])
def test_a_time_that_cannot_be_is_not_believed(at: float) -> None:
    found = limited_until([r"limit\|(?P<at>\d+)"], f"limit|{at:.0f}", NOW, WAIT)
    assert found is not None
    assert found[0] == NOW + WAIT


def test_the_last_word_counts() -> None:
    """Of whichever pattern."""
    patterns = ["first (?P<hours>\\d+)", "then (?P<minutes>\\d+)"]
    assert limited_until(patterns, "then 5 first 1 then 7", NOW, WAIT) == (NOW + 420, "then 7")
