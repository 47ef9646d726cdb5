"""The examples of docs/cleanups.md are registered as they are written, and run."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from inspect import iscoroutine
from pathlib import Path
from typing import Any

import pytest
from aged_rows import create
from documents import blocks
from sqlalchemy import Boolean, Column, DateTime, Integer, String, column, select, table

from framework import Application
from framework.database import Database
from modules.core.scheduler import SchedulerService

EXAMPLES = [block.text for block in blocks("docs/cleanups.md") if block.language == "python"]
FILES = ("exports/*.csv", "archive/carts/*.jsonl*")
REGISTERED = {"carts", "prices", "archive", "anonymise", "trash"} | {f"files:{{data}}/{it}" for it in FILES}
NAMES = {
    "select": select,
    "orders": table("orders", column("id"), column("state"), column("invoice"), column("customer_id")),
    "customers": table("customers", column("id"), column("state")),
}
DATES = ("changed_at", "noted_at", "erased_at", "gone_at")


@pytest.fixture
async def scheduler(sqlite_database: Database, sqlite_url: str, tmp_path: Path) -> AsyncIterator[SchedulerService]:
    """A scheduler beside the tables of which the page speaks."""
    for name in ("carts", "prices"):
        texts = [Column(text, String(40)) for text in ("article", "name", "mail")]
        dates = [Column(date, DateTime(timezone=True)) for date in DATES]
        columns = (Column("id", Integer, primary_key=True), *texts, *dates, Column("audited", Boolean))
        await create(sqlite_database, *columns, name=name)
    settings: dict[str, Any] = {
        "framework": {"database_url": sqlite_url, "data_dir": str(tmp_path / "data")},
        "core.scheduler": {"enabled": False, "housekeeper_pseudonym_key": "k" * 40},
    }
    async with Application(modules=["core.scheduler"], settings=settings) as app_context:
        yield app_context.get_service(SchedulerService)


async def test_every_example_is_registered_and_runs(scheduler: SchedulerService, tmp_path: Path) -> None:
    known: dict[str, Any] = {"scheduler": scheduler, **NAMES}
    for text in EXAMPLES:
        if "declare_tables" not in text:  # that is told to a module in phase one
            written = text.replace("/srv/shop/data", str(tmp_path / "data"))
            done = eval(compile(written, "docs/cleanups.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), known)
            if iscoroutine(done):
                await done
    for action in ("archive", "anonymise", "trash"):
        config = {"table_name": "carts", "date_column": "changed_at", "max_age": "30 days"} | known[action]
        (await scheduler.register_cleanup_task("acme.shop", action, config)).unwrap()

    cleanups = (await scheduler.list_cleanups(module_id="acme.shop")).unwrap()
    assert {each["cleanup_type"] for each in cleanups} == {name.format(data=tmp_path / "data") for name in REGISTERED}
    for each in cleanups:
        (await scheduler.run_cleanup(each["cleanup_type"])).unwrap()
