"""A plan is of the rows and files that were shown: as many others in their place are not what a person agreed to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import later
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, delete, func, insert, select

DAY = timedelta(days=1)
letters = Table("letters", MetaData(), Column("id", Integer, primary_key=True), Column("at", DateTime(timezone=True)))
POLICY = {"table_name": "letters", "date_column": "at", "max_age": "1 day"}


async def add_letters(node: Any, ids: range) -> None:
    rows = [{"id": each, "at": node.clock.now() - 2 * DAY} for each in ids]
    await node.app_context.database.write(lambda c: c.execute(insert(letters), rows))


async def plan_of_letters(node: Any) -> str:
    await node.app_context.database.write(letters.create)
    await add_letters(node, range(100))
    cleanup = (await node.scheduler.register_cleanup_task("acme.post", "letters", POLICY)).unwrap()
    return str((await node.scheduler.preview_cleanup(cleanup["cleanup_id"])).unwrap()["plan_id"])


async def swap(node: Any, number: int) -> None:
    await node.app_context.database.write(lambda c: c.execute(delete(letters).where(letters.c.id < number)))
    await add_letters(node, range(1_000, 1_000 + number))


@pytest.mark.parametrize(("swapped", "tolerance", "same"), [(10, 0.05, 90), (1, 0.0, 99)])
async def test_as_many_other_rows_are_not_what_was_shown(node: Any, swapped: int, tolerance: float, same: int) -> None:
    plan_id = await plan_of_letters(node)
    await swap(node, swapped)

    refused = await node.scheduler.apply_cleanup(plan_id, tolerance=tolerance)

    assert refused.error.code == "PLAN_OUTDATED"
    assert refused.error.details["changed"] == {"the_same": {"planned": 100, "now": same}}
    assert await node.app_context.database.read(lambda c: c.scalar(select(func.count()).select_from(letters))) == 100


async def test_a_few_other_rows_within_the_tolerance_may_be_among_them(node: Any) -> None:
    plan_id = await plan_of_letters(node)
    await swap(node, 5)

    done = (await node.scheduler.apply_cleanup(plan_id)).unwrap()

    assert done["report"]["deleted"] == 100


async def test_how_rows_are_recognised_is_kept_but_not_shown(node: Any) -> None:
    plan_id = await plan_of_letters(node)

    assert "fingerprint" not in (await node.scheduler.cleanup_plan(plan_id)).unwrap()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_as_many_other_files_are_not_what_was_shown(node: Any, tmp_path: Path) -> None:
    folder = Path(node.app_context.settings_for("framework").data_dir) / "letters"
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.txt" for number in range(20)]
    for path in paths:
        path.write_text("old")
    node.clock.step(later(folder, timedelta(hours=1)) - node.clock.now())
    cleanup = (await node.scheduler.register_cleanup(folder, "*.txt", max_files=0)).unwrap()
    plan = (await node.scheduler.preview_cleanup(cleanup["cleanup_id"])).unwrap()
    paths[0].rename(folder / "another.txt")

    refused = await node.scheduler.apply_cleanup(plan["plan_id"], tolerance=0)

    assert refused.error.details["changed"] == {"the_same": {"planned": 20, "now": 19}}
    assert len(list(folder.iterdir())) == 20
