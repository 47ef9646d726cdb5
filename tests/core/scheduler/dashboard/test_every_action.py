"""Every action there is, done by a click in a real browser; what it came to is read from the page and the service."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from expiring_sessions import OVER, count, fill, register
from starlette.routing import compile_path

from framework.web.assembling import web_application
from framework.web.scopes import stated


async def fail(parameters: dict[str, Any]) -> None:
    raise RuntimeError("no such host")


@pytest.fixture
def posted(page: Any) -> set[str]:
    """The paths that forms of the page were sent to; every question is answered with yes."""

    async def agree(dialog: Any) -> None:
        await dialog.accept()

    sent: set[str] = set()
    page.on("dialog", agree)
    page.on("request", lambda asked: sent.add(urlsplit(asked.url).path) if asked.method == "POST" else None)
    return sent


class Reader:
    """Clicks, and waits for what the page says of it."""

    def __init__(self, page: Any) -> None:
        self.page = page

    async def click(self, name: str, said: str) -> None:
        """Press the first button of this name, and wait for the page that says so."""
        await self.page.get_by_role("button", name=name, exact=True).first.click()
        await self.page.get_by_role("status").filter(has_text=said).wait_for()

    async def choose(self, act: str, agreed: str, said: str) -> None:
        """Tick every row, ask for an action on them, agree to what it says, and wait for the page that says so."""
        await self.page.get_by_label("Tick all on this page").check()
        await self.page.get_by_role("button", name=act).click()
        await self.click(agreed, said)


async def test_every_action_there_is_is_done_by_a_click(site: Any, page: Any, posted: set[str]) -> None:
    page.set_default_timeout(60_000)
    reader = Reader(page)
    site.node.register("fail", fail, api=True)
    await site.node.scheduler.turn()

    await of_one_task(site, page, reader)
    await of_many_tasks(site, page, reader)
    await of_executions(site, page, reader)
    await of_failures(site, page, reader)
    await of_housekeeping(site, page, reader)
    await of_nodes_and_queues(site, page, reader)

    routes = stated(web_application(site.node.app_context).routes)
    actions = [route.path for route in routes if route.page and route.scope is not None and "POST" in route.methods]
    undone = [path for path in actions if not any(compile_path(path)[0].match(each) for each in posted)]
    assert (undone, len(actions) > 20) == (["/logout"], True)  # which test_login clicks


async def of_one_task(site: Any, page: Any, reader: Reader) -> None:
    await page.goto("/tasks/-/new?function=acme.test:fail")
    await page.get_by_label("Name needed").fill("Export")
    await page.locator("label[for=way-cron]").click()
    await page.get_by_label("Expression").fill("0 4 * * *")
    await reader.click("Schedule it", "Export is scheduled.")
    here = page.url
    await page.get_by_label("Why; it is shown beside it").fill("a holiday")
    await reader.click("Pause", "Export is paused.")
    assert await page.get_by_text("a holiday").count() > 0
    await reader.click("Resume", "Export goes on.")
    await page.get_by_label("Reason").fill("a holiday")
    await reader.click("Leave it out", "is left out.")
    await page.get_by_label("To, in UTC").first.fill("2030-01-01T06:30")
    await page.get_by_label("Until, in UTC").fill("2031-01-01T00:00")
    await reader.click("Set the end", "It runs until")
    await page.get_by_label("From, in UTC").fill("2020-01-01T00:00")
    await page.get_by_label("To, in UTC").last.fill("2020-01-03T00:00")
    await reader.click("Count them", "would be placed")
    await page.get_by_label("To, in UTC").first.fill("2026-01-06T06:30")
    await reader.click("Move it", "starts at")
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Description").fill("What it is for")
    await reader.click("Change it", "Export is changed: description.")
    await reader.click("Run now", "It runs now, beside its schedule.")
    await reader.click("Cancel", "It is cancelled.")
    await page.goto(here)
    await reader.click("Cancel", "Export is cancelled; its history stays.")
    (task,) = (await site.node.scheduler.list_tasks(search="Export")).unwrap()["tasks"]
    assert (task["status"], task["description"]) == ("cancelled", "What it is for")


async def of_many_tasks(site: Any, page: Any, reader: Reader) -> None:
    for name in ("One", "Two"):
        await site.node.add_every(3600, "fail", name=name, tags=["both"])
    await page.goto("/tasks?tag=both")
    await reader.choose("Pause…", "Pause 2 tasks", "2 tasks are paused.")
    await reader.choose("Resume…", "Resume 2 tasks", "2 tasks are resumed.")
    await reader.choose("Run…", "Run 2 tasks", "2 tasks are started.")
    await site.node.scheduler.run_due()
    await reader.choose("Cancel…", "Cancel 2 tasks", "2 tasks are cancelled.")


async def of_executions(site: Any, page: Any, reader: Reader) -> None:
    task_id = await site.node.add_every(3600, "fail", name="Three")
    await site.node.pass_time(3600)
    await page.goto(f"/executions?task={task_id}")
    await reader.choose("Try again…", "Try 1 execution again", "1 execution is tried again.")
    await reader.choose("Cancel…", "Cancel 1 execution", "1 execution is cancelled, or asked to stop.")
    await page.locator("main .list tbody a.cover").first.click()
    await reader.click("Try again", "This is the further attempt.")
    assert await site.node.states(task_id) == ["failed", "cancelled", "pending"]


async def of_failures(site: Any, page: Any, reader: Reader) -> None:
    await site.node.scheduler.run_due()
    await page.goto("/failures")
    await page.locator("main .list tbody a").first.click()
    await page.get_by_role("button", name="Ignore").click()
    await page.get_by_text("It is hidden until it happens again.").wait_for()
    await page.goto("/failures?ignored=yes")
    await page.locator("main .list tbody a").first.click()
    await page.get_by_role("button", name="Try again").click()
    await page.get_by_text("tried again.").wait_for()


async def of_housekeeping(site: Any, page: Any, reader: Reader) -> None:
    database = site.node.app_context.database
    await fill(database, site.node.clock.now(), old=3, new=1)
    cleanup = (await register(site.node, "sessions", OVER))["cleanup_id"]
    await page.goto("/cleanups")
    await reader.click("Freeze all cleanups", "Cleanups are frozen")
    await reader.click("Let cleanups delete again", "Cleanups delete again.")
    await page.goto(f"/cleanups/{cleanup}")
    await reader.click("Switch off", "It does not run until it is switched on again.")
    await reader.click("Switch on", "It runs at its times again.")
    await reader.click("Dry run", "Counted; nothing was deleted.")
    assert await count(database) == 4
    await reader.click("Delete 3 rows", "Done: 3 rows.")
    assert await count(database) == 1


async def of_nodes_and_queues(site: Any, page: Any, reader: Reader) -> None:
    await page.goto("/nodes")
    await reader.click("Drain", "finishes what it runs and begins nothing more.")
    await reader.click("Undo the drain", "claims again.")
    await page.get_by_label("At most at once, of default").fill("3")
    await reader.click("Limit", "At most 3 of the queue default run at once")
    await page.get_by_label("At most at once, of default").fill("")
    await reader.click("Limit", "As many of the queue default run as there are slots.")
    await reader.click("Pause", "The queue default is paused on every node.")
    await reader.click("Resume", "The queue default goes on.")
    await reader.click("Pause everything", "Everything is paused")
    await reader.click("Let everything go on", "Everything goes on.")
    assert (await site.node.scheduler.status()).unwrap()["paused"] == []
