"""What cleanups did is listed by pages, and summed by the day."""

from __future__ import annotations

from typing import Any

import pytest
from expiring_sessions import OVER, fill, register

DAY = 86_400.0


async def trend(node: Any, cleanup_id: str, days: int) -> dict[str, Any]:
    return dict((await node.scheduler.cleanup_trend(cleanup_id, days)).unwrap())


async def test_the_runs_of_a_day_are_summed_and_days_without_any_are_shown(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=3)
    cleanup_id = (await register(node, "sessions", OVER))["cleanup_id"]
    await node.scheduler.run_cleanup("sessions")
    node.clock.advance(2 * DAY)
    await node.scheduler.run_cleanup("sessions")
    await node.scheduler.run_cleanup("sessions")

    shown = await trend(node, cleanup_id, 4)

    assert [(day["day"], day["runs"], day["deleted"]) for day in shown["days"]] == [
        ("2026-01-04", 0, 0),
        ("2026-01-05", 1, 4),
        ("2026-01-06", 0, 0),
        ("2026-01-07", 2, 3),
    ]
    assert (shown["total"]["runs"], shown["total"]["deleted"], shown["total"]["failures"]) == (3, 7, 0)


async def test_a_dry_run_is_counted_and_what_it_would_delete_is_not(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=0)
    cleanup_id = (await register(node, "sessions", OVER))["cleanup_id"]
    await node.scheduler.run_cleanup("sessions", dry_run=True)

    (today,) = (await trend(node, cleanup_id, 1))["days"]

    assert (today["runs"], today["dry_runs"], today["matched"], today["deleted"]) == (0, 1, 0, 0)


async def test_a_run_that_failed_is_a_failure_of_its_day(node: Any) -> None:
    def fail() -> None:
        raise OSError("no disk")

    node.register("fail", fail)
    cleanup_id = (await register(node, "failing", {"function_name": "fail"}))["cleanup_id"]
    await node.scheduler.run_cleanup("failing")

    assert (await trend(node, cleanup_id, 1))["total"]["failures"] == 1


@pytest.mark.parametrize("days", [0, 367, True, "7"])
async def test_a_trend_goes_over_a_day_to_a_year(node: Any, days: Any) -> None:
    answer = await node.scheduler.cleanup_trend("any", days)

    assert answer.error.code == "INVALID_CONFIG"


async def test_reports_are_listed_by_pages_of_one_cleanup_and_of_all(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=1, new=0)
    cleanup_id = (await register(node, "sessions", OVER))["cleanup_id"]
    await register(node, "others", OVER | {"where": {"id": 1}})
    for _ in range(3):
        await node.scheduler.run_cleanup("sessions")
    await node.scheduler.run_cleanup("others")

    first = (await node.scheduler.cleanup_reports(cleanup_id, limit=2)).unwrap()
    rest = (await node.scheduler.cleanup_reports(cleanup_id, limit=2, cursor=first["next_cursor"])).unwrap()
    of_all = (await node.scheduler.cleanup_reports()).unwrap()["reports"]

    pages = [*first["reports"], *rest["reports"]]
    assert [report["deleted"] for report in pages] == [0, 0, 1]
    assert rest["next_cursor"] is None
    assert [report["cleanup_type"] for report in of_all] == ["others", "sessions", "sessions", "sessions"]
    assert pages == of_all[1:]


async def test_a_cursor_that_no_page_gave_is_refused(node: Any) -> None:
    assert (await node.scheduler.cleanup_reports(cursor="x")).error.code == "INVALID_CURSOR"
