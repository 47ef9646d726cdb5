"""Pages that keep themselves up to date, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest


async def until_seen(site: Any, locator: Any) -> None:
    """Let the server's time pass until something is on the page."""
    from playwright.async_api import TimeoutError as NotYet

    for _ in range(200):
        site.node.clock.advance(1)
        with suppress(NotYet):
            await locator.wait_for(timeout=100)
            return
    raise AssertionError(f"{locator} did not come")


async def until_true(page: Any, condition: str) -> None:
    """Wait for a condition, which the policy keeps Playwright's own way from doing."""
    for _ in range(200):
        if await page.evaluate(condition):
            return
        await page.wait_for_timeout(50)
    raise AssertionError(condition)


@pytest.fixture
async def alone(browser: Any, site: Any) -> AsyncIterator[Any]:
    """A page for which no stream is to be had, and whose own clock the test moves."""
    context = await browser.new_context(base_url=site.url)
    page = await context.new_page()
    page.set_default_timeout(10_000)
    await page.clock.install()

    async def without_streams(route: Any) -> None:
        if "event-stream" in (route.request.headers.get("accept") or ""):
            await route.fulfill(status=503)
        else:
            await route.continue_()

    await page.route("**/*", without_streams)
    yield page
    await context.close()


async def test_a_page_changes_by_itself_and_keeps_what_the_reader_has_done(site: Any, page: Any) -> None:
    await site.node.add_every(60, name="First")
    await site.node.pass_time(60)
    await page.goto("/")
    await page.get_by_text("The same as a table", exact=True).click()
    link = page.get_by_role("link", name="7d", exact=True)
    await link.focus()

    await site.node.scheduler.pause_all("for the holidays")
    await until_seen(site, page.get_by_text("Everything is paused."))

    assert await link.evaluate("each => each === document.activeElement")
    assert await page.locator("details").first.get_attribute("open") is not None


async def test_what_comes_while_somebody_writes_waits(site: Any, page: Any) -> None:
    await page.goto("/tasks")
    await page.get_by_label("Tag").fill("half a wo")
    await site.node.add_every(60, name="Later")
    for _ in range(5):
        site.node.clock.advance(1)
        await page.wait_for_timeout(50)
    there = await page.get_by_text("Later").count()
    await page.get_by_label("Tag").blur()
    await until_seen(site, page.get_by_text("Later"))

    assert there == 0
    assert await page.get_by_label("Tag").input_value() == "half a wo"


async def test_nothing_is_asked_for_a_page_that_is_hidden_or_paused(site: Any, page: Any) -> None:
    await page.goto("/tasks")
    await until_true(page, "source?.readyState === EventSource.OPEN")

    await page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    hidden = await page.evaluate("source === undefined")
    await page.evaluate("delete document.hidden; listen()")
    shown = await page.evaluate("source !== undefined")
    await page.keyboard.press("p")
    paused = await page.evaluate("source === undefined")

    assert (hidden, shown, paused) == (True, True, True)
    assert "updated" in await page.locator("[data-age]").inner_text()


async def test_the_stream_follows_to_the_next_page(site: Any, page: Any) -> None:
    await page.goto("/tasks")
    await page.get_by_role("link", name="Executions", exact=True).click()
    await until_true(page, "source?.at === '/executions' && source.readyState === EventSource.OPEN")
    await site.node.add_every(60, name="Ran just now")
    await site.node.pass_time(60)

    await until_seen(site, page.get_by_role("link", name="Ran just now").first)


async def test_where_no_stream_is_to_be_had_the_page_is_asked_for_every_five_seconds(site: Any, alone: Any) -> None:
    await alone.goto("/tasks")
    await site.node.add_every(60, name="Later")
    before = await alone.get_by_text("Later").count()

    await alone.clock.run_for(20_000)
    await alone.get_by_text("Later").wait_for()

    assert before == 0
    assert "no stream" in await alone.locator("[data-live]").inner_text()
