"""The pages in a real browser: under the policy, with keys, live, and without a script."""

from __future__ import annotations

from typing import Any

HOSTILE = "<img src=x onerror=alert(1)>"


async def test_every_page_opens_without_a_complaint_even_with_hostile_names(site: Any, page: Any) -> None:
    task_id = await site.node.add_every(60, name=HOSTILE)
    await site.node.pass_time(60)
    (row,) = await site.node.history(task_id)

    for path in ("/", "/tasks", f"/tasks/{task_id}", "/executions", f"/executions/{row['id']}"):
        await page.goto(path)
        assert await page.locator("h1").count() == 1

    await page.goto("/tasks")
    assert await page.get_by_text(HOSTILE).count() == 1


async def test_a_task_is_paused_by_a_click_and_the_page_says_so(site: Any, page: Any) -> None:
    task_id = await site.node.add_every(60, name="Export")
    await page.goto(f"/tasks/{task_id}")

    await page.get_by_role("button", name="Pause").click()
    await page.get_by_text("Export is paused.").wait_for()

    assert (await site.node.task(task_id))["status"] == "paused"
    assert await page.get_by_role("button", name="Resume").count() == 1


async def test_what_cannot_be_undone_asks_first(site: Any, page: Any) -> None:
    task_id = await site.node.add_every(60)
    asked: list[str] = []

    async def refuse(dialog: Any) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", refuse)
    await page.goto(f"/tasks/{task_id}")

    await page.get_by_role("button", name="Cancel").click()

    assert asked == ["Cancel this task for good? Its history stays."]
    assert (await site.node.task(task_id))["status"] == "pending"


async def test_keys_lead_everywhere(site: Any, page: Any) -> None:
    await site.node.add_every(60, name="Export")
    await page.goto("/")

    for keys, path in (("gt", "/tasks"), ("ge", "/executions"), ("go", "/"), ("gt", "/tasks")):
        for key in keys:
            await page.keyboard.press(key)
        await page.wait_for_url(f"**{path}")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="note").or_(page.get_by_role("heading", level=1)).wait_for()
    await page.wait_for_url("**/tasks/*")
    await page.keyboard.press("t")

    assert await page.locator("html").get_attribute("data-theme") == "light"


async def test_a_page_keeps_itself_up_to_date_until_it_is_told_not_to(site: Any, page: Any) -> None:
    await page.goto("/tasks")
    await site.node.add_every(60, name="Later than the page")

    await page.keyboard.press("r")
    await page.get_by_text("Later than the page").wait_for()
    await page.keyboard.press("p")

    assert await page.locator("[data-live]").get_attribute("aria-pressed") == "false"


async def test_a_moment_is_told_by_the_clock_of_the_reader_too(site: Any, browser: Any) -> None:
    await site.node.add_every(60)
    context = await browser.new_context(base_url=site.url, timezone_id="Asia/Tokyo")
    page = await context.new_page()
    await page.goto("/tasks")

    told = await page.locator("main time").first.get_attribute("title")
    await context.close()

    assert ("UTC" in told, told.endswith("(Asia/Tokyo, here)")) == (True, True)


async def test_moments_are_told_from_now_or_exactly_in_three_zones(site: Any, browser: Any) -> None:
    await site.node.add(cron="0 9 * * *", timezone="America/New_York")
    context = await browser.new_context(base_url=site.url, timezone_id="Asia/Tokyo")
    page = await context.new_page()
    await page.goto("/tasks")
    told = []
    for _ in range(4):
        told.append(await page.locator("main time").first.inner_text())
        await page.keyboard.press("z")
    await page.get_by_role("button", name="times: relative").click()
    await page.reload()
    kept = await page.locator("main time").first.inner_text()
    await context.close()

    hours = ["14:00:00 UTC" in told[2], "23:00:00 GMT+9" in told[3]]
    assert (told[0].split()[0] in ("in", "now") or told[0].endswith("ago"), "09:00:00 GMT-5" in told[1]) == (True, True)
    assert (hours, kept) == ([True, True], told[1])


async def test_without_a_script_everything_works_by_links_and_forms(site: Any, browser: Any) -> None:
    task_id = await site.node.add_every(60, name="Export")
    context = await browser.new_context(base_url=site.url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")

    await page.get_by_role("link", name="Tasks").click()
    await page.get_by_role("link", name="Export").click()
    await page.get_by_role("button", name="Run now").click()
    heading = await page.locator("h1").inner_text()
    await context.close()

    assert "pending" in heading
    assert await site.node.states(task_id) == ["pending"]
