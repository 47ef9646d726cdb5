"""The page says of each trigger what it is called in words and when it runs."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from documents import ROOT, blocks

from modules.core.scheduler.trigger import parse
from modules.core.scheduler.trigger.parse import KEYS

BERLIN = "Europe/Berlin"
NOON = datetime(2026, 11, 21, 11, tzinfo=UTC)
EXAMPLES = [
    tuple(example.split("\n# "))
    for block in blocks("docs/when.md")
    if block.mark == "triggers"
    for example in block.text.rstrip("\n").split("\n{")
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[1])
def test_a_trigger_on_the_page_is_told_so_and_runs_then(example: tuple[str, str, str]) -> None:
    definition, words, times = example
    trigger = parse(ast.literal_eval("{" + definition.removeprefix("{")), zone=BERLIN, now=NOON)
    told = times.split(", ")

    found = [trigger.next_after(NOON)]
    while len(found) < len(told) and found[-1] is not None:
        found.append(trigger.next_after(found[-1]))

    assert trigger.describe() == words
    assert [f"{moment.astimezone(ZoneInfo(BERLIN)):%Y-%m-%d %H:%M}" for moment in found if moment] == told


def test_every_type_is_told_in_the_table_of_task_keys() -> None:
    row = next(line for line in (ROOT / "docs/tasks.md").read_text().splitlines() if line.startswith("| `trigger`"))

    assert {kind for kind in KEYS if f"`{kind}`" in row} == set(KEYS)


def test_there_is_an_example_of_each_of_these() -> None:
    assert {ast.literal_eval("{" + example[0].removeprefix("{"))["type"] for example in EXAMPLES} >= {
        *("calendar", "window", "rrule", "any", "all")
    }
