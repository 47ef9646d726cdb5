"""Whether anything is older than its cleanup allows is asked, told in a sentence, and kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from expiring_sessions import OVER, fill, register
from sqlalchemy import text

from modules.core.scheduler.cleanup import oldest

DAY = 86_400.0


async def checked(node: Any, **options: Any) -> dict[str, Any]:
    (check,) = (await node.scheduler.cleanup_compliance(**options)).unwrap()
    return dict(check)


async def index(node: Any) -> None:
    await node.app_context.database.write(lambda c: c.execute(text("CREATE INDEX ix_at ON sessions (at)")))


async def test_rows_that_are_too_old_are_told_and_after_a_run_there_are_none(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)
    await index(node)
    await register(node, "sessions", OVER)

    before = await checked(node)
    await node.scheduler.run_cleanup("sessions")
    after = await checked(node)

    now = node.clock.now()
    assert (before["compliant"], before["oldest"]) == (False, now - timedelta(days=2))
    assert before["says"] == "the oldest row of sessions is older than 1d, by 1d"
    assert (after["compliant"], after["oldest"], after["checked_at"]) == (True, now, now)
    assert after["says"] == "no row of sessions is older than 1d"


async def test_what_was_seen_is_kept_and_only_that_is_told_where_nobody_is_to_look(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=0, new=2)
    await register(node, "sessions", OVER)
    nothing = (await node.scheduler.cleanup_compliance(look=False)).unwrap()
    seen = await checked(node)
    node.clock.advance(5 * DAY)

    kept = await checked(node, look=False)

    assert nothing == []
    assert kept == seen
    assert (await checked(node))["compliant"] is False


async def test_a_row_that_a_rule_keeps_is_old_all_the_same(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=0)
    await register(node, "sessions", OVER | {"keep_newest": {"count": 1, "per": []}})
    await node.scheduler.run_cleanup("sessions")

    assert (await checked(node))["compliant"] is False


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"action": "anonymise", "anonymise": {"name": "hash"}, "done_column": "gone_at"}, "row not yet anonymised of"),
        ({"action": "trash", "trash_column": "gone_at", "trash_for": "9 days"}, "row outside of the trash of"),
    ],
)
async def test_an_old_row_that_was_dealt_with_is_passed_over(
    start_node: Any, action: dict[str, Any], says: str
) -> None:
    node = await start_node(housekeeper_pseudonym_key="a secret of the operator")
    await fill(node.app_context.database, node.clock.now(), old=2, new=2)
    for column in ("name VARCHAR(40)", "gone_at TIMESTAMP"):
        added = text(f"ALTER TABLE sessions ADD COLUMN {column}")
        await node.app_context.database.write(lambda c, added=added: c.execute(added))
    await register(node, "sessions", OVER | action)

    before = await checked(node)
    await node.scheduler.run_cleanup("sessions")
    after = await checked(node)

    assert (before["compliant"], after["compliant"]) == (False, True)
    assert after["says"] == f"no {says} sessions is older than 1d"


async def test_only_rows_that_the_filters_mean_are_looked_at(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=2, new=2)
    await register(node, "sessions", OVER | {"where": {"id": [2, 3]}})

    seen = await checked(node)

    assert (seen["compliant"], seen["says"]) == (True, "no row of sessions that fits its filters is older than 1d")


async def test_without_max_age_a_row_past_its_expiry_is_too_old(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=1, new=1)
    await register(node, "sessions", {"table_name": "sessions", "date_column": "at"})

    seen = await checked(node)

    assert (seen["compliant"], seen["limit"]) == (False, None)
    assert seen["says"] == "the oldest row of sessions is past its expiry, by 2d"


@pytest.mark.parametrize("is_indexed", [False, True])
async def test_a_large_table_is_looked_at_by_an_index_or_not_at_all(
    node: Any, monkeypatch: pytest.MonkeyPatch, is_indexed: bool
) -> None:
    monkeypatch.setattr(oldest, "MOST_UNINDEXED", 5)
    await fill(node.app_context.database, node.clock.now(), old=3, new=3)
    if is_indexed:
        await index(node)
    await register(node, "sessions", OVER)

    seen = await checked(node)

    assert (seen["compliant"], seen["says"] == oldest.WITHOUT_INDEX) == (False if is_indexed else None, not is_indexed)


async def test_files_that_are_too_old_are_told_whatever_else_keeps_them(node: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "files"
    folder.mkdir(parents=True)
    (folder / "a").write_text("x")
    node.clock.step(timedelta(seconds=(folder / "a").stat().st_ctime - node.clock.now().timestamp()))
    config = {"directory": str(folder), "max_age": "1 day", "min_kept": 1, "age_by": "ctime"}
    await register(node, "files", config)

    fresh = await checked(node)
    node.clock.step(timedelta(days=3))
    old = await checked(node)

    assert (fresh["compliant"], fresh["says"]) == (True, "no file is older than 1d")
    assert (old["compliant"], old["oldest"].date()) == (False, (node.clock.now() - timedelta(days=3)).date())
    assert list(folder.iterdir()) == [folder / "a"]


async def test_cleanups_without_an_age_are_left_out(node: Any) -> None:
    node.register("tidy", lambda: None)
    await register(node, "own", {"function_name": "tidy"})
    await fill(node.app_context.database, node.clock.now(), old=1, new=1)
    await register(node, "newest", {"table_name": "sessions", "date_column": "at", "max_rows": 1})

    assert (await node.scheduler.cleanup_compliance()).unwrap() == []
