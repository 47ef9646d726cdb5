"""The timeline: each run stands where its time is, and what piles up is told with what would flatten it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler.dashboard import lanes
from modules.core.scheduler.dashboard.lanes import Window

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window(NOW - 6 * HOUR, NOW, NOW + 24 * HOUR)


def ran(hours: float, state: str = "succeeded", seconds: float = 1.0, **more: Any) -> dict[str, Any]:
    start = NOW - hours * HOUR
    ended = None if state == "running" else start + timedelta(seconds=seconds)
    return {"id": f"{state}{hours}", "state": state, "start_time": start, "end_time": ended, **more}


def forecast(*runs: tuple[float, str, float]) -> dict[str, Any]:
    told = [{"at": NOW + at * HOUR, "task_id": who, "name": who.upper(), "late": late} for at, who, late in runs]
    return {"until": WINDOW.until, "is_cut": False, "occurrences": told, "pile_ups": [], "slots": 1}


def test_runs_stand_where_their_time_is() -> None:
    (one, other) = lanes.past([ran(5.0), ran(1.0, "failed", seconds=1800)], WINDOW)

    assert (one["x"], one["kind"], one["id"]) == (pytest.approx(100 / 30, abs=0.01), "good", "succeeded5.0")
    assert (other["x"], other["kind"]) == (pytest.approx(500 / 30, abs=0.01), "bad")
    assert other["width"] == pytest.approx(0.5 * 100 / 30, abs=0.01)


def test_what_still_runs_reaches_to_the_present() -> None:
    (mark,) = lanes.past([ran(3.0, "running")], WINDOW)

    assert (mark["kind"], mark["x"] + mark["width"]) == ("live", pytest.approx(20, abs=0.01))


def test_runs_that_begin_together_are_told_by_the_worst_and_neighbours_of_a_kind_are_one() -> None:
    together = lanes.past([ran(2.0), ran(2.001, "failed"), ran(2.002)], WINDOW)
    many = lanes.past([ran(0.05 * number) for number in range(1, 100)], WINDOW)

    assert [(mark["state"], mark["count"], mark["id"]) for mark in together] == [("failed", 3, "failed2.001")]
    assert [(mark["count"], mark["id"]) for mark in many] == [(99, None)]


def test_what_ended_before_and_what_has_not_begun_is_not_drawn() -> None:
    waits = {"id": "p", "state": "pending", "start_time": None, "end_time": None}

    assert lanes.past([ran(7.0), waits], WINDOW) == []


def test_what_comes_is_sorted_by_task_and_what_comes_late_is_marked() -> None:
    coming = lanes.coming_of(forecast((1, "a", 0.0), (2, "a", 90.0), (1, "b", 0.0)), 24, 9)

    marks = lanes.ahead(coming.parts["a"], WINDOW)

    assert coming.names == {"a": "A", "b": "B"}
    assert [(mark["kind"], mark["count"], mark["late"]) for mark in marks] == [("coming", 1, 0.0), ("late", 1, 90.0)]
    assert marks[0]["x"] == pytest.approx(700 / 30, abs=0.01)
    assert (coming.forecast["drawn_until"], coming.forecast["is_short"]) == (WINDOW.until, False)


def test_where_more_comes_than_is_listed_it_is_drawn_as_far_as_the_list() -> None:
    told = lanes.coming_of(forecast((1, "a", 0.0)), 24, limit=1).forecast

    assert (told["drawn_until"], told["is_short"]) == (NOW + HOUR, True)


def test_ticks_are_round_times_of_the_zone_also_where_the_clocks_change() -> None:
    told = lanes.ticks(WINDOW, "Europe/Berlin")

    assert [tick["label"] for tick in told][:6] == ["09:00", "12:00", "15:00", "18:00", "21:00", "Sun 29"]
    midnight, three = told[5]["x"], told[6]["x"]
    assert three - midnight == pytest.approx(200 / 30, abs=0.01)  # from 00:00 to 03:00 it is two hours


async def eventually(site: Any, path: str, what: str) -> str:
    """Ask for a page until what is worked out beside it is there."""
    for _ in range(100):
        text: str = (await site.http.get(path)).text
        if what in text:
            return text
        site.node.clock.advance(6)
    raise AssertionError(f"{what!r} is not on {path}")


async def test_a_pile_up_is_told_with_what_would_flatten_it(site: Any) -> None:
    for number in range(30):
        await site.node.add(name=f"Nightly {number:02}", cron="0 0 * * *")

    page = await eventually(site, "/timeline", "30 tasks at once")

    assert "What would flatten it:" in page
    assert "`H` for the minute in their crons" in page
    assert page.count('<svg class="lane"') == 30
    assert "page 1 of 2, 31 tasks" in page
    assert 'class="pile"' in page


async def test_past_and_future_of_a_task_share_a_lane_that_is_found_by_name(site: Any) -> None:
    task_id = await site.node.add_every(3600, name="Export <b>")
    await site.node.add_every(3600, name="Other")
    await site.node.pass_time(3600)
    (row,) = await site.node.history(task_id)

    page = await eventually(site, "/timeline?search=EXPORT&zoom=week", 'class="coming"')

    assert page.count('<svg class="lane"') == 1
    assert f'href="/executions/{row["id"]}" tabindex="-1" aria-label="succeeded"' in page
    assert "Export &lt;b&gt;" in page
    assert "1 succeeded" in page


async def test_a_finding_is_shown_with_its_advice(site: Any) -> None:
    await site.node.add(name="Gap", cron="30 2 * * *", timezone="Europe/Berlin")

    page = await eventually(site, "/timeline", "FIXED_TIME_IN_GAP")

    assert "choose an hour that the clocks do not leave out" in page


@pytest.mark.parametrize("path", ["/timeline?page=999&zoom=none", "/timeline?page=-1", "/timeline?search=none"])
async def test_whatever_is_asked_for_there_is_a_page(site: Any, path: str) -> None:
    assert (await site.http.get(path)).status_code == 200


async def test_where_nothing_ran_and_nothing_comes_the_timeline_says_how_to_begin(site: Any) -> None:
    for cleanup in (await site.node.scheduler.list_cleanups()).unwrap():
        await site.node.scheduler.remove_cleanup(cleanup["id"])

    first = await site.http.get("/timeline")
    page = await eventually(site, "/timeline", "Nothing ran, and nothing comes in this time.")

    assert first.status_code == 200
    assert "schedule_cron" in page


async def test_the_timeline_opens_in_a_browser_and_its_lanes_are_reached_by_keys(site: Any, page: Any) -> None:
    await site.node.add_every(600, name="Export")
    await site.node.pass_time(600)
    await page.goto("/")

    for key in "gl":
        await page.keyboard.press(key)
    await page.wait_for_url("**/timeline")
    await page.get_by_role("link", name="30 min back, 2 h ahead").click()
    await page.wait_for_url("**/timeline?zoom=hours")
    await page.locator(".lanes").get_by_role("link", name="Export").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/tasks/*")

    assert await page.get_by_role("heading", name="Export").count() == 1
