"""All routes of the scheduler, in the order in which the document shows them."""

from __future__ import annotations

from fastapi import APIRouter

from framework.context import AppContext
from framework.web.health_routes import PREFIX as HEALTH
from framework.web.health_routes import health_router
from framework.web.paths import Paths, Posting
from modules.core.scheduler.api.about import AboutRoutes
from modules.core.scheduler.api.ahead import AheadRoutes
from modules.core.scheduler.api.cleanup_plans import CleanupPlanRoutes
from modules.core.scheduler.api.cleanups import CleanupRoutes
from modules.core.scheduler.api.executions import ExecutionRoutes
from modules.core.scheduler.api.live import LiveRoutes
from modules.core.scheduler.api.occurrences import OccurrenceRoutes
from modules.core.scheduler.api.operating import OperatingRoutes
from modules.core.scheduler.api.overview import OverviewRoutes
from modules.core.scheduler.api.remembered import Remembered
from modules.core.scheduler.api.repeated import MAY_REPEAT, REFUSALS, route_class
from modules.core.scheduler.api.statuses import STATUSES
from modules.core.scheduler.api.tasks import TaskRoutes
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.task_texts import TaskTexts


def router_of(app_context: AppContext, prefix: str) -> APIRouter:
    """Return a router with every route of the scheduler."""
    scheduler = app_context.get_service(SchedulerService)
    remembered = Remembered(app_context, scheduler)
    posting = Posting(MAY_REPEAT, REFUSALS, route_class(app_context))
    paths = Paths(prefix, STATUSES, "tasks", posting=posting)
    TaskRoutes(scheduler, TaskTexts(app_context, scheduler.functions), remembered).add_to(paths)
    OccurrenceRoutes(scheduler).add_to(paths)
    ExecutionRoutes(scheduler, remembered).add_to(paths.tagged("executions"))
    LiveRoutes(scheduler, app_context.clock).add_to(paths.tagged("live"))
    OverviewRoutes(scheduler).add_to(paths.tagged("overview"))
    AheadRoutes(scheduler).add_to(paths.tagged("ahead"))
    CleanupRoutes(scheduler).add_to(paths.tagged("cleanups"))
    CleanupPlanRoutes(scheduler).add_to(paths.tagged("cleanups"))
    OperatingRoutes(scheduler).add_to(paths.tagged("operating"))
    AboutRoutes(scheduler).add_to(paths.tagged("operating"))
    paths.router.routes.extend(health_router(app_context, f"{prefix}{HEALTH}").routes)
    return paths.router
