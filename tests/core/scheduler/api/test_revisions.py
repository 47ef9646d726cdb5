"""ETag and If-Match: nobody overwrites what somebody else has just changed."""

from __future__ import annotations

from typing import Any

from asking import Api


async def test_who_has_seen_an_older_task_is_refused(api: Api, task_id: str) -> None:
    one = f"/tasks/{task_id}"
    seen = (await api.ask("GET", one, 200)).headers["etag"]
    first = await api.ask("PATCH", one, 200, json={"priority": 1}, headers={"If-Match": seen})

    for method, path, body in (
        ("PATCH", one, {"priority": 2}),
        ("DELETE", one, None),
        ("POST", f"{one}/pause", {}),
        ("POST", f"{one}/resume", None),
        ("POST", f"{one}/execute", None),
        ("POST", f"{one}/skip-next", None),
        ("POST", f"{one}/shift-next", {"to": "2026-01-06"}),
        ("POST", f"{one}/run-until", {"until": None}),
        ("POST", f"{one}/backfill", {"start": "2026-01-01", "end": "2026-01-02"}),
    ):
        given = {} if body is None else {"json": body}
        refused = await api.ask(method, path, 412, headers={"If-Match": seen}, **given)
        assert refused.json()["code"] == "PRECONDITION_FAILED", path

    assert first.headers["etag"] != seen
    assert (await api.get(one))["priority"] == 1


async def test_a_tag_stays_while_the_task_runs_and_one_of_several_will_do(api: Api, task_id: str, node: Any) -> None:
    one = f"/tasks/{task_id}"
    seen = (await api.ask("GET", one, 200)).headers["etag"]
    await node.pass_time(3600)

    assert (await api.ask("GET", one, 200)).headers["etag"] == seen
    paused = await api.ask("POST", f"{one}/pause", 200, headers={"If-Match": f'"77", {seen}'})
    for never in ('W/"2"', "2", '"x"', ""):
        await api.ask("POST", f"{one}/resume", 412, headers={"If-Match": never})
    await api.ask("POST", f"{one}/resume", 200, headers={"If-Match": "*"})
    await api.ask("POST", "/tasks/nobody/pause", 404, headers={"If-Match": paused.headers["etag"]})
