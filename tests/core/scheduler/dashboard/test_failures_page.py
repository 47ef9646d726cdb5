"""The page of failures: the same ones together, and tried again together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from modules.core.scheduler.dashboard.failures import fingerprint, grouped

MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def row(error: str | None, task: str = "a", number: int = 0) -> dict[str, Any]:
    end = MOMENT.replace(minute=number)
    told = {"task_id": task, "task_name": task, "error": error, "reason": None, "state": "failed"}
    return {**told, "end_time": end, "id": f"{task}{number}"}


def test_what_differs_in_numbers_only_is_the_same() -> None:
    groups = grouped([row("timeout after 3 s", number=1), row("Timeout after 12 s", number=5), row("no such host")])

    assert [(group["count"], group["error"], group["newest"]) for group in groups] == [
        (2, "Timeout after 12 s", "a5"),
        (1, "no such host", "a0"),
    ]
    assert (groups[0]["first"].minute, groups[0]["last"].minute) == (1, 5)


def test_the_same_words_of_two_tasks_are_two_failures() -> None:
    assert len(grouped([row("x", "a"), row("x", "b")])) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("job 3 of 7", "job 41 of 7"),
        ("at 0x7f3a", "at 0xbeef"),
        ("id 01a1ffcd-aec5-7093-a2b2-97c85564feed", "id " + "0" * 8 + "-0000-0000-0000-" + "1" * 12),
    ],
)
def test_ids_and_addresses_do_not_count(one: str, other: str) -> None:
    assert fingerprint(row(one)) == fingerprint(row(other))


async def test_failures_of_a_kind_are_tried_again_together(site: Any) -> None:
    node, broken = site.node, [True]

    async def work() -> str:
        if broken:
            raise RuntimeError(f"no connection to port {len(await node.history())}")
        return "done"

    node.register("work", work)
    for number in range(3):
        await node.add("work", delay=0, name="Export", key=f"export {number}")
    await node.scheduler.run_due()
    page = await site.http.get("/failures")
    actions = [line.split('action="')[1].split('"')[0] for line in page.text.splitlines() if "/retry" in line]
    broken.clear()

    await site.post(actions[0], window="24h")
    said = await site.http.get("/failures")
    await node.scheduler.run_due()

    assert "no connection to port" in page.text
    assert "1 of 1 are tried again." in said.text
    assert sorted(await node.states()).count("succeeded") == 1


async def test_where_nothing_failed_the_page_says_so(site: Any) -> None:
    assert "Nothing failed in the last 7d." in (await site.http.get("/failures?window=7d")).text
