"""Whatever is sent, the answer is one that the document promises: 300 requests made up, 20,000 with `make torture`."""

from __future__ import annotations

import os
from typing import Any

import pytest
from asking import HOURLY, PREFIX, Api
from pydantic import ValidationError
from requests_at_random import Requests

NUMBER = int(os.environ.get("GENERATED_REQUESTS", "300"))
RENEWED = 50  # requests, after which things that are there are named anew
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.timeout(3_600)
async def test_requests_made_up_find_no_answer_that_is_not_documented(api: Api, node: Any) -> None:
    requests = Requests(api.app.openapi(), PREFIX, SEED)
    complaints = []
    for number in range(NUMBER):
        if number % RENEWED == 0:
            requests.ids = await what_is_there(api, node)
        made = requests.make()
        try:
            answer = await api.ask(made.method, made.path, **made.given)
            assert answer.status_code < 500, answer.text
        except (AssertionError, ValidationError) as error:
            complaints.append(f"request {number}, {made}: {str(error)[:1_000]}")

    assert complaints == []


async def what_is_there(api: Api, node: Any) -> dict[str, list[str]]:
    """Make some tasks and executions, let them run, and return the ids of things."""
    for _ in range(3):
        await api.post("/tasks", 201, **HOURLY)
    await api.post("/cleanups/unfreeze")
    await api.post("/resume-all")
    await node.pass_time(3_600)
    tasks = [task["id"] for task in (await api.get("/tasks", limit=20))["tasks"]]
    executions = [each["id"] for each in (await api.get("/executions", limit=20))["executions"]]
    cleanups = [each["id"] for each in (await api.get("/cleanups"))["cleanups"]]
    nodes = [each["id"] for each in (await api.get("/nodes"))["nodes"]]
    return {"task_id": tasks, "execution_id": executions, "cleanup_id": cleanups, "node_id": nodes, "name": ["default"]}
