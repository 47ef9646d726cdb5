"""The page of failures: the same ones together, tried again together, or ignored until the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from query_plans import plans_of

from framework.testing.statements import seen_by
from modules.core.scheduler.dashboard.failures import sparkline
from modules.core.scheduler.live.failing import fingerprint, grouped

MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=5)


def row(error: str | None, task: str = "a", number: int = 0) -> Any:
    told = {"event_id": task, "error": error, "reason": None, "state": "failed", "is_last": number != 1}
    return SimpleNamespace(**told, end_time=MOMENT.replace(minute=number), id=f"{task}{number}")


def test_what_differs_in_numbers_only_is_the_same() -> None:
    rows = [row("timeout after 3 s", number=1), row("Timeout after 12 s", number=5), row("no such host")]

    groups = grouped(rows, MOMENT, MINUTES)

    assert [(group["count"], group["error"], group["newest"]) for group in groups] == [
        (2, "Timeout after 12 s", "a5"),
        (1, "no such host", "a0"),
    ]
    assert (groups[0]["first"].minute, groups[0]["last"].minute) == (1, 5)
    assert (groups[0]["series"][:3], groups[0]["last_attempts"]) == ([1, 1, 0], ["a5"])


def test_the_same_words_of_two_tasks_are_two_failures() -> None:
    assert len(grouped([row("x", "a"), row("x", "b")], MOMENT, MINUTES)) == 2


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


def test_a_small_chart_has_a_bar_for_each_step_in_which_anything_failed() -> None:
    assert sparkline([0, 1, 100]) == {
        "width": 15,
        "height": 20,
        "bars": [{"x": 5, "y": 18, "width": 4, "height": 2}, {"x": 10, "y": 0, "width": 4, "height": 20}],
    }
    assert sparkline([0, 0])["bars"] == []


async def failing(site: Any, count: int = 2) -> list[bool]:
    """Let a task's occurrences fail; what is returned, once emptied, lets them succeed."""
    node, broken = site.node, [True]

    async def work() -> str:
        if broken:
            raise RuntimeError(f"no connection to port {len(await node.history())}")
        return "done"

    node.register("work", work)
    await node.add_every(60, "work", name="Export", max_retries=0)
    for _ in range(count):
        await node.pass_time(60)
    return broken


async def one(site: Any) -> dict[str, Any]:
    (failure,) = (await site.node.scheduler.failures()).unwrap()["failures"]
    return dict(failure)


async def test_failures_of_a_kind_are_tried_again_together_after_a_page_that_says_how_many(site: Any) -> None:
    broken = await failing(site, 1)
    failure = await one(site)
    asks = await site.http.get(f"/failures/{failure['id']}")
    broken.clear()

    await site.post(f"/failures/{failure['id']}/retry", window="24h", back="/failures")
    said = await site.http.get("/failures")
    await site.node.scheduler.run_due()
    done = await site.http.get(f"/failures/{failure['id']}")

    assert ("1 failure " in asks.text, "Try again: 1 execution" in asks.text) == (True, True)
    assert ("no connection to port" in said.text, "1 execution is tried again." in said.text) == (True, True)
    assert "Each of them has been tried again already." in done.text
    assert (await site.node.states()).count("succeeded") == 1


async def test_a_failure_that_is_ignored_is_hidden_until_it_happens_again(site: Any) -> None:
    await failing(site)
    failure = await one(site)
    assert (failure["count"], failure["ignored"]) == (2, False)

    await site.post(f"/failures/{failure['id']}/ignore", until=failure["last"].isoformat())
    hidden = await site.http.get("/failures")
    shown = await site.http.get("/failures?ignored=yes")
    await site.node.pass_time(60)
    again = await site.http.get("/failures")

    assert ("Nothing else failed" in hidden.text, "1 kind ignored" in hidden.text) == (True, True)
    assert ("Export" in hidden.text, "Export" in shown.text, "Export" in again.text) == (False, True, True)
    (written,) = (await site.node.scheduler.list_audit(kind="failure")).unwrap()["entries"]
    assert (written["action"], written["target"]) == ("ignore", failure["id"])


async def test_what_was_ignored_is_shown_again_where_somebody_wants_it(site: Any) -> None:
    await failing(site, 1)
    failure = await one(site)
    await site.node.scheduler.ignore_failures(failure["id"], failure["last"])

    await site.post(f"/failures/{failure['id']}/ignore")

    assert not (await one(site))["ignored"]
    assert (await site.node.scheduler.ignore_failures("x", "soonish")).error.code == "INVALID_CONFIG"
    assert (await site.node.scheduler.failures("1y")).error.code == "INVALID_WINDOW"


async def test_failures_are_read_by_their_index(site: Any) -> None:
    await failing(site, 1)
    database = site.node.app_context.database

    with seen_by(database) as seen:
        await site.node.scheduler.failures("7d")
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert [plan.count("ix_scheduler_executions_rare") for plan in plans if "later" in plan] == [4 - 1]
    assert [plan for plan in plans if "SCAN scheduler_e" in plan] == []


async def test_a_failure_that_is_not_there_is_a_page_that_says_so(site: Any) -> None:
    assert "It has not failed so" in (await site.http.get("/failures/none")).text
    await site.post("/failures/none/retry", back="/failures")
    assert "None of these failures is left." in (await site.http.get("/failures")).text


async def test_where_nothing_failed_the_page_says_so(site: Any) -> None:
    assert "Nothing failed in the last 7d." in (await site.http.get("/failures?window=7d")).text


async def test_so_many_kinds_are_shown_and_the_others_are_counted(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        raise ValueError("no luck")

    site.node.register("fail", fail)
    for number in range(3):
        await site.node.add("fail", name=f"Task {number}")
    await site.node.scheduler.run_due()
    monkeypatch.setattr("modules.core.scheduler.dashboard.failures.SHOWN", 1)

    page = (await site.http.get("/failures")).text

    assert page.count('<tr id="row-') == 1
    assert "3 kinds" in page
    assert "And 2 other kinds" in page
