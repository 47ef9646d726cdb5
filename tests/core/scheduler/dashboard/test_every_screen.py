"""Every screen there is, found by its routes and its links, full of hostile text."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Connection
from starlette.routing import compile_path

from framework.caller import Scope
from framework.testing.statements import seen_by
from framework.web.assembling import web_application
from framework.web.scopes import stated
from modules.core.scheduler import ExecutionContext

HOSTILE = "\u202e<img src=x onerror=alert(1)></title><script>alert(1)</script>\"'{{7*7}}${1}"
OURS = "link, meta, title:not(svg title), [src]:not(script), [onerror], iframe, script"


async def say(parameters: dict[str, Any], execution: ExecutionContext) -> dict[str, str]:
    """<script>alert(1)</script>"""
    execution.logger.info(HOSTILE)
    await execution.progress({"message": HOSTILE})
    return {HOSTILE: HOSTILE}


async def fail(parameters: dict[str, Any]) -> None:
    raise RuntimeError(HOSTILE)


@pytest.fixture
async def hostile(site: Any) -> Any:
    """A site on which whatever can be said says something hostile."""
    node, scheduler = site.node, site.node.scheduler
    node.register("say", say, description=HOSTILE, api=True)
    node.register("fail", fail)
    said = {"name": HOSTILE[:90], "description": HOSTILE, "tags": ["<b>", HOSTILE[:40]], "parameters": {"a": HOSTILE}}
    await node.add("say", key=HOSTILE, **said)
    await node.add("fail", **said)
    held = await node.add_every(60, "say", **said)
    await scheduler.run_due()
    await scheduler.pause_task(held, HOSTILE)
    await scheduler.pause_all(HOSTILE)
    await scheduler.pause_queue("default", HOSTILE)
    await scheduler.freeze_cleanups(HOSTILE)
    await scheduler.execute_task(held)
    await site.post(f"/tasks/{held}/resume")
    return site


def screens(site: Any) -> list[str]:
    """Return the paths of all screens, with parameters in braces."""
    routes = stated(web_application(site.node.app_context).routes)
    return [route.path for route in routes if route.page and route.scope in set(Scope) and "GET" in route.methods]


async def addresses(site: Any) -> dict[str, str]:
    """Return an address of each screen, found by following links."""
    patterns = {path: compile_path(path)[0] for path in screens(site)}
    found = {path: path for path in patterns if "{" not in path}
    coming, seen = list(found.values()), set(found)
    while coming:
        text = (await site.http.get(coming.pop())).text
        for link in set(re.findall(r'<a [^>]*href="(/[^"?#]*)', text)) - seen:
            meant = next((path for path, pattern in patterns.items() if pattern.match(link)), None)
            seen.add(link)
            if meant is not None and meant not in found:
                found[meant] = link
                coming.append(link)
    return found


async def test_every_screen_is_accessible_and_shows_hostile_text_as_text(hostile: Any, page: Any) -> None:
    pytest.importorskip("axe_playwright_python", reason="a new development tool: install '.[dev]' again")
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    wrong, dialogs, shown = [], [], 0
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    found = await addresses(hostile)

    for path in found.values():
        await page.emulate_media(color_scheme="light")
        await page.goto(path)
        wrong += [
            (path, html)
            for html in await page.evaluate(f"[...document.body.querySelectorAll('{OURS}')].map(e => e.outerHTML)")
        ]
        shown += "onerror" in await page.locator("main").inner_text()
        await page.evaluate(axe)
        told = [("light", each) for each in (await page.evaluate("axe.run()"))["violations"]]
        await page.emulate_media(color_scheme="dark")
        seen_dark = await page.evaluate("axe.run({ runOnly: ['color-contrast'] })")
        told += [("dark", each) for each in seen_dark["violations"]]
        wrong += [(path, theme, each["id"], each["nodes"][0]["html"]) for theme, each in told]

    assert (wrong, dialogs) == ([], [])
    assert (len(found) > 10, shown > 6) == (True, True)


async def test_hostile_text_in_an_address_is_text_too(hostile: Any) -> None:
    names = ["search", "status", "state", "module", "tag", "task", "cursor", "window", "actor", "action", "kind", "at"]
    asked = urlencode(dict.fromkeys([*names, "target", "since", "until", "cron", "trigger"], HOSTILE))

    for path in screens(hostile):
        answer = await hostile.http.get(f"{path.replace('{', '').replace('}', '')}?{asked}")

        assert answer.status_code < 500, path
        assert "<img src=x" not in answer.text, path
        assert "<script>alert" not in answer.text, path


async def test_no_screen_walks_through_all_tasks_or_all_executions(hostile: Any) -> None:
    database = hostile.node.app_context.database
    found = await addresses(hostile)
    with seen_by(database) as seen:
        for path in found.values():
            await hostile.node.add_every(60)
            await hostile.http.get(path)
    asked = {statement: values for statement, values in seen.statements if statement.startswith(("SELECT", "WITH"))}

    plans = await database.read(lambda c: {each: plan_of(c, each, asked[each]) for each in asked})

    walks = ("SCAN scheduler_events", "SCAN scheduler_executions")
    assert [each for each, plan in plans.items() if any(line in walks for line in plan)] == []
    assert len(plans) > 20


def plan_of(c: Connection, statement: str, values: Any) -> list[str]:
    return [row[3] for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
