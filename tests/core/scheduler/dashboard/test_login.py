"""Signing in with a token in a browser: what it opens, what it does not, and how it ends."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from framework.web.signing_in import COOKIE, sign_in
from modules.core.access import AccessService
from modules.core.scheduler.dashboard.forms import keep

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def node(start_node: Any) -> Any:
    """One scheduler, and a service that knows tokens."""
    return await start_node(modules=["core.access", "core.scheduler"])


@pytest.fixture
async def access(node: Any) -> AccessService:
    service: AccessService = node.app_context.get_service("core.access.service")
    return service


async def made(access: AccessService, *scopes: str, expires_in: object = None) -> str:
    return str((await access.create("-".join(scopes), scopes, expires_in)).unwrap()["token"])


async def signed_in(site: Any, token: str, **fields: str) -> httpx2.Response:
    """Sign in as a browser does."""
    site.http.headers.update(BROWSER)
    await site.http.get("/login")
    key = site.http.cookies["chamberlain_form"]
    answer: httpx2.Response = await site.http.post("/login", data={"token": token, "form_key": key, **fields})
    return answer


async def test_who_has_not_signed_in_is_led_there_and_back(site: Any, access: AccessService) -> None:
    token = await made(access, "operate")
    sent = await site.http.get("/tasks?tag=x&search=a b", headers=BROWSER)
    program = await site.http.get("/tasks")
    form = await site.http.get(sent.headers["location"], headers=BROWSER)
    back = form.text.split('name="next" value="')[1].split('"')[0].replace("&amp;", "&")

    answer = await signed_in(site, token, next=back)
    page = await site.http.get(answer.headers["location"])

    assert (sent.status_code, program.status_code, answer.status_code, page.status_code) == (303, 401, 303, 200)
    assert answer.headers["location"] == "/tasks?tag=x&search=a%20b"
    assert "No task fits." in page.text


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Any, access: AccessService) -> None:
    answer = await signed_in(site, await made(access, "read"))

    (kept,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE)]

    assert {"HttpOnly", "SameSite=strict", "Max-Age=43200", "Path=/"} <= set(kept.split("; "))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_over_https_the_cookies_are_for_https_alone(scheme: str) -> None:
    headers = [(b"host", b"ours.example")]
    request = Request({"type": "http", "scheme": scheme, "path": "/", "query_string": b"", "headers": headers})
    response = Response()

    sign_in(request, response, "chmb_x")
    keep(request, response, "chamberlain_form", "x")

    kept = [each.split("; ") for each in response.headers.getlist("set-cookie")]
    assert [{"HttpOnly", "SameSite=strict"} <= set(each) for each in kept] == [True, True]
    assert ["Secure" in each for each in kept] == [scheme == "https"] * 2


async def test_signing_in_leads_to_no_other_site(site: Any, access: AccessService) -> None:
    answer = await signed_in(site, await made(access, "read"), next="///evil.example/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_it_counts_for_pages_and_nowhere_else(site: Any, access: AccessService) -> None:
    await signed_in(site, await made(access, "admin"))

    answers = [await site.http.get(path) for path in ("/", "/settings", "/api/v1/scheduler/tasks", "/metrics")]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]


async def test_the_scopes_of_the_token_are_those_of_the_pages(site: Any, access: AccessService) -> None:
    task_id = await site.node.add_every(60)
    await signed_in(site, await made(access, "read"))

    page, refused = await site.http.get(f"/tasks/{task_id}"), await site.post(f"/tasks/{task_id}/pause")

    assert ("Pause" in page.text, refused.status_code) == (False, 403)


@pytest.mark.parametrize("token", ["", "guessed", "chmb_" + "0" * 12 + "_" + "1" * 48])
async def test_a_wrong_token_is_said_to_be_wrong(site: Any, access: AccessService, token: str) -> None:
    await made(access, "read")

    answer = await signed_in(site, token)

    assert (answer.status_code, "no token that is let in" in answer.text) == (401, True)
    assert COOKIE not in site.http.cookies


async def test_who_tries_many_tokens_has_to_wait(site: Any, access: AccessService) -> None:
    token = await made(access, "read")
    for _ in range(30):
        await signed_in(site, "guessed")
    key = site.http.cookies["chamberlain_form"]

    refused = await site.http.post("/login", data={"token": token, "form_key": key})
    site.node.clock.advance(1)
    let_in = await site.http.post("/login", data={"token": token, "form_key": key})

    assert (refused.status_code, let_in.status_code) == (429, 303)


async def test_a_form_of_another_site_signs_nobody_in(site: Any, access: AccessService) -> None:
    token = await made(access, "read")
    await site.http.get("/login", headers=BROWSER)

    unkeyed = await site.http.post("/login", data={"token": token, "form_key": "guessed"})
    foreign = await site.http.post("/login", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"})

    assert (unkeyed.status_code, foreign.status_code) == (403, 403)


async def test_signing_out_and_a_token_that_ends_lead_back_to_where_one_signs_in(
    site: Any, access: AccessService
) -> None:
    token = await made(access, "read", expires_in=1)
    await made(access, "admin")
    await signed_in(site, token)
    left = await site.post("/logout")
    said = await site.http.get(left.headers["location"])
    out = await site.http.get("/tasks")
    await signed_in(site, token)
    site.node.clock.advance(86_401)
    over = await site.http.get("/tasks")
    after = await site.http.get("/tasks")

    assert (left.headers["location"], "You are signed out." in said.text) == ("/login", True)
    assert [each.headers["location"] for each in (out, over, after)] == ["/login?next=/tasks"] * 3
    assert COOKIE not in site.http.cookies


async def test_where_no_token_is_needed_nobody_is_asked_for_one(site: Any) -> None:
    answer = await site.http.get("/login")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_signing_in_and_out_in_a_browser(site: Any, access: AccessService, page: Any) -> None:
    token = await made(access, "operate")
    await site.node.add_every(60, name="Export")

    await page.goto("/tasks")
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Export").click()
    await page.wait_for_url("**/tasks/*")
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_text("Export is paused.").wait_for()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_text("You are signed out.").wait_for()
    await page.goto("/")

    assert page.url.endswith("/login")
    assert await page.get_by_role("navigation").get_by_role("listitem").count() == 0


async def test_a_refusal_is_a_page_for_people_and_a_document_for_programs(site: Any, access: AccessService) -> None:
    await signed_in(site, await made(access, "read"))
    task_id = await site.node.add_every(60, name="Export")
    asked = {"Referer": f"{site.url}/tasks?tag=x"}

    expired = await site.http.post("/logout", data={"form_key": "another"}, headers=asked)
    forbidden = await site.http.post(f"/tasks/{task_id}/pause", headers=asked)
    program = await site.http.post(f"/tasks/{task_id}/pause", headers={"Accept": "*/*"})

    assert [each.status_code for each in (expired, forbidden, program)] == [403] * 3
    assert "Load the page again, and send the form once more." in expired.text
    assert 'href="/tasks?tag=x"' in expired.text
    assert "sign in with a token that has this scope" in forbidden.text
    assert 'aria-label="Screens"' in forbidden.text
    assert program.json()["code"] == "FORBIDDEN"
    assert (await site.node.task(task_id))["status"] == "pending"
