"""The pages as a client without a script gets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.caller import Caller, Door, Scope
from framework.web.assembling import web_application
from framework.web.authentication import Authentication
from framework.web.scopes import stated
from modules.core.scheduler.dashboard.wording import straight, when

HOSTILE = "\u202e<script>alert(1)</script>\"'{{ 7*7 }}</title>"


async def failing() -> None:
    raise RuntimeError(HOSTILE)


async def with_history(site: Any) -> tuple[str, str]:
    """Schedule what has run, failed, and is paused; return the id of the failed one's task and execution."""
    site.node.register("failing", failing)
    await site.node.add_every(60)
    task_id = await site.node.add("failing", name="Export", description=HOSTILE[:90], tags=["users"])
    await site.node.scheduler.run_due()
    (row,) = await site.node.history(task_id)
    return task_id, row["id"]


async def test_every_page_shows_what_there_is(site: Any) -> None:
    task_id, execution_id = await with_history(site)

    paths = ["/", "/tasks", f"/tasks/{task_id}", "/executions", f"/executions/{execution_id}"]
    pages = [await site.http.get(path) for path in paths]

    assert [page.status_code for page in pages] == [200] * 5
    assert all("Export" in page.text for page in pages)
    assert "RuntimeError" in pages[4].text


@pytest.mark.parametrize("path", ["/", "/tasks", "/executions", "/executions?state=failed", "/tasks?search=none"])
async def test_an_empty_scheduler_says_what_to_do(site: Any, path: str) -> None:
    for cleanup in (await site.node.scheduler.list_cleanups()).unwrap():
        await site.node.scheduler.remove_cleanup(cleanup["id"])

    page = await site.http.get(path)

    assert page.status_code == 200
    assert "empty" in page.text or "cancelled" in page.text


async def test_hostile_text_comes_back_as_text(site: Any) -> None:
    task_id = await site.node.add(
        delay=60, name=HOSTILE, description=HOSTILE, tags=["<i>"], parameters={"who": HOSTILE}
    )
    await site.node.scheduler.pause_task(task_id, HOSTILE)

    pages = [
        (await site.http.get(path)).text for path in ("/", "/tasks", f"/tasks/{task_id}", f"/tasks?search={HOSTILE}")
    ]

    assert all("<script>alert" not in page and "49" not in page.split("{{ 7*7 }}")[0][-9:] for page in pages)
    assert all("&lt;script&gt;alert(1)&lt;/script&gt;" in page for page in pages[1:])


async def test_what_is_not_there_is_a_page_that_says_so(site: Any) -> None:
    page = await site.http.get("/tasks/none")

    assert (page.status_code, "there is no task &#39;none&#39;" in page.text) == (404, True)


async def test_a_form_does_what_it_says_and_leads_back(site: Any) -> None:
    task_id = await site.node.add_every(60)

    paused = await site.post(f"/tasks/{task_id}/pause", back="/tasks?tag=x")
    after = await site.http.get(paused.headers["location"])
    again = await site.http.get("/tasks")

    assert (paused.status_code, paused.headers["location"]) == (303, "/tasks?tag=x")
    assert (await site.node.task(task_id))["status"] == "paused"
    assert ("is paused." in after.text, "is paused." in again.text) == (True, False)


async def test_every_action_of_a_task_and_an_execution(site: Any) -> None:
    task_id = await site.node.add_every(60)
    started = await site.post(f"/tasks/{task_id}/run")
    execution_id = started.headers["location"].rpartition("/")[2]
    await site.post(f"/executions/{execution_id}/cancel")
    states = await site.node.states(task_id)
    for action in ("pause", "resume", "cancel"):
        await site.post(f"/tasks/{task_id}/{action}")

    assert states == ["cancelled"]
    assert (await site.node.task(task_id))["status"] == "cancelled"


async def test_a_refusal_is_said_where_one_was(site: Any) -> None:
    task_id = await site.node.add_every(60)
    await site.node.scheduler.cancel_task(task_id)

    refused = await site.post(f"/tasks/{task_id}/resume")
    page = await site.http.get(refused.headers["location"])

    assert 'class="flash bad"' in page.text
    assert "only a paused one can be resumed" in page.text


async def test_a_form_that_this_browser_was_not_given_is_not_heard(site: Any) -> None:
    task_id = await site.node.add_every(60)
    await site.http.get("/tasks")

    answers = [
        await site.http.post(f"/tasks/{task_id}/pause", data={"form_key": key, "back": "/"}) for key in ("", "guessed")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert (await site.node.task(task_id))["status"] == "pending"


async def test_no_form_of_any_page_is_heard_that_this_browser_was_not_given(site: Any) -> None:
    routes = stated(web_application(site.node.app_context).routes)
    paths = [re.sub(r"{.*?}", "x", each.path) for each in routes if each.page and "POST" in each.methods]

    from_elsewhere = [await site.http.post(path, data={"form_key": ""}) for path in (*paths, "/login")]
    await site.http.get("/tasks")
    guessed = [await site.http.post(path, data={"form_key": "guessed"}) for path in paths]

    assert "/tasks/-/new" in paths
    answers = {(each.status_code, each.json()["code"]) for each in (*from_elsewhere, *guessed)}
    assert answers == {(403, "FORM_EXPIRED")}


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:1",
    ],
)
async def test_no_form_leads_to_another_site(site: Any, back: str) -> None:
    task_id = await site.node.add_every(60)

    answers = [await site.post(path, back=back) for path in (f"/tasks/{task_id}/pause", "/tasks/none/edit")]

    assert [answer.headers["location"] for answer in answers] == ["/", "/"]


async def test_who_may_only_read_is_offered_nothing_and_can_do_nothing(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reader(_: Authentication, _scope: Any) -> Caller:
        return Caller("reader", Door.API, frozenset({Scope.READ}))

    monkeypatch.setattr(Authentication, "_who", reader)
    task_id = await site.node.add_every(60)

    pages = [await site.http.get(path) for path in ("/tasks", f"/tasks/{task_id}")]
    answer = await site.post(f"/tasks/{task_id}/pause")

    assert [("Pause" in page.text, page.status_code) for page in pages] == [(False, 200)] * 2
    assert answer.status_code == 403


async def test_what_the_pages_are_made_of_is_kept_by_browsers_and_nothing_else_is_served(site: Any) -> None:
    page = await site.http.get("/")
    style = next(line for line in page.text.splitlines() if "app.css" in line).split('"')[3]

    kept = await site.http.get(style)
    others = ["VENDORED.toml", "%2e%2e%2fstatic%2fapp.css", "%2e%2e/static/app.css", "..%2frendering.py", "%2e%2e"]

    assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    assert page.headers["cache-control"] == "no-store"
    assert [(await site.http.get(f"/assets/{name}")).status_code for name in others] == [404] * 5


@pytest.mark.parametrize("body", [b"form_key=\xff", b"a=1&" * 1_001])
async def test_a_form_that_cannot_be_read_is_refused(site: Any, body: bytes) -> None:
    answer = await site.http.post("/tasks/x/pause", content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


def test_a_moment_is_told_by_the_clock_of_its_task_and_by_utc() -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)

    told = when(moment, moment, "Europe/Berlin")

    assert "Wed 2026-07-01 14:00:00 CEST\nWed 2026-07-01 12:00:00 UTC" in told
    assert when(moment, moment).count("UTC") == 2  # the zone, and the time once


def test_a_sentence_reads_on_in_its_direction_whatever_stands_in_it() -> None:
    assert straight("paused: \u202etxt\u2066. It waits") == "paused: \ufffdtxt\ufffd. It waits"
