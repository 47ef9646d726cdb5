"""Every way in which an operator changes something leaves an entry; no way of looking does, and code costs nothing."""

from __future__ import annotations

from typing import Any

import pytest
from expiring_sessions import OVER, fill, register

from framework.caller import Caller, Door, calling
from framework.result import Result
from framework.testing import seen_by

ADA = Caller("ada@desk", Door.CLI)
HOURLY = {"recurring": True, "interval_type": "hours", "interval_value": 1}
CONFIG = {"name": "imported", "key": "imported", "module_id": "acme.test", "function_name": "note", **HOURLY}


async def written(node: Any) -> list[tuple[str, str]]:
    page = (await node.scheduler.list_audit(limit=500)).unwrap()
    return [(each["kind"], each["action"]) for each in page["entries"]][::-1]


async def done(answer: Any) -> Any:
    result: Result[Any] = await answer
    return result.unwrap()


async def test_whatever_changes_a_task_is_written_down(node: Any) -> None:
    service, soon = node.scheduler, "2026-01-05T12:30:00Z"
    with calling(ADA):
        task_id = await node.add_every(3600)
        await done(service.update_task(task_id, {"priority": 3}))
        await done(service.pause_task(task_id))
        await done(service.resume_task(task_id))
        await done(service.skip_next(task_id))
        await done(service.shift_next(task_id, soon))
        await done(service.run_until(task_id, "2027-01-01T00:00:00Z"))
        await done(service.backfill(task_id, "2026-01-05T11:00:00Z", "2026-01-05T12:00:00Z"))
        await done(service.emit("order.paid"))
        await done(service.schedule_cron(("acme.test", "note"), "0 2 * * *"))
        run = await done(service.execute_task(await node.add_every(60)))
        await done(service.cancel_execution(run["execution_id"]))
        await done(service.cancel_task(task_id))
        await done(service.import_tasks([CONFIG]))
        await done(node.app_context.get_service("core.scheduler.job_manager").update_job_status(task_id, "failed"))

    assert await written(node) == [
        *[("task", each) for each in ("schedule", "update", "pause", "resume", "skip", "shift", "until", "backfill")],
        ("event", "emit"),
        ("task", "schedule"),
        ("task", "schedule"),
        ("task", "run"),
        ("execution", "cancel"),
        ("task", "cancel"),
        ("task", "import"),
        ("task", "correct"),
    ]


async def test_whatever_changes_a_cleanup_is_written_down(node: Any) -> None:
    service = node.scheduler
    await fill(node.app_context.database, node.clock.now(), old=5, new=5)
    with calling(ADA):
        cleanup = (await register(node, "sessions", OVER))["cleanup_id"]
        await done(service.update_cleanup(cleanup, {"batch_size": 7}))
        await done(service.confirm_cleanup((await done(service.preview_cleanup(cleanup)))["plan_id"]))
        await done(service.apply_cleanup((await done(service.preview_cleanup(cleanup)))["plan_id"]))
        await done(service.run_cleanup("sessions"))
        await done(service.freeze_cleanups("holiday"))
        await done(service.unfreeze_cleanups())
        await done(service.remove_cleanup(cleanup))

    assert await written(node) == [
        *[("cleanup", each) for each in ("register", "update", "confirm", "apply", "run", "ran")],
        ("cleanups", "freeze"),
        ("cleanups", "unfreeze"),
        ("cleanup", "remove"),
    ]
    entries = (await service.list_audit(target=cleanup)).unwrap()["entries"]
    assert {each["name"] for each in entries if each["action"] in ("register", "update", "run", "remove")} == {
        "acme.test/sessions"
    }
    update = next(each for each in entries if each["action"] == "update")
    assert (update["before"]["config"]["batch_size"], update["after"]["config"]["batch_size"]) == (100, 7)
    ran = next(each for each in entries if each["action"] == "ran")
    assert ran["after"] == {"success": True, "deleted": 0, "bytes": 0, "errors": 0}


async def test_whatever_changes_nodes_and_queues_is_written_down(node: Any) -> None:
    service = node.scheduler
    await service.turn()
    (each,) = (await service.list_nodes()).unwrap()
    with calling(ADA):
        await done(service.drain_node(each["id"]))
        await done(service.drain_node(each["id"], undo=True))
        await done(service.pause_queue("mail", "full"))
        await done(service.resume_queue("mail"))
        await done(service.limit_queue("mail", 3))
        await done(service.limit_queue("mail", 5))
        await done(service.pause_all("storm"))
        await done(service.resume_all())
        await done(service.pause_all(module_id="acme.test"))
        await done(service.resume_all(module_id="acme.test"))
        await done(service.apply_calendars())

    assert await written(node) == [
        ("node", "drain"),
        ("node", "undrain"),
        *[("queue", each) for each in ("pause", "resume", "limit", "limit")],
        *[(kind, each) for kind in ("scheduler", "module") for each in ("pause", "resume")],
        ("calendars", "apply"),
    ]
    queue = (await service.list_audit(kind="queue", action="pause")).unwrap()["entries"][0]
    assert (queue["name"], queue["before"], queue["after"]["reason"]) == ("mail", None, "full")
    limit = (await service.list_audit(kind="queue", action="limit")).unwrap()["entries"][0]
    assert (limit["before"], limit["after"]) == ({"limit": 3}, {"limit": 5})


async def test_looking_and_rehearsing_write_nothing_down(node: Any) -> None:
    service = node.scheduler
    task_id = await node.add_every(3600)
    await fill(node.app_context.database, node.clock.now(), old=1, new=1)
    cleanup = (await register(node, "sessions", OVER))["cleanup_id"]
    with calling(ADA):
        await done(service.get_task(task_id))
        await done(service.list_tasks())
        await done(service.get_executions())
        await done(service.preview_task(task_id))
        await done(service.explain(task_id))
        await done(service.backfill(task_id, "2026-01-05T11:00:00Z", "2026-01-05T12:00:00Z", dry_run=True))
        await done(service.import_tasks([CONFIG], dry_run=True))
        await done(service.preview_cleanup(cleanup))
        await done(service.run_cleanup(dry_run=True))
        await done(service.list_audit())

    assert await written(node) == []


async def test_of_what_code_does_the_audit_costs_no_statement(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def everything() -> list[str]:
        with seen_by(node.app_context.database) as seen:
            task_id = await node.add(delay=60)
            await node.add_every(60, key="k")
            await node.scheduler.pause_task(task_id)
            await node.scheduler.execute_task(task_id)
        return [statement for statement, _ in seen.statements]

    await everything()
    with_it = await everything()
    monkeypatch.setattr("modules.core.scheduler.auditing.Auditor.beside", lambda _self, work, *_: work)
    without = await everything()

    assert with_it == without
    assert [statement for statement in with_it if "scheduler_audit" in statement] == []
