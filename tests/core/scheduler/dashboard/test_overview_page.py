"""The overview says in a sentence whether somebody has to do something, and what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler.dashboard.charts import ceiling, stacked
from modules.core.scheduler.dashboard.overview import wanting
from modules.core.scheduler.dashboard.remembering import Remembered
from modules.core.scheduler.live.verdict import verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
ALIVE = {"alive": True}
NONE: dict[str, Any] = {"count": 0, "is_cut": False}


def some(count: int, *, is_cut: bool = False) -> dict[str, Any]:
    return {"count": count, "is_cut": is_cut}


def said(needs: tuple[str, ...] = (), paused: tuple[str, ...] = (), nodes: Any = (ALIVE,), **seen: Any) -> str:
    counted = {"tasks": some(14), "late": NONE, "failing": NONE, "failed_once": NONE, "others": {}, **seen}
    status = {"nodes": nodes, "paused": [{"scope": scope} for scope in paused]}
    told = verdict(status, counted, [{"need": need} for need in needs])
    return f"{told['kind']}: {told['text']}"


def test_the_verdict_is_one_sentence() -> None:
    assert said() == "good: All 14 tasks on time."
    assert said(tasks=some(10_000, is_cut=True)) == "good: All 10,000+ tasks on time."
    assert said(tasks=some(1)) == "good: The one task is on time."
    assert said(tasks=NONE) == "good: Nothing is scheduled."
    assert said(late=some(2)) == "warn: 2 tasks late."
    assert said(late=some(2), failing=some(1)) == "bad: 2 tasks late, 1 failing."
    assert said(failing=some(1)) == "bad: 1 task failing."
    assert said(failing=some(60, is_cut=True), failed_once=some(1)) == "bad: 60+ tasks failing, 1 one-time task failed."
    assert said(("set_aside", "deadline_missed")) == "bad: 1 task past a deadline, 1 set aside."
    assert said(("set_aside",), others={"set_aside": 20}) == "bad: 21 tasks set aside."
    assert said(("long_paused",), paused=("cleanups:*",)) == "good: All 14 tasks on time."
    assert said(paused=("queue:mail", "acme.post")) == "warn: Held back: queue mail, acme.post."
    assert said(paused=("*",), failing=some(1)) == "warn: Everything is paused."
    assert said(nodes=({"alive": False},)) == "bad: Nothing runs: no node is alive."


def test_a_finding_about_a_task_is_added_unless_the_task_is_there_already() -> None:
    known = {"need": "failing", "task_id": "a", "task": "A"}
    findings = [
        {"code": code, "task_id": task_id, "task": task_id.upper(), "text": "text", "advice": "advice"}
        for code, task_id in (("NEVER_RAN", "a"), ("FUNCTION_MISSING", "b"), ("NEVER_RAN", "b"), ("SHORT_TIMEOUT", "c"))
    ]

    told = wanting([known], findings)

    assert [(each["need"], each["task_id"]) for each in told] == [("failing", "a"), ("function_missing", "b")]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.04, 0.05), (0.3, 0.5), (1, 1), (3, 5), (20, 20), (21, 50), (999, 1000)]
)
def test_the_upper_edge_is_a_round_number(value: float, top: float) -> None:
    assert ceiling(value) == pytest.approx(top)


def test_areas_stand_on_each_other_and_reach_from_edge_to_edge() -> None:
    series = [
        {"at": START + number * timedelta(minutes=1), "by_state": by_state}
        for number, by_state in enumerate([{"succeeded": 2, "failed": 2}, {}, {"succeeded": 1, "timed_out": 3}])
    ]

    chart = stacked(series, 60, last=60)

    assert chart["top"] == 5
    assert chart["totals"] == {"succeeded": 3, "failed": 5, "missed": 0, "skipped": 0}
    assert [area["outcome"] for area in chart["areas"]] == ["succeeded", "failed"]
    assert chart["areas"][0]["points"].split()[:5] == ["0,72.0", "100.0,72.0", "300.0,120.0", "500.0,96.0", "600,96.0"]
    assert chart["areas"][1]["points"].split()[:3] == ["0,24.0", "100.0,24.0", "300.0,120.0"]
    assert [column["x"] for column in chart["columns"]] == [0, 200, 400]


def test_a_step_that_has_just_begun_is_told_by_its_rate_and_not_as_a_drop() -> None:
    series = [{"at": START, "by_state": {"succeeded": 10}}, {"at": START, "by_state": {"succeeded": 5}}]

    points = stacked(series, 60, last=30)["areas"][0]["points"].split()

    assert points[:4] == ["0,0.0", "150.0,0.0", "450.0,0.0", "600,0.0"]


async def test_what_was_found_out_is_shown_again_for_a_while(site: Any) -> None:
    asked: list[int] = []

    async def ask() -> int:
        asked.append(1)
        if len(asked) == 2:
            raise ValueError("no luck")
        return len(asked)

    heard: list[int] = []
    remembered = Remembered(site.node.clock, ask, lambda: heard.append(len(asked)))
    told = [await remembered.told(), await remembered.told()]
    site.node.clock.advance(6)
    told.append(await remembered.told())
    site.node.clock.advance(6)
    told.append(await remembered.told())
    await remembered.close()

    assert told == [1, 1, 1, 3]
    assert heard == [1, 3]


async def test_no_page_waits_for_what_takes_long_to_find_out(site: Any) -> None:
    found = asyncio.Event()

    async def ask() -> int:
        await found.wait()
        return 1

    remembered = Remembered(site.node.clock, ask, found.clear)
    told = [await remembered.told(), await remembered.told()]
    waited = remembered._is_slow
    found.set()
    await site.http.get("/health/live")
    told.append(await remembered.told())
    await remembered.close()

    assert (told, waited) == ([None, None, 1], True)


async def test_the_page_names_what_needs_attention_and_offers_what_to_do(site: Any) -> None:
    async def fail() -> None:
        raise ValueError("<b>no luck</b>")

    site.node.register("fail", fail)
    task_id = await site.node.add_every(60, "fail", name="Export")
    await site.node.pass_time(60)
    (row,) = await site.node.history(task_id)

    page = (await site.http.get("/?window=1h")).text
    run = await site.post(f"/tasks/{task_id}/run", back="/")

    assert "1 task failing." in page or "no node is alive" in page
    assert "its last run failed: ValueError: &lt;b&gt;no luck&lt;/b&gt;" in page
    assert f'href="/executions/{row["id"]}"' in page
    assert f'href="/tasks/{task_id}#why"' in page
    assert f'action="/tasks/{task_id}/run"' in page
    assert run.status_code == 303
    assert '<polygon class="bad failed"' in page


async def test_a_click_on_why_shows_the_explanation(site: Any, page: Any) -> None:
    await site.node.add(delay=60, name="Export")
    site.node.clock.advance(200)
    await page.goto("/")

    await page.get_by_role("row", name="Export").get_by_role("link", name="Why?").click()
    await page.wait_for_url("**/tasks/*#why")

    assert await page.locator("#why").get_by_role("listitem").count() > 1
