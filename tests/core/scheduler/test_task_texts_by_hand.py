"""Pages as text of a SQLite file: of rows that somebody has changed by hand, and who makes them."""

from __future__ import annotations

from typing import Any

import pytest
from page_texts import HOURLY, both, by_hand, schedule, texts

from modules.core.scheduler import task_texts


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite: PostgreSQL takes no such values, and has no threads."""
    return sqlite_url


@pytest.mark.parametrize("value", ["2026-W01-1 00:00:00.000000", "2026-01-01 99:00:00.000000", "soon", "2026-01-01"])
async def test_a_moment_that_somebody_wrote_by_hand_is_read_alike(node: Any, value: str) -> None:
    await by_hand(node, await schedule(node, HOURLY), raw=f"last_execution = '{value}'")

    as_text, as_data = await both(node, limit=50, cursor=None)

    assert as_text == as_data


async def test_a_row_that_cannot_be_written_as_it_is_leaves_the_page_to_the_usual_way(node: Any) -> None:
    await by_hand(node, await schedule(node, HOURLY), raw="description = x'00'")

    assert await texts(node).page({}, 50, None) is None


async def test_after_a_heavy_page_a_thread_makes_the_next_one(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database, glances = node.app_context.database, []
    glance = database.glance
    monkeypatch.setattr(database, "glance", lambda work, **how: glances.append(work) or glance(work, **how))
    pages = texts(node)

    await pages.page({}, 50, None)
    monkeypatch.setattr(task_texts, "LIGHT", 1)
    await pages.page({}, 50, None)
    seen = len(glances)
    await pages.page({}, 50, None)
    await texts(node).page({"search": "walks along"}, 50, None)

    assert (seen, len(glances)) == (2, 2)
