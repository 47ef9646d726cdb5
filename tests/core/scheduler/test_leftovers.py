"""What a module leaves behind is shown, to a bound, and stays where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from expiring_sessions import OVER, count, fill, register

from modules.core.scheduler import leftovers


async def left(node: Any, module_id: str = "acme.test") -> dict[str, Any]:
    return dict((await node.scheduler.module_leftovers(module_id)).unwrap())


async def test_tables_files_tasks_and_executions_are_counted_and_stay(node: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "drops"
    folder.mkdir(parents=True)
    for name in ("a.csv", "b.csv", "c.txt"):
        (folder / name).write_text("12345")
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)
    await register(node, "sessions", OVER)
    await register(node, "drops", {"directory": str(folder), "pattern": "*.csv"})
    await node.add_every(60)
    await node.pass_time(60)

    found = await left(node)

    assert found["tables"] == [{"name": "sessions", "count": 6, "more": False}]
    told = {"directory": str(folder), "pattern": "*.csv", "count": 2, "bytes": 10, "more": False}
    assert found["directories"] == [told]
    assert (sorted(found["cleanups"]), found["tasks"]["count"], found["executions"]["count"]) == (
        ["drops", "sessions"],
        3,
        1,
    )
    assert (await count(node.app_context.database), len(list(folder.iterdir()))) == (6, 3)


async def test_a_table_that_a_module_declares_is_among_them_though_no_cleanup_names_it(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=1, new=0)
    node.scheduler.declare_tables("acme.test", "sessions", "never_made")

    assert [each["name"] for each in (await left(node))["tables"]] == ["sessions"]


async def test_much_is_counted_up_to_a_bound(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "MOST", 3)
    await fill(node.app_context.database, node.clock.now(), old=4, new=0)
    await register(node, "sessions", OVER)

    assert (await left(node))["tables"] == [{"name": "sessions", "count": 3, "more": True}]


async def test_a_module_that_never_was_leaves_nothing(node: Any) -> None:
    nothing = {"count": 0, "more": False}

    assert await left(node, "acme.nobody") == {
        "module_id": "acme.nobody",
        "cleanups": [],
        "directories": [],
        "tables": [],
        "tasks": nothing,
        "executions": nothing,
    }
