"""Without a mouse, and without motion for those who do not want it."""

from __future__ import annotations

from typing import Any

FOCUSED = "() => [document.activeElement.id, document.activeElement.innerText.trim()]"


async def tab_to(page: Any, wanted: str) -> None:
    """Press the tabulator until what has this id or says this has the focus."""
    for _ in range(100):
        await page.keyboard.press("Tab")
        if wanted in await page.evaluate(FOCUSED):
            return
    raise AssertionError(f"the keyboard does not reach {wanted!r}")


async def open_first_task(page: Any) -> None:
    for key in "gt":
        await page.keyboard.press(key)
    await page.wait_for_url("**/tasks")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/tasks/*")


async def test_a_task_is_found_run_paused_and_edited_by_keyboard_alone(site: Any, page: Any) -> None:
    async def work(parameters: dict[str, Any]) -> None: ...

    site.node.register("open", work, api=True)
    task_id = await site.node.add_every(60, "open", name="Export")
    await page.goto("/")

    await open_first_task(page)
    await tab_to(page, "Run now")
    await page.keyboard.press("Enter")
    await page.get_by_text("It runs now, beside its schedule.").wait_for()
    await open_first_task(page)
    await tab_to(page, "Pause")
    await page.keyboard.press("Enter")
    await page.get_by_text("Export is paused.").wait_for()
    await tab_to(page, "Edit")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Change Export").wait_for()
    await tab_to(page, "f-name")
    await page.keyboard.type("Exports")
    await tab_to(page, "Change it")
    await page.keyboard.press("Enter")
    await page.get_by_text("Exports is changed: name.").wait_for()

    task = await site.node.task(task_id)
    assert (task["name"], task["status"], await site.node.states(task_id)) == ("Exports", "paused", ["pending"])


async def test_nothing_moves_for_who_wants_no_motion(site: Any, page: Any) -> None:
    task_id = await site.node.add_every(60)
    await site.node.scheduler.execute_task(task_id)
    await page.goto(f"/tasks/{task_id}")
    moving = "document.getAnimations().length"

    usual = await page.evaluate(moving)
    await page.emulate_media(reduced_motion="reduce")

    assert (usual > 0, await page.evaluate(moving)) == (True, 0)
