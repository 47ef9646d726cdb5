"""The pages below a path: mounted in an application of somebody else's, and behind a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from framework.caller import Caller, Door
from framework.web.assembling import open_paths, pages, web_application
from framework.web.guard import guarded
from framework.web.rules import Rules
from framework.web.serving import _server, serving
from framework.web.sockets import listen, url_of

PREFIX = "/ops/scheduler"


@asynccontextmanager
async def mounted(node: Any) -> AsyncIterator[str]:
    """Serve it inside a FastAPI application that knows its users."""

    async def authorize(_: Any) -> Caller:
        return Caller("grace", Door.API)

    ours, theirs = web_application(node.app_context), FastAPI()
    rules = Rules(node.app_context, open_paths(ours), pages(ours), mounted=True, authorize=authorize)
    theirs.mount(PREFIX, guarded(ours, rules))
    sockets = listen("127.0.0.1", 0)
    server = _server(theirs)  # type: ignore[arg-type]
    running = asyncio.create_task(server.serve(sockets=sockets))
    await server.up.wait()
    try:
        yield url_of(sockets)
    finally:
        server.should_exit = True
        await running


def behind_a_proxy(node: Any) -> Any:
    return serving(node.app_context, listen("127.0.0.1", 0))


@pytest.mark.parametrize("served", [mounted, behind_a_proxy])
async def test_every_link_form_asset_and_stream_works_below_a_path(start_node: Any, browser: Any, served: Any) -> None:
    node = await start_node(framework={"http_root_path": "" if served is mounted else PREFIX})
    task_id = await node.add_every(60, name="Export", tags=["users"])
    outside: list[str] = []
    async with served(node) as url:
        context = await browser.new_context(base_url=url)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda asked: outside.append(asked.url) if f"{url}{PREFIX}/" not in asked.url else None)
        page.on("response", lambda told: outside.append(f"{told.status} {told.url}") if told.status >= 400 else None)
        await page.goto(f"{PREFIX}/")
        names = await page.locator(".side li a").all_inner_texts()
        for name in names:
            await page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
            await page.locator("[aria-current=page]", has_text=name).wait_for()
        for key in "gt":
            await page.keyboard.press(key)
        await page.wait_for_url(f"**{PREFIX}/tasks")
        await page.get_by_role("link", name="Export").click()
        await page.wait_for_url(f"**{PREFIX}/tasks/{task_id}")
        await page.get_by_role("link", name="users", exact=True).click()
        await page.wait_for_url(f"**{PREFIX}/tasks?tag=users")
        await page.get_by_role("row", name="Export").get_by_role("button", name="Pause", exact=True).click()
        await page.get_by_text("Export is paused.").wait_for()
        at = page.url
        stream = await page.evaluate("listen() ?? source.url")
        await context.close()

    assert outside == []
    assert (at, stream) == (f"{url}{PREFIX}/tasks?tag=users",) * 2
    assert (await node.task(task_id))["status"] == "paused"


async def test_a_proxy_may_take_its_path_away_or_pass_it_on(start_node: Any) -> None:
    import httpx2

    node = await start_node(framework={"http_root_path": PREFIX})
    async with behind_a_proxy(node) as url, httpx2.AsyncClient(base_url=url) as http:
        kept, taken = await http.get(f"{PREFIX}/tasks"), await http.get("/tasks")
        health = await http.get("/health/live")

    assert (kept.status_code, taken.status_code, health.status_code) == (200, 200, 200)
    assert f'href="{PREFIX}/executions"' in kept.text
    assert f'href="{PREFIX}/executions"' in taken.text
