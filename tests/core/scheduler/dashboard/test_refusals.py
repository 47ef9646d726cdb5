"""What is refused is a page for people and a document for programs, wherever on its way the request was stopped."""

from __future__ import annotations

from typing import Any

import pytest

from framework.web.bodies import MAX_BODY

PEOPLE = {"Accept": "text/html,application/xhtml+xml"}
ELSEWHERE = "box.example"


@pytest.fixture
async def node(start_node: Any) -> Any:
    """A scheduler whose server has a name of its own, and takes few requests at once."""
    return await start_node(framework={"http_allowed_hosts": [ELSEWHERE], "http_rate_limit": 1, "http_rate_burst": 20})


async def test_a_request_that_is_stopped_on_its_way_is_a_page_for_people_and_a_document_for_programs(site: Any) -> None:
    requests: list[tuple[int, str, str, dict[str, Any]]] = [
        (404, "NOT_FOUND", "GET", {"url": "/no-such-page"}),
        (405, "METHOD_NOT_ALLOWED", "PUT", {"url": "/tasks"}),
        (403, "CROSS_SITE", "POST", {"url": "/tasks/x/pause", "headers": {"Sec-Fetch-Site": "cross-site"}}),
        (413, "BODY_TOO_LARGE", "POST", {"url": "/tasks/-/new", "content": b"x" * (MAX_BODY + 1)}),
        (421, "HOST_NOT_ALLOWED", "GET", {"url": "/tasks", "headers": {"Host": "evil.example"}}),
    ]
    for status, code, method, asked in requests:
        program = await site.http.request(method, **asked)
        page = await site.http.request(method, **asked | {"headers": asked.get("headers", {}) | PEOPLE})

        assert (program.status_code, program.json()["code"]) == (status, code)
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert (f"<code>{code}</code>" in page.text, page.text.count("<h1>")) == (True, 1)
        assert page.headers["content-security-policy"] == program.headers["content-security-policy"]
        assert page.headers.get("allow") == program.headers.get("allow")
        assert page.headers.get("set-cookie") is None


async def test_who_asks_too_often_is_told_so_on_a_page_with_the_time_to_wait(site: Any) -> None:
    answers = [await site.http.get("/no-such-page", headers=PEOPLE) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [404] * 20 + [429]
    assert (answers[-1].headers["retry-after"], "Wait a moment" in answers[-1].text) == ("1", True)


async def test_the_way_back_leads_to_no_other_site(site: Any) -> None:
    went = {"Referer": f"{site.url}///evil.example/"}

    assert "evil.example" not in (await site.http.get("/no-such-page", headers=PEOPLE | went)).text


async def test_the_api_answers_a_browser_with_documents(site: Any) -> None:
    answer = await site.http.get("/api/v1/scheduler/tasks/none", headers=PEOPLE)

    assert (answer.status_code, answer.json()["code"]) == (404, "TASK_NOT_FOUND")


async def test_forms_are_heard_over_plain_http_from_another_machine(site: Any, browser: Any) -> None:
    task_id = await site.node.add_every(60, name="Export")
    context = await browser.new_context(base_url=site.url.replace("127.0.0.1", ELSEWHERE), java_script_enabled=False)
    page = await context.new_page()

    await page.goto(f"/tasks/{task_id}")
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_text("Export is paused.").wait_for()
    await context.close()

    assert (await site.node.task(task_id))["status"] == "paused"
