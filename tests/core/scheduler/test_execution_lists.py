"""Lists of executions by module, by last attempt and by count go through a bounded number of rows, by an index."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import settled
from query_plans import plans_of
from sqlalchemy import Connection, text

from framework.testing.statements import seen_by
from modules.core.scheduler import task_lists
from modules.core.scheduler.store import listing

ASKED: list[dict[str, Any]] = [
    {"module_id": "acme.test"},
    {"module_id": "acme.none", "state": "failed"},
    {"last_only": True, "state": "failed"},
    {"state": "succeeded"},
    {"state": "missed", "since": "2026-01-01"},
    {"state": "running"},
    {"state": "pending", "module_id": "acme.test"},
]


async def fail() -> None:
    raise RuntimeError("no")


@pytest.fixture
async def mixed(node: Any) -> Any:
    """A node with a task that succeeds, and one whose every occurrence fails twice."""
    node.register("fail", fail)
    good = await node.add_every(60, name="good")
    bad = await node.add_every(60, "fail", name="bad", max_retries=1, retry_delay=1)
    for _ in range(3):
        await node.pass_time(60)
        await node.pass_time(2)
    return node, good, bad


async def ids(node: Any, limit: int = 50, **asked: Any) -> list[list[str]]:
    """Return the ids on each page."""
    pages, cursor = [], None
    while True:
        page = (await node.scheduler.get_executions(limit=limit, cursor=cursor, **asked)).unwrap()
        pages.append([row["id"] for row in page["executions"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


async def test_executions_are_listed_by_module_and_by_the_last_attempt(mixed: Any) -> None:
    node, good, bad = mixed
    failed = [row for row in await node.history(bad) if row["state"] == "failed"]
    last = {row["scheduled_for"]: row["id"] for row in sorted(failed, key=lambda row: row["attempt"])}

    (found,) = await ids(node, state="failed", last_only=True)

    assert len(failed) > len(last) == 3
    assert set(found) == set(last.values())
    assert await ids(node, module_id="acme.none") == [[]]
    assert await ids(node, task_id=good, module_id="acme.test") == await ids(node, task_id=good)


async def test_a_page_ends_where_its_look_ends_and_the_next_goes_on(mixed: Any, monkeypatch: Any) -> None:
    node, _, bad = mixed
    monkeypatch.setattr(listing, "LOOKED_AT", 2)
    everything = {"state": "failed", "last_only": True}

    for asked in (everything, {"task_id": bad, "state": "failed"}, {"module_id": "acme.test"}, {"state": "succeeded"}):
        cut = await ids(node, **asked)
        with monkeypatch.context() as patch:
            patch.setattr(listing, "LOOKED_AT", 10_000)
            (whole,) = await ids(node, **asked)
        assert [each for page in cut for each in page] == whole
        assert len(cut) > 2


async def test_what_waits_is_listed_newest_first_however_much_it_is(mixed: Any, monkeypatch: Any) -> None:
    node = mixed[0]
    waiting = [(await node.scheduler.execute_task(await node.add_every(60))).unwrap() for _ in range(5)]
    newest_first = sorted((each["execution_id"] for each in waiting), reverse=True)

    few = await ids(node, state="pending", limit=2)
    monkeypatch.setattr(listing, "LOOKED_AT", 3)
    many = await ids(node, state="pending", limit=2)

    assert [each for page in few for each in page][:5] == newest_first
    assert [each for page in many for each in page] == [each for page in few for each in page]
    assert (await node.scheduler.count_executions(state="pending")).unwrap()["is_cut"]


async def test_executions_are_counted_as_they_would_be_listed_and_no_further_than_makes_sense(
    mixed: Any, monkeypatch: Any
) -> None:
    node, _, bad = mixed

    async def count(**asked: Any) -> tuple[int, bool]:
        told = (await node.scheduler.count_executions(**asked)).unwrap()
        return told["count"], told["is_cut"]

    counts = [await count(**asked) for asked in ({"task_id": bad}, {"state": "failed"}, {"state": "unheard"})]
    listed = [len((await ids(node, **asked))[0]) for asked in ({"task_id": bad}, {"state": "failed"})]
    monkeypatch.setattr(task_lists, "MOST_COUNTED", 2)

    assert counts == [(listed[0], False), (listed[1], False), (0, False)]
    assert await count(state="failed") == (2, True)
    monkeypatch.setattr(listing, "LOOKED_AT", 1)
    assert await count(module_id="acme.none") == (0, True)
    assert (await node.scheduler.count_executions("nobody")).error.code == "TASK_NOT_FOUND"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_open_and_has_ended_at_once_is_nothing(mixed: Any) -> None:
    node = mixed[0]
    await settled(node)

    with seen_by(node.app_context.database) as seen:
        assert await ids(node, state="running", since="2026-01-01") == [[]]

    assert seen.statements == []


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_list_and_count_walks_along_an_index(mixed: Any, asked: dict[str, Any]) -> None:
    node, database = mixed[0], mixed[0].app_context.database
    await database.write(_multiply)

    with seen_by(database) as seen:
        await node.scheduler.get_executions(**asked)
        await node.scheduler.count_executions(**asked)
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert len(plans) >= 2
    whole = [each for each in plans if "SCAN scheduler_executions USING INDEX sqlite_auto" in each]
    if asked.get("state") in ("running", "pending"):
        assert whole == []
        plans = [each for each in plans if "ORDER BY" not in each]
    lines = [line for plan in plans for line in plan.splitlines()]
    assert [
        line for line in lines if "TEMP B-TREE" in line or ("SCAN scheduler_e" in line and "INDEX" not in line)
    ] == []


def _multiply(c: Connection) -> None:
    names = c.execute(text("SELECT * FROM scheduler_executions LIMIT 0")).keys()
    columns = ", ".join({"id": "id || i", "attempt": "attempt + 2 * i"}.get(name, name) for name in names)
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
    into = f"INSERT INTO scheduler_executions ({', '.join(names)})"
    c.execute(text(f"{series} {into} SELECT {columns} FROM n, scheduler_executions"))
    c.execute(text("ANALYZE"))
