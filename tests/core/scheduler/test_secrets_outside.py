"""A secret parameter is `***` wherever somebody from outside looks: in answers, refusals, the audit and the log."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from sqlalchemy import select

from framework.audit import Deed
from framework.caller import Caller, Door, calling
from modules.core.scheduler.audit_tables import audit

MODULE = "acme.test"
SECRET, OTHER = "hunter2", "correct horse"
HOURLY = {"recurring": True, "interval_type": "hours", "interval_value": 1}
CALL = {"name": "call", "module_id": MODULE, "function_name": "call", **HOURLY}


@pytest.fixture
def shop(node: Any) -> Any:
    """A node with a function that has a secret, and that fails with it."""

    async def call(*, url: str, token: str) -> None:
        raise RuntimeError(f"cannot reach {url} with {token}")

    node.register("call", call, api=True, secret=["token"])
    return node


async def test_secrets_are_masked_in_the_audit_a_changed_one_too(shop: Any) -> None:
    scheduler = shop.scheduler
    with calling(Caller("ada", Door.API)):
        task = await scheduler.schedule_task({**CALL, "parameters": {"url": "here", "token": SECRET}})
        task_id = task.unwrap()["task_id"]
        (await scheduler.update_task(task_id, {"parameters": {"url": "here", "token": OTHER}})).unwrap()
        (await scheduler.import_tasks([{**CALL, "key": "k", "parameters": {"url": "x", "token": SECRET}}])).unwrap()
        (await scheduler.register_cleanup_task(MODULE, "c", _cleanup(SECRET))).unwrap()
        (await scheduler.register_cleanup_task(MODULE, "c", _cleanup(OTHER))).unwrap()

    entries = (await scheduler.list_audit()).unwrap()["entries"]
    stored = await shop.app_context.database.read(lambda c: c.execute(select(audit)).all())
    update = next(each for each in entries if each["action"] == "update")
    assert update["before"] == update["after"] == {"parameters": {"url": "here", "token": "***"}}
    assert [text for text in (SECRET, OTHER) if text in repr(stored)] == []
    assert len([each for each in entries if each["kind"] == "cleanup"]) == 2


def _cleanup(token: str) -> dict[str, Any]:
    return {"function_name": "call", "parameters": {"url": "here", "token": token}}


async def test_secrets_are_masked_in_answers_refusals_and_the_log(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "modules")
    scheduler, secret = shop.scheduler, {"url": "here", "token": SECRET}
    with calling(Caller("ada", Door.API)):
        scheduled = await scheduler.schedule_task({**CALL, "parameters": secret})
        task_id = scheduled.unwrap()["task_id"]
        answers = [
            scheduled,
            await scheduler.get_task(task_id),
            await scheduler.schedule_task({**CALL, "parameters": {"url": 7, "token": SECRET}}),
            await scheduler.schedule_task({**CALL, "parameters": {"url": "here", "token": [SECRET]}}),
            await scheduler.schedule_task({**CALL, "parameters": {**secret, "more": 1}}),
            await scheduler.update_task(task_id, {"parameters": {"token": SECRET}}),
            await scheduler.execute_task(task_id),
        ]
        await scheduler.run_due()
        answers += [await scheduler.get_executions(task_id), await scheduler.explain(task_id)]
        answers += [await scheduler.export_tasks(), await scheduler.list_audit()]

    (execution,) = (await scheduler.get_executions(task_id)).unwrap()["executions"]
    assert "cannot reach here with ***" in execution["error"]
    assert SECRET not in repr([answer.to_dict() for answer in answers]) + caplog.text


async def test_secrets_within_a_secret_are_taken_out_of_errors_too(node: Any) -> None:
    async def call(*, login: dict[str, Any]) -> None:
        raise RuntimeError(f"{login['name']} cannot come in with {login['words'][0]}; {login}")

    node.register("call", call, secret=["login"])
    task_id = await node.add("call", parameters={"login": {"name": "ada", "words": [SECRET]}})

    await node.scheduler.run_due()

    (execution,) = await node.history(task_id)
    assert execution["error"].endswith("ada cannot come in with ***; ***")
    assert SECRET not in repr(execution)


async def test_plain_json_only_is_kept_in_the_audit(shop: Any) -> None:
    with calling(Caller("\x00ada\udc80", Door.API)):
        deed = Deed(
            "create", "thing", "\x00", "\udc80", {"at": shop.clock.now()}, {"what": object(), "nan": float("nan")}
        )
        auditor = shop.app_context.get_service("core.scheduler.audit")
        await shop.app_context.database.write(lambda c: auditor.record(c, deed))

    (entry,) = (await shop.scheduler.list_audit()).unwrap()["entries"]
    assert (entry["actor"], entry["target"], entry["name"]) == ("\\x00ada\\udc80", "\\x00", "\\udc80")
    assert entry["before"] == {"at": "2026-01-05T12:00:00Z"}
    assert json.dumps(entry["after"])
    assert entry["after"]["nan"] == "nan"
