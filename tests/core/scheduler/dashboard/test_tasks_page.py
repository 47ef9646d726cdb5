"""The list of tasks: found by the address, told how each went, and changed many at a time after a question."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import escape

from modules.core.scheduler.dashboard import bulk, tasks
from modules.core.scheduler.dashboard.tasks import average
from modules.core.scheduler.dashboard.wording import counted, runs_in_words, tidy


async def states_of(site: Any) -> list[str]:
    page = (await site.node.scheduler.list_tasks(tag="many")).unwrap()
    return [task["status"] for task in page["tasks"]]


async def with_many(site: Any, count: int = 3) -> list[str]:
    return [await site.node.add_every(60 + number, name=f"Task {number}", tags=["many"]) for number in range(count)]


def test_a_bar_of_runs_says_in_words_what_it_shows() -> None:
    runs = [{"state": "timed_out"}, {"state": "succeeded"}, {"state": "succeeded"}]

    assert runs_in_words(runs) == "the last 3 runs: 2 succeeded, 1 timed out; the newest timed out"
    assert runs_in_words([]) == "no runs"


def test_what_ran_counts_for_the_average_and_what_did_not_is_left_out() -> None:
    assert average([{"duration": 2.0}, {"duration": None}, {"duration": 4.0}]) == 3.0
    assert average([{"duration": None}]) is None


def test_counts_and_moments_read_as_people_write_them() -> None:
    assert (counted(10_000, True, "task"), counted(1, False, "task"), counted(0, False)) == (
        "10,000+ tasks",
        "1 task",
        "0",
    )
    assert tidy("once at 2026-11-22T10:20:04.520417Z") == "once at 2026-11-22 10:20:04 UTC"


async def test_each_task_shows_how_its_last_runs_went(site: Any) -> None:
    await site.node.add_every(60, name="Export")
    for _ in range(3):
        await site.node.pass_time(60)

    page = await site.http.get("/tasks?search=Export")

    assert "the last 3 runs: 3 succeeded; the newest succeeded" in page.text


@pytest.mark.parametrize("asked", ["search=Other", "status=paused", "trigger=cron", "module=acme.none", "tag=none"])
async def test_filters_stand_in_the_address_and_are_left_out_by_a_cross(site: Any, asked: str) -> None:
    await with_many(site, 1)

    page = await site.http.get(f"/tasks?{asked}&tag=many" if "tag" not in asked else f"/tasks?{asked}")
    found = await site.http.get("/tasks?trigger=interval&tag=many&search=Task")

    name = asked.partition("=")[0]
    assert ("No task fits." in page.text, f"{name}: <b>" in page.text) == (True, True)
    assert "Task 0" in found.text
    assert str(escape("/tasks?trigger=interval&search=Task")) not in found.text
    assert str(escape("/tasks?search=Task&trigger=interval")) in found.text


async def test_the_list_says_how_many_there_are_also_where_they_do_not_fit_on_a_page(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_many(site)
    whole = await site.http.get("/tasks?tag=many")
    monkeypatch.setattr(tasks, "PAGE", 2)

    first = await site.http.get("/tasks?tag=many")

    assert ["all 3 that fit" in page.text for page in (whole, first)] == [True, True]
    assert ("Older" in whole.text, "Older" in first.text) == (False, True)


async def test_all_that_fit_are_paused_after_a_page_that_says_how_many(site: Any) -> None:
    await with_many(site)
    await site.node.add_every(60, name="Another")

    asks = await site.http.get("/tasks/-/bulk?act=pause&which=all&tag=many")
    before = await states_of(site)
    done = await site.post("/tasks/-/bulk", act="pause", which="all", tag="many", reason="holidays")
    page = await site.http.get(done.headers["location"])

    assert ("Pause 3 tasks?" in asks.text, before) == (True, ["pending"] * 3)
    assert (await states_of(site), done.headers["location"]) == (["paused"] * 3, "/tasks?tag=many")
    assert "3 tasks are paused." in page.text
    (other,) = (await site.node.scheduler.list_tasks(search="Another")).unwrap()["tasks"]
    assert other["status"] == "pending"


async def test_only_the_ticked_ones_that_can_be_treated_so_are(site: Any) -> None:
    first, second, third = await with_many(site)
    await site.node.scheduler.cancel_task(third)

    asks = await site.http.get(f"/tasks/-/bulk?act=cancel&which=chosen&id={first}&id={third}&id=none")
    await site.post("/tasks/-/bulk", act="cancel", which="chosen", ids=f"{first},{third}")

    assert "Cancel 1 task?" in asks.text
    assert [(await site.node.task(each))["status"] for each in (first, second)] == ["cancelled", "pending"]


async def test_run_and_resume_many_at_once(site: Any) -> None:
    ids = await with_many(site, 2)
    for each in ids:
        await site.node.scheduler.pause_task(each)

    await site.post("/tasks/-/bulk", act="resume", which="all", tag="many")
    resumed = await states_of(site)
    await site.post("/tasks/-/bulk", act="run", which="all", tag="many")
    await site.node.scheduler.run_due()

    assert resumed == ["pending"] * 2
    assert await site.node.states() == ["succeeded"] * 2


async def test_what_is_refused_is_counted_and_told(site: Any) -> None:
    await with_many(site, 2)
    for _ in range(2):
        await site.post("/tasks/-/bulk", act="run", which="all", tag="many")

    page = await site.http.get("/tasks")

    assert "0 tasks are started. 2 were refused: " in page.text


async def test_more_than_are_done_at_once_are_said_to_be_more(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    await with_many(site)

    asks = await site.http.get("/tasks/-/bulk?act=pause&which=all&tag=many")
    await site.post("/tasks/-/bulk", act="pause", which="all", tag="many")

    assert ("Pause 3 tasks?" in asks.text, "The first 2 of them now" in asks.text) == (True, True)
    assert sorted(await states_of(site)) == ["paused", "paused", "pending"]


@pytest.mark.parametrize("asked", ["act=pause&which=chosen", "act=explode&which=all", "act=resume&which=all"])
async def test_what_asks_for_nothing_is_a_page_that_says_so(site: Any, asked: str) -> None:
    await with_many(site, 1)

    assert "No task is chosen" in (await site.http.get(f"/tasks/-/bulk?{asked}")).text
    assert (await site.post("/tasks/-/bulk", act="explode", which="all")).status_code == 422


async def test_rows_are_ticked_by_a_key_and_live_updates_leave_them_alone(site: Any, page: Any) -> None:
    await with_many(site, 2)
    await page.goto("/tasks?tag=many")

    await page.keyboard.press("j")
    await page.keyboard.press("x")
    chosen = await page.locator("[data-chosen]").inner_text()
    await page.get_by_role("button", name="Pause…").click()
    await page.get_by_role("button", name="Pause 1 task").click()
    await page.get_by_text("1 task is paused.").wait_for()

    assert chosen == "the 1 ticked"
    assert sorted(await states_of(site)) == ["paused", "pending"]
