"""Housekeeping: what may be deleted, what was, what would be, and the brake."""

from __future__ import annotations

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.freezing import CLEANUPS

REPORTS, DAYS = 20, 30


def add(desk: Desk) -> None:
    """Add the screens and their actions."""

    @desk.screen("/cleanups", "cleanups.html")
    async def cleanups(_: Request) -> Values:
        held = (await desk.scheduler.status()).unwrap()["paused"]
        return {
            "screen": "cleanups",
            "cleanups": (await desk.scheduler.list_cleanups()).unwrap(),
            "frozen": next((each for each in held if each["scope"] == CLEANUPS), None),
        }

    @desk.screen("/cleanups/{cleanup_id}", "cleanup.html")
    async def cleanup(request: Request) -> Values:
        cleanup_id = str(request.path_params["cleanup_id"])
        found = (await desk.scheduler.get_cleanup(cleanup_id)).unwrap()
        return {
            "screen": "cleanups",
            "cleanup": found,
            "reports": (await desk.scheduler.cleanup_reports(cleanup_id, limit=REPORTS)).unwrap()["reports"],
            "trend": (await desk.scheduler.cleanup_trend(cleanup_id, days=DAYS)).unwrap(),
        }

    @desk.screen("/plans/{plan_id}", "plan.html")
    async def plan(request: Request) -> Values:
        found = (await desk.scheduler.cleanup_plan(str(request.path_params["plan_id"]))).unwrap()
        return {"screen": "cleanups", "plan": found}

    _add_actions(desk)


def _add_actions(desk: Desk) -> None:
    @desk.action("/cleanups/{cleanup_id}/preview", scope=Scope.OPERATE)
    async def preview_cleanup(request: Request, _: Form) -> tuple[str, str | None]:
        found = (await desk.scheduler.preview_cleanup(str(request.path_params["cleanup_id"]))).unwrap()
        return "Counted; nothing was deleted.", desk.path(request, f"/plans/{found['plan_id']}")

    @desk.action("/plans/{plan_id}/apply", scope=Scope.ADMIN)
    async def apply_plan(request: Request, _: Form) -> tuple[str, str | None]:
        plan = (await desk.scheduler.cleanup_plan(str(request.path_params["plan_id"]))).unwrap()
        done = (await desk.scheduler.apply_cleanup(plan["plan_id"])).unwrap()
        said = f"Done: {done['report']['matched']:,} {'rows' if plan['rows'] else 'files'}."
        return said, desk.path(request, f"/cleanups/{plan['cleanup_id']}")

    @desk.action("/cleanups/{cleanup_id}/enable", scope=Scope.ADMIN)
    async def enable_cleanup(request: Request, form: Form) -> tuple[str, str | None]:
        enabled = form.get("enabled") == "yes"
        (await desk.scheduler.update_cleanup(str(request.path_params["cleanup_id"]), {"enabled": enabled})).unwrap()
        return "It runs at its times again." if enabled else "It does not run until it is switched on again.", None

    @desk.action("/freeze", scope=Scope.ADMIN)
    async def freeze(_: Request, form: Form) -> tuple[str, str | None]:
        (await desk.scheduler.freeze_cleanups(form.get("reason") or None)).unwrap()
        return "Cleanups are frozen: nothing deletes, on any node.", None

    @desk.action("/unfreeze", scope=Scope.ADMIN)
    async def unfreeze(_: Request, __: Form) -> tuple[str, str | None]:
        (await desk.scheduler.unfreeze_cleanups()).unwrap()
        return "Cleanups delete again.", None
