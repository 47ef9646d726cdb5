"""The freeze: nothing that deletes goes on until an operator lifts it; stored, so that it outlives every process."""

from __future__ import annotations

from sqlalchemy import Connection

from framework.result import Error, ResultError
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import nodes

CLEANUPS = "cleanups:*"  # in the table of what is held back; no module and no queue can be called so


def standstill(c: Connection, settings: SchedulerSettings) -> Error | None:
    """Return why nothing may be deleted now, `CLEANUPS_READ_ONLY` or `CLEANUPS_FROZEN`, or None."""
    if settings.housekeeper_read_only:
        return Error("CLEANUPS_READ_ONLY", "the setting housekeeper_read_only refuses everything that deletes")
    held = next((row for row in nodes.held(c) if row.scope == CLEANUPS), None)
    if held is None:
        return None
    why = "" if held.reason is None else f": {held.reason}"
    since = held.since.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Error("CLEANUPS_FROZEN", f"cleanups are frozen since {since}{why}")


def refuse_standstill(c: Connection, settings: SchedulerSettings) -> None:
    """Raise `ResultError` where nothing may be deleted now."""
    error = standstill(c, settings)
    if error is not None:
        raise ResultError(error)
