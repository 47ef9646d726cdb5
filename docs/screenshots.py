"""Pictures of the dashboard for these pages, made from two made-up days: `make screenshots`."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from framework import AppContext, Application
from framework.testing import FakeClock
from framework.web.serving import serving
from framework.web.sockets import listen
from modules.core.scheduler import SchedulerService

FOLDER = Path(__file__).parent / "pictures"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
SIZE = {"width": 1280, "height": 860}
HOURS, STEP = 30, 300  # of the made-up past, and the seconds between two looks at what is due
CHOSEN = {"overview": "/", "tasks": "/tasks", "failures": "/failures", "timeline": "/timeline"}


async def main() -> None:
    """Make all pictures anew."""
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as data:
        settings = {"framework": {"data_dir": data}, "core.scheduler": {"enabled": False, "timezone": "UTC"}}
        async with Application(modules=["core.scheduler"], settings=settings, clock=clock) as app_context:
            shown = await live_through(app_context, clock)
            async with serving(app_context, listen("127.0.0.1", 0)) as url:
                await take(url, CHOSEN | {"task": f"/tasks/{shown}"}, clock)


async def live_through(app_context: AppContext, clock: FakeClock) -> str:
    """Let a small company's tasks run for a while; return the id of one that is worth a closer look."""
    scheduler, dice = app_context.get_service(SchedulerService), random.Random(7)  # noqa: S311  # the same pictures each time

    def lasting(name: str, seconds: float, failing: float = 0.0, says: str = "") -> None:
        async def work() -> dict[str, int]:
            clock.advance(seconds * dice.uniform(0.6, 1.8))
            if dice.random() < failing:
                raise ConnectionError(says)
            return {"rows": dice.randrange(100, 9_000)}

        scheduler.register_function("acme.shop", name, work, description=f"{name.replace('_', ' ').capitalize()}.")

    lasting("export_orders", 3, 0.04, "the warehouse did not answer within 5 s")
    lasting("sync_prices", 1.2)
    lasting("send_reminders", 9, 0.02, "421 too many connections from 10.0.4.17")
    lasting("nightly_report", 41)
    lasting("charge_cards", 2, 0.45, "the payment gateway said 503 Service Unavailable")
    made = [
        await _scheduled(scheduler, "Export orders", "export_orders", cron="*/15 * * * *", tags=["orders"]),
        await _scheduled(scheduler, "Sync prices", "sync_prices", cron="*/5 * * * *", tags=["prices"]),
        await _scheduled(scheduler, "Send reminders", "send_reminders", cron="0 * * * *", tags=["mail"]),
        await _scheduled(scheduler, "Nightly report", "nightly_report", cron="30 2 * * *", timezone="Europe/Berlin"),
        await _scheduled(scheduler, "Charge cards", "charge_cards", cron="20 */2 * * *", tags=["orders", "money"]),
        await _scheduled(scheduler, "Quarter end", "nightly_report", cron="0 18 L 3,6,9,12 *", tags=["money"]),
    ]
    await scheduler.pause_task(made[2], "the mail server moves")
    for _ in range(HOURS * 3600 // STEP):
        clock.advance(STEP)
        await scheduler.run_due()
    return made[0]


async def _scheduled(scheduler: SchedulerService, name: str, function: str, **config: Any) -> str:
    task = {"name": name, "module_id": "acme.shop", "function_name": function, **config}
    return str((await scheduler.schedule_task(task)).unwrap()["task_id"])


async def take(url: str, pages: dict[str, str], clock: FakeClock) -> None:
    """Write each page as a picture, light and dark; a page that there is not is left out."""
    FOLDER.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=BROWSER, args=QUIET.split())
        for theme in ("light", "dark"):
            context = await chromium.new_context(base_url=url, viewport=SIZE, color_scheme=theme)  # type: ignore[arg-type]
            page = await context.new_page()
            await page.clock.set_fixed_time(clock.now())
            for name, path in pages.items():
                answer = await page.goto(path)
                while await page.get_by_text("being worked out").count():
                    await page.goto(path)
                if answer is not None and answer.ok:
                    await page.screenshot(path=FOLDER / f"{name}-{theme}.png")
        await chromium.close()


if __name__ == "__main__":
    asyncio.run(main())
