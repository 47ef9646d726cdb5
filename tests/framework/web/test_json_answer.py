"""Answers are the same JSON whichever encoder writes them, and never what is no JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.web.json_answer import JsonAnswer

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["plain", "\u202e<b>\u2028", "half a pair: \ud800", "NaN", "-Infinity"])
def test_moments_durations_and_any_text_are_answered(text: str) -> None:
    content = {"at": MOMENT, "midnight": MOMENT.replace(microsecond=0), "for": timedelta(seconds=90), text: {"a": text}}

    told = {"at": "2026-01-02T03:04:05.120000Z", "midnight": "2026-01-02T03:04:05Z", "for": 90.0, text: {"a": text}}
    assert json.loads(JsonAnswer(content).body) == told


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        JsonAnswer({"value": value})
