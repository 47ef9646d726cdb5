"""The page of a task: how its runs went as a picture, and what is done to its occurrences by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from modules.core.scheduler.dashboard.run_charts import HEIGHT, LEAST, durations, latenesses

MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = 3600


def run(state: str, took: float | None, late: float = 0.0) -> dict[str, Any]:
    start = None if took is None else MOMENT + timedelta(seconds=late)
    return {"state": state, "duration": took, "scheduled_for": MOMENT, "due_at": MOMENT, "start_time": start}


def test_bars_are_as_high_as_runs_took_oldest_first_and_failures_are_marked() -> None:
    chart = durations([run("failed", 4.0), run("skipped", None), run("succeeded", 2.0)])

    first, second, third = chart.bars
    assert (first.kind, second.kind, third.kind) == ("good", "quiet", "bad")
    assert third.height == 2 * first.height
    assert second.height == LEAST
    assert [bar.cap is not None for bar in chart.bars] == [False, False, True]
    assert all(bar.y >= 0 and bar.y + bar.height == HEIGHT for bar in chart.bars)
    assert third.cap is not None
    assert third.cap >= 0
    assert chart.words == "3.0 s on average, 4.0 s at most"
    assert "did not run" in second.title


def test_lateness_is_counted_from_when_a_run_might_have_started() -> None:
    chart = latenesses([run("succeeded", 1.0, late=0.5), run("failed", 1.0, late=-1.0)])

    assert (chart.top, chart.words) == ("500 ms", "250 ms on average, 500 ms at most")
    assert {bar.kind for bar in chart.bars} == {"plain"}


def test_nothing_that_ran_is_an_empty_picture() -> None:
    assert (durations([]).bars, durations([]).words) == ((), "none has started")


async def test_the_page_says_how_it_behaves_and_how_to_write_it(site: Any) -> None:
    task_id = await site.node.add_every(HOUR, name="Export", max_retries=3, rate_limit="10/minute")
    await site.node.pass_time(HOUR)

    page = await site.http.get(f"/tasks/{task_id}")

    assert "3, the first after 10s" in page.text
    assert "at most 10 starts in 1m" in page.text
    assert "chamberlain tasks add Export" in page.text
    assert f"curl -X POST {site.url}/api/v1/scheduler/tasks" in page.text
    assert 'aria-label="How long it took: ' in page.text


async def test_secrets_are_masked_wherever_the_task_is_written(site: Any) -> None:
    async def send(token: str) -> None: ...

    site.node.register("send", send, secret=["token"])
    task_id = await site.node.add("send", delay=HOUR, parameters={"token": "geheim-geheim"})

    page = await site.http.get(f"/tasks/{task_id}")

    assert ("geheim" in page.text, "***" in page.text) == (False, True)


async def test_who_has_changed_it_stands_there(site: Any) -> None:
    task_id = await site.node.add_every(HOUR)
    before = await site.http.get(f"/tasks/{task_id}")
    await site.post(f"/tasks/{task_id}/pause", reason="holidays")

    page = await site.http.get(f"/tasks/{task_id}")

    assert ("Nobody has" in before.text, "Nobody has" in page.text) == (True, False)
    assert "<ins>holidays</ins>" in page.text


async def test_the_next_run_is_left_out_once(site: Any) -> None:
    task_id = await site.node.add_every(HOUR)
    nominal = (await site.node.task(task_id))["next_execution"].isoformat()

    for _ in range(2):
        await site.post(f"/tasks/{task_id}/skip", scheduled_for=nominal, reason="holidays", back=f"/tasks/{task_id}")
    page = await site.http.get(f"/tasks/{task_id}")

    assert await site.node.states(task_id) == ["skipped"]
    assert 'class="flash' in page.text


async def test_the_next_run_is_moved_and_the_task_is_given_an_end(site: Any) -> None:
    task_id = await site.node.add_every(HOUR)
    nominal = (await site.node.task(task_id))["next_execution"]
    later = (nominal + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M")

    await site.post(f"/tasks/{task_id}/shift", scheduled_for=nominal.isoformat(), to=later)
    (moved,) = await site.node.history(task_id)
    await site.post(f"/tasks/{task_id}/until", until=later)
    ended = (await site.node.task(task_id))["next_execution"]
    await site.post(f"/tasks/{task_id}/until", until="")

    assert moved["due_at"].strftime("%Y-%m-%dT%H:%M") == later
    assert ended is None
    assert (await site.node.task(task_id))["next_execution"] is not None


async def test_the_past_is_counted_before_it_is_made_up_for(site: Any) -> None:
    task_id = await site.node.add_every(HOUR, catch_up="none", misfire_grace_time=1)
    site.node.clock.advance(5 * HOUR)
    await site.node.scheduler.run_due()
    now = site.node.clock.now()
    span = {"start": (now - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"), "end": now.strftime("%Y-%m-%dT%H:%M")}

    await site.post(f"/tasks/{task_id}/backfill", **span)
    said = (await site.http.get("/tasks")).text
    counted = await site.node.states(task_id)
    await site.post(f"/tasks/{task_id}/backfill", really="yes", **span)
    placed = await site.node.states(task_id)

    assert "would be placed." in said
    assert "pending" not in counted
    assert "pending" in placed


async def test_a_moment_is_explained_and_one_that_cannot_be_read_says_so(site: Any) -> None:
    task_id = await site.node.add_every(HOUR)

    explained = await site.http.get(f"/tasks/{task_id}?at=2020-01-01T03:00")
    unreadable = await site.http.get(f"/tasks/{task_id}?at=yesterday")

    assert "Why, then" in explained.text
    assert (unreadable.status_code, '<p class="bad">' in unreadable.text) == (200, True)


async def test_a_damaged_task_is_shown_all_the_same(site: Any) -> None:
    task_id = await site.node.add_every(HOUR, name="Damaged")
    await site.node.damage(task_id, trigger='{"v":1}', policies="[]", parameters="nothing")

    page = await site.http.get(f"/tasks/{task_id}")

    assert (page.status_code, "Damaged" in page.text) == (200, True)


async def test_what_is_written_is_copied_by_a_click_and_other_ways_by_a_tab(site: Any, page: Any) -> None:
    task_id = await site.node.add_every(HOUR, name="Export")
    await page.goto(f"/tasks/{task_id}")

    await page.get_by_text("Command line", exact=True).click()
    shown = await page.locator(".tab:visible pre").inner_text()
    await page.locator(".tab:visible button").click()
    await page.get_by_text("Copied").or_(page.get_by_text("Marked: press Ctrl+C")).wait_for()

    assert shown.startswith("chamberlain tasks add Export")
