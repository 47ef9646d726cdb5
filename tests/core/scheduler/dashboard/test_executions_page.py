"""Executions are found by the address, looked at closely, and tried again or cancelled many at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.dashboard import bulk
from modules.core.scheduler.dashboard.execution import steps
from modules.core.scheduler.dashboard.reasons import WORDS, why
from modules.core.scheduler.dashboard.wording import progress_of
from modules.core.scheduler.execution import Reason

MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def with_failures(site: Any, count: int = 3) -> list[bool]:
    """Let one-time tasks fail; what is returned, once emptied, lets them succeed."""
    broken = [True]

    async def work() -> None:
        if broken:
            raise RuntimeError("no connection")

    site.node.register("work", work)
    for number in range(count):
        await site.node.add("work", name="Export", key=f"export {number}", max_retries=0)
    await site.node.scheduler.run_due()
    return broken


def execution(**changed: Any) -> dict[str, Any]:
    made = {"scheduled_for": MOMENT, "due_at": MOMENT, "start_time": None, "end_time": None, "duration": None}
    return {**made, "state": "pending", "attempt": 1, "node_id": None, **changed}


def test_every_reason_has_words_and_what_is_none_stays_as_it_is() -> None:
    assert set(WORDS) == set(Reason)
    assert (why("OVERLAP"), why("unheard"), why(None)) == ("another run of the task was open", "unheard", "")


def test_the_way_of_an_execution_says_how_long_each_part_took() -> None:
    due, start = MOMENT + timedelta(seconds=5), MOMENT + timedelta(seconds=8)
    ran = execution(state="failed", attempt=2, due_at=due, start_time=start, end_time=start, duration=0.5, node_id="n")

    told = [(step["name"], step["note"], step["kind"]) for step in steps(ran)]

    assert told == [
        ("scheduled for", "", "done"),
        ("due", "5.0 s later, attempt 2", "done"),
        ("claimed and started", "after 3.0 s", "done"),
        ("ended", "took 500 ms", "done"),
    ]
    assert [step["kind"] for step in steps(execution())] == ["done", "done", "", ""]
    assert [step["name"] for step in steps(execution(state="missed"))] == ["scheduled for", "due", "recorded"]


def test_progress_is_shown_as_far_as_it_can_be_read() -> None:
    assert progress_of({"fraction": 0.256, "done": 3, "total": 12, "message": "m"}) == {
        "percent": 26,
        "count": "3 of 12",
        "message": "m",
    }
    assert progress_of({"fraction": "x", "done": True}) == {"percent": None, "count": "", "message": ""}
    assert progress_of(None) is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("task=Export", True),
        ("task=Export&state=failed&module=acme.test", True),
        ("state=succeeded&task=Export", False),
        ("module=acme.none", False),
        ("since=2026-01-01&until=2026-02-01&state=failed", True),
        ("until=2020-01-01", False),
    ],
)
async def test_filters_stand_in_the_address(site: Any, asked: str, found: bool) -> None:
    await with_failures(site, 1)

    page = await site.http.get(f"/executions?{asked}")

    assert ("no connection" in page.text, "No execution fits." in page.text) == (found, not found)


@pytest.mark.parametrize("asked", ["since=yesterdayish", "task=nobody", "task=Export"])
async def test_what_cannot_be_asked_for_is_said_above_the_list(site: Any, asked: str) -> None:
    await with_failures(site, 2)

    page = await site.http.get(f"/executions?{asked}")

    assert (page.status_code, "verdict bad" in page.text) == (200, True)
    assert ("Which one?" in page.text) == (asked == "task=Export")


async def test_what_was_skipped_says_why(site: Any) -> None:
    task_id = await site.node.add_every(60)
    await site.node.scheduler.skip_next(task_id)

    assert "left out by hand" in (await site.http.get("/executions?state=skipped")).text


async def test_all_that_fit_are_tried_again_after_a_page_that_says_how_many(site: Any) -> None:
    broken = await with_failures(site)

    asks = await site.http.get("/executions/-/bulk?act=retry&which=all&module=acme.test")
    broken.clear()
    done = await site.post("/executions/-/bulk", act="retry", which="all", module="acme.test")
    said = await site.http.get(done.headers["location"])
    again = await site.http.get("/executions/-/bulk?act=retry&which=all")
    await site.node.scheduler.run_due()

    assert "Try 3 executions again?" in asks.text
    assert (done.headers["location"], "3 executions are tried again." in said.text) == (
        "/executions?module=acme.test",
        True,
    )
    assert "No execution is chosen" in again.text
    assert sorted(await site.node.states()) == ["failed"] * 3 + ["succeeded"] * 3


async def test_more_than_are_done_at_once_go_on_where_the_last_ended(site: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    await with_failures(site)

    for _ in range(2):
        await site.post("/executions/-/bulk", act="retry", which="all")

    assert sorted(await site.node.states()) == ["failed"] * 3 + ["pending"] * 3


async def test_only_the_ticked_ones_that_wait_or_run_are_cancelled(site: Any) -> None:
    await with_failures(site, 1)
    for _ in range(2):
        await site.node.scheduler.execute_task(await site.node.add_every(60))
    ids = [row["id"] for row in await site.node.history()]
    chosen = "&".join(f"id={each}" for each in ids[:2])

    asks = await site.http.get(f"/executions/-/bulk?act=cancel&which=chosen&{chosen}")
    await site.post("/executions/-/bulk", act="cancel", which="chosen", ids=ids[1])

    assert "Cancel 1 execution?" in asks.text
    assert await site.node.states() == ["failed", "cancelled", "pending"]
    assert (await site.post("/executions/-/bulk", act="explode", which="all")).status_code == 422


async def test_an_execution_shows_its_attempts_its_log_and_when_it_is_tried_again(site: Any) -> None:
    async def export(parameters: dict[str, Any], execution: ExecutionContext) -> None:
        execution.logger.warning("the disk is slow")
        execution.progress(3, 12, "halfway")
        raise RuntimeError("no connection")

    site.node.register("export", export)
    await site.node.add("export", max_retries=1, retry_delay=600)
    await site.node.scheduler.run_due()
    first, second = await site.node.history()

    page = (await site.http.get(f"/executions/{first['id']}")).text

    for text in ("the disk is slow", "25 %", "3 of 12", "halfway", "It is tried again", f"/executions/{second['id']}"):
        assert text in page
    assert (f"/executions/{first['id']}/retry" in page, 'data-copy="error"' in page) == (False, True)


async def test_what_failed_is_tried_again_from_its_page(site: Any) -> None:
    await with_failures(site, 1)
    (row,) = await site.node.history()

    offered = f'action="/executions/{row["id"]}/retry"' in (await site.http.get(f"/executions/{row['id']}")).text
    begun = await site.post(f"/executions/{row['id']}/retry")

    assert offered
    assert begun.headers["location"] == f"/executions/{(await site.node.history())[1]['id']}"
