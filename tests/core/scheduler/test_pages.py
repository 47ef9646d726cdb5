"""Lists by keyset pages: nothing twice, nothing left out, and a filter that is misspelt never widens."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest

from modules.core.scheduler.tables import events

MINUTE = 60.0
HERE = "acme.test"

TASKS: tuple[dict[str, Any], ...] = (
    {"name": "Nightly report", "cron": "0 3 * * *", "tags": ["night", "report"]},
    {"name": "nightly backup", "cron": "0 4 * * *", "tags": ["night"], "paused": True},
    {"name": "once", "delay": 3600, "description": "a report, once"},
    {"name": "once more", "delay": 3600, "function_name": "other", "paused": True},
    {"name": "100% of a_b", "delay": 7200, "function_name": "other", "tags": ["report"]},
    {"name": "elsewhere", "cron": "0 3 * * *", "module_id": "acme.other", "tags": ["nights"]},
)
FILTERS: dict[str, tuple[Any, ...]] = {
    "status": (None, "pending", "paused", "running"),
    "module_id": (None, HERE, "acme.other"),
    "function_name": (None, "note", "other"),
    "recurring": (None, True, False),
    "tag": (None, "night", "report"),
    "search": (None, "report", "NIGHTLY"),
}


@pytest.fixture
async def filled(node: Any) -> Any:
    """A scheduler with tasks of two modules."""
    node.register("other", lambda: None)
    node.scheduler.register_function("acme.other", "note", lambda: None)
    for task in TASKS:
        await node.add(**{"function_name": "note", **task})
    return node


def fits(
    task: dict[str, Any], status: Any, module_id: Any, function_name: Any, recurring: Any, tag: Any, search: Any
) -> bool:
    """Say the same as the filters, in Python."""
    text = f"{task['name']} {task.get('description', '')}".lower()
    return (
        status in (None, "paused" if task.get("paused") else "pending")
        and module_id in (None, task.get("module_id", HERE))
        and function_name in (None, task.get("function_name", "note"))
        and recurring in (None, "cron" in task)
        and (tag is None or tag in task.get("tags", []))
        and (search is None or search.lower() in text)
    )


async def names(node: Any, **filters: Any) -> list[str]:
    """Return the names of the tasks that a list shows, but for the scheduler's own."""
    tasks = (await node.scheduler.list_tasks(**filters)).unwrap()["tasks"]
    return sorted(task["name"] for task in tasks if task["module_id"] != "core.scheduler")


async def all_pages(node: Any, limit: int) -> list[list[dict[str, Any]]]:
    """Go through the list of executions, page by page."""
    pages, cursor = [], None
    while True:
        page = (await node.scheduler.get_executions(limit=limit, cursor=cursor)).unwrap()
        pages.append(page["executions"])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


async def test_every_filter_and_every_combination_of_them_shows_what_fits(filled: Any) -> None:
    for values in itertools.product(*FILTERS.values()):
        filters = dict(zip(FILTERS, values, strict=True))

        expected = sorted(task["name"] for task in TASKS if fits(task, **filters))

        assert await names(filled, **filters) == expected, filters


async def test_running_is_shown_and_found_while_an_execution_is_open(node: Any) -> None:
    task_id = await node.add(delay=1, name="busy")
    await node.add(delay=100, name="idle")
    await node.scheduler.execute_task(task_id)

    assert (await names(node, status="running"), await names(node, status="pending")) == (["busy"], ["idle"])


@pytest.mark.parametrize(
    ("search", "found"),
    [("0% of", ["100% of a_b"]), ("a_b", ["100% of a_b"]), ("1%b", []), ("n_ghtly", []), ("\\", [])],
)
async def test_a_search_is_for_the_text_and_not_for_a_pattern(filled: Any, search: str, found: Any) -> None:
    assert await names(filled, search=search) == found


@pytest.mark.parametrize("tag", ["nigh", "Night", "night,report", '"', "%"])
async def test_a_tag_is_found_by_the_whole_of_it(filled: Any, tag: str) -> None:
    assert await names(filled, tag=tag) == []


@pytest.mark.parametrize("filters", [{"status": "done"}, {"module_id": "acme.tset"}, {"function_name": "NOTE"}])
async def test_a_value_that_fits_nothing_shows_nothing(filled: Any, filters: dict[str, str]) -> None:
    assert await names(filled, **filters) == []


async def test_a_filter_that_does_not_exist_is_a_mistake(filled: Any) -> None:
    with pytest.raises(TypeError):
        await filled.scheduler.list_tasks(modul_id=HERE)


async def test_pages_show_every_task_once_newest_first(filled: Any) -> None:
    first = (await filled.scheduler.list_tasks(limit=3)).unwrap()
    filled.clock.advance(1)
    await filled.add(name="made meanwhile", delay=1)

    second = (await filled.scheduler.list_tasks(limit=3, cursor=first["next_cursor"])).unwrap()
    third = (await filled.scheduler.list_tasks(limit=3, cursor=second["next_cursor"])).unwrap()

    shown = [task["name"] for page in (first, second, third) for task in page["tasks"]]
    assert shown == [task["name"] for task in reversed(TASKS)] + ["cleanup history"]
    assert third["next_cursor"] is None


async def test_a_page_that_is_just_full_is_the_last(filled: Any) -> None:
    page = (await filled.scheduler.list_tasks(limit=len(TASKS) + 1)).unwrap()

    assert (len(page["tasks"]), page["next_cursor"]) == (len(TASKS) + 1, None)


async def test_a_cursor_goes_on_within_its_filter(filled: Any) -> None:
    first = (await filled.scheduler.list_tasks(limit=1, tag="report")).unwrap()

    second = (await filled.scheduler.list_tasks(limit=1, tag="report", cursor=first["next_cursor"])).unwrap()

    assert [page["tasks"][0]["name"] for page in (first, second)] == ["100% of a_b", "Nightly report"]
    assert second["next_cursor"] is None


async def test_pages_of_executions_show_each_once_newest_first(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    for _ in range(7):
        await node.pass_time(MINUTE)

    pages = await all_pages(node, 3)

    moments = [row["scheduled_for"] for page in pages for row in page]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert moments == sorted(set(moments), reverse=True)
    assert {(row["task_id"], row["task_name"]) for page in pages for row in page} == {(task_id, "note")}


async def test_executions_are_shown_by_task_and_by_state(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError

    node.register("fail", fail)
    good, bad = await node.add_every(MINUTE), await node.add_every(MINUTE, "fail")
    await node.pass_time(MINUTE)
    await node.pass_time(MINUTE)

    async def count(task_id: str | None, state: str | None) -> int:
        return len((await node.scheduler.get_executions(task_id, state=state)).unwrap()["executions"])

    counts = {
        (task, state): await count(task, state)
        for task in (None, good, bad)
        for state in (None, "succeeded", "failed", "unheard")
    }
    assert list(counts.values()) == [4, 2, 2, 0, 2, 2, 0, 0, 2, 0, 2, 0]


async def test_the_history_of_an_unknown_task_is_refused_and_not_empty(node: Any) -> None:
    answer = await node.scheduler.get_executions("nobody")

    assert answer.error.code == "TASK_NOT_FOUND"


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


FOREIGN_CURSORS = [
    "",
    "x",
    "nonsense!",
    "é",
    "\ud800",
    cursor_of(),
    cursor_of("a", "b", "c"),
    cursor_of(1, 2),
    cursor_of("yesterday", "id"),
    cursor_of("2026-01-05T12:00:00", "id"),
    cursor_of("2026-01-05T12:00:00+00:00", "\0"),
    cursor_of("2026-01-05T12:00:00+00:00", "\ud800"),
    base64.urlsafe_b64encode(b"[" * 2000).decode(),
    base64.urlsafe_b64encode(b'{"a":1}').decode(),
]


async def test_a_cursor_that_no_page_gave_out_is_refused(node: Any) -> None:
    for cursor in FOREIGN_CURSORS:
        tasks = await node.scheduler.list_tasks(cursor=cursor)
        executions = await node.scheduler.get_executions(cursor=cursor)

        assert (tasks.error.code, executions.error.code) == ("INVALID_CURSOR", "INVALID_CURSOR"), cursor


async def test_the_cursor_of_another_list_is_refused(filled: Any) -> None:
    cursor = (await filled.scheduler.list_tasks(limit=1)).unwrap()["next_cursor"]

    answer = await filled.scheduler.get_executions(cursor=cursor)

    assert answer.error.code == "INVALID_CURSOR"


async def test_a_limit_that_is_no_number_of_rows_is_refused(node: Any) -> None:
    for limit in (0, -1, 501, True, 2.5, "5", None):
        tasks = await node.scheduler.list_tasks(limit=limit)
        executions = await node.scheduler.get_executions(limit=limit)

        assert (tasks.error.code, executions.error.code) == ("INVALID_LIMIT", "INVALID_LIMIT"), limit


async def test_a_limit_from_1_to_500_is_taken(node: Any) -> None:
    answers = [await node.scheduler.list_tasks(limit=limit) for limit in (1, 500)]

    assert all(answers)


async def test_a_row_that_cannot_be_read_hides_no_other(filled: Any) -> None:
    columns, texts = ("parameters", "trigger", "policies", "tags"), ("{not json", "[1]", "null", "7")
    everything = sorted(task["name"] for task in TASKS)
    for column, text in itertools.product(columns, texts):
        poison = events.update().where(events.c.name == "once").values({column: text})
        await filled.app_context.database.write(lambda c, poison=poison: c.execute(poison))

        assert await names(filled) == everything, (column, text)
