"""What operators do is written down in the transaction that does it, with what was before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from framework.audit import AuditTrail, Deed, record
from framework.caller import Caller, Door, Scope, calling
from modules.core.scheduler.audit_tables import audit

ADA = Caller("ada", Door.CLI, frozenset({Scope.ADMIN}))


async def entries(node: Any, **wanted: Any) -> list[dict[str, Any]]:
    """Return what was written down, oldest first."""
    return (await node.scheduler.list_audit(**wanted)).unwrap()["entries"][::-1]


async def deeds(node: Any, **wanted: Any) -> list[tuple[str, str]]:
    return [(each["action"], each["kind"]) for each in await entries(node, **wanted)]


@pytest.fixture
def ada() -> Iterator[None]:
    """All that a test does is done by Ada."""
    with calling(ADA):
        yield


async def test_a_change_says_who_did_what_to_what_and_when(node: Any, ada: None) -> None:
    task_id = await node.add_every(60, name="Report", priority=1)

    await node.scheduler.update_task(task_id, {"priority": 5})
    (entry,) = await entries(node, action="update")

    wanted = {"at": node.clock.now(), "actor": "ada", "door": "cli", "action": "update", "kind": "task"}
    assert entry.items() >= wanted.items()
    assert (entry["target"], entry["name"]) == (task_id, "Report")
    assert (entry["before"], entry["after"]) == ({"priority": 1}, {"priority": 5})


async def test_what_is_new_was_nothing_before_and_names_who_made_it(node: Any, ada: None) -> None:
    task_id = await node.add(parameters={"a": 1}, delay=60)

    (entry,) = await entries(node)

    assert (entry["action"], entry["target"], entry["before"]) == ("schedule", task_id, None)
    assert entry["after"].items() >= {"status": "pending", "parameters": {"a": 1}, "function_name": "note"}.items()
    assert (await node.task(task_id))["created_by"] == "ada"


async def test_the_same_key_scheduled_again_tells_what_it_changed(node: Any, ada: None) -> None:
    await node.add_every(60, key="report", priority=1)
    await node.add_every(60, key="report", priority=2)

    first, second = await entries(node)

    assert first["before"] is None
    assert second["before"].items() >= {"priority": 1}.items()
    assert second["after"].items() >= {"priority": 2}.items()
    assert "function_name" not in second["after"]


async def test_what_code_does_is_not_written_down(node: Any) -> None:
    task_id = await node.add_every(60)
    await node.scheduler.pause_task(task_id)
    await node.scheduler.pause_all()
    await node.scheduler.emit("something")

    assert await entries(node) == []
    assert (await node.task(task_id))["created_by"] is None


async def test_what_an_operator_sets_off_runs_as_the_application(node: Any) -> None:
    async def chain() -> None:
        await node.add()

    node.register("chain", chain)
    with calling(ADA):
        await node.add("chain")
        await node.scheduler.run_due()

    assert len(node.runs) == 1
    assert [each["after"]["function_name"] for each in await entries(node)] == ["chain"]


async def test_what_is_refused_is_not_written_down(node: Any, ada: None) -> None:
    refused = await node.scheduler.pause_task("nothing")
    again = await node.scheduler.schedule_task({"name": "x"})

    assert (refused.success, again.success) == (False, False)
    assert await entries(node) == []


async def test_what_is_rolled_back_is_not_written_down(node: Any, ada: None, monkeypatch: Any) -> None:
    task_id = await node.add_every(60)

    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("modules.core.scheduler.job_manager.notify", fail)
    with pytest.raises(RuntimeError):
        await node.scheduler.pause_task(task_id)

    assert await deeds(node) == [("schedule", "task")]
    assert (await node.task(task_id))["status"] == "pending"


async def test_no_change_is_kept_of_which_nobody_could_be_told(node: Any, ada: None, monkeypatch: Any) -> None:
    task_id = await node.add_every(60)

    def fail(*_: Any) -> None:
        raise RuntimeError("the audit is full")

    monkeypatch.setattr("modules.core.scheduler.auditing.audit.add", fail)
    with pytest.raises(RuntimeError):
        await node.scheduler.pause_task(task_id)

    assert (await node.task(task_id))["status"] == "pending"


async def test_pages_go_from_the_newest_on(node: Any, ada: None) -> None:
    task_id = await node.add_every(60)
    for word in ("pause", "resume", "pause", "resume"):
        node.clock.advance(1)
        await getattr(node.scheduler, f"{word}_task")(task_id)

    seen, cursor = [], None
    while True:
        page = (await node.scheduler.list_audit(limit=2, cursor=cursor)).unwrap()
        seen += [each["action"] for each in page["entries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == ["resume", "pause", "resume", "pause", "schedule"]


async def test_entries_are_found_by_who_what_and_when(node: Any) -> None:
    with calling(ADA):
        first = await node.add_every(60)
    node.clock.advance(3600)
    with calling(Caller("bob@desk", Door.CLI)):
        await node.scheduler.pause_task(first)
        await node.scheduler.pause_queue("mail")

    assert await deeds(node, actor="ada") == [("schedule", "task")]
    assert await deeds(node, target=first) == [("schedule", "task"), ("pause", "task")]
    assert await deeds(node, action="pause", kind="queue") == [("pause", "queue")]
    assert await deeds(node, since=node.clock.now()) == [("pause", "task"), ("pause", "queue")]
    assert [each["door"] for each in await entries(node, actor="bob@desk")] == ["cli", "cli"]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"limit": 0}, "INVALID_LIMIT"), ({"cursor": "x"}, "INVALID_CURSOR"), ({"since": "soon"}, "INVALID_CONFIG")],
)
async def test_a_page_that_cannot_be_is_refused(node: Any, wanted: dict[str, Any], code: str) -> None:
    refused = await node.scheduler.list_audit(**wanted)

    assert refused.error is not None
    assert refused.error.code == code


async def test_what_is_too_long_is_cut(node: Any, ada: None) -> None:
    await node.add(parameters={"text": "x" * 100_000}, delay=60)

    (entry,) = await entries(node)

    assert len(entry["after"]["parameters"]) == 2_000


async def test_what_operators_did_is_forgotten_with_time(start_node: Any, ada: None) -> None:
    node = await start_node(keep_audit="30 days")
    await node.add_every(60)
    node.clock.advance(30 * 86_400)
    await node.scheduler.pause_all()
    node.clock.advance(1)

    pruned = (await node.app_context.get_service("core.scheduler.job_manager").cleanup_completed_jobs()).unwrap()

    assert pruned["audit"] == 1
    assert await deeds(node) == [("pause", "scheduler")]


async def test_other_modules_write_into_the_same_audit(node: Any) -> None:
    trail = node.app_context.get_service(AuditTrail)

    def work(c: Any) -> None:
        with calling(ADA):
            record(node.app_context, c, Deed("create", "token", "1", "ci", None, {"scopes": ["read"]}))
        record(node.app_context, c, Deed("create", "token", "2"))

    await node.app_context.database.write(work)

    rows = await node.app_context.database.read(lambda c: c.execute(select(audit)).all())
    assert [(row.actor, row.kind, row.target, row.name) for row in rows] == [("ada", "token", "1", "ci")]
    assert trail is node.app_context.get_service("core.scheduler.audit")
