"""What is asked of cleanups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.result import Result
from modules.core.scheduler.client.wire import Wire

Answer = Result[dict[str, Any]]
Listing = Result[list[dict[str, Any]]]
PATIENCE = 3_600.0  # seconds that a server may take over rows and files


class OfCleanups:
    """The methods about cleanups: named, given and answered as those of `SchedulerService`."""

    wire: Wire

    async def list_cleanups(self, *, module_id: str | None = None) -> Listing:
        """Return the cleanups, in the order in which they would run."""
        listed = await self.wire.ask("GET", "cleanups", query={"module_id": module_id})
        return listed.map(lambda data: data["cleanups"])

    async def register_cleanup_task(self, module_id: str, cleanup_type: str, config: Mapping[str, Any]) -> Answer:
        """Register a cleanup; the same module and type again updates it."""
        body = {"module_id": module_id, "cleanup_type": cleanup_type, "config": dict(config)}
        return await self.wire.ask("POST", "cleanups", body=body)

    async def update_cleanup(self, cleanup_id: str, changes: Mapping[str, Any]) -> Answer:
        """Change fields of a cleanup's config, or `enabled`; return it."""
        return await self.wire.ask("PATCH", "cleanups", cleanup_id, body=changes)

    async def remove_cleanup(self, cleanup_id: str) -> Answer:
        """Remove a cleanup; its reports stay."""
        return await self.wire.ask("DELETE", "cleanups", cleanup_id)

    async def run_cleanup(
        self, cleanup_type: str | None = None, dry_run: bool = False, *, module_id: str | None = None
    ) -> Answer:
        """Run all cleanups, or those of one type or module, there and now."""
        body = {"cleanup_type": cleanup_type, "dry_run": dry_run, "module_id": module_id}
        return await self.wire.ask("POST", "cleanups", "run", body=body, seconds=PATIENCE)

    async def preview_cleanup(self, cleanup_id: str) -> Answer:
        """Count exactly what a run would take, and keep that as a plan."""
        return await self.wire.ask("POST", "cleanups", cleanup_id, "preview", seconds=PATIENCE)

    async def cleanup_plan(self, plan_id: str) -> Answer:
        """Return a plan."""
        return await self.wire.ask("GET", "cleanup-plans", plan_id)

    async def confirm_cleanup(self, plan_id: str) -> Answer:
        """Say that a policy may delete by itself from now on."""
        return await self.wire.ask("POST", "cleanup-plans", plan_id, "confirm")

    async def apply_cleanup(self, plan_id: str, tolerance: float = 0.05) -> Answer:
        """Carry a plan out, at most once."""
        body = {"tolerance": tolerance}
        return await self.wire.ask("POST", "cleanup-plans", plan_id, "apply", body=body, seconds=PATIENCE)

    async def list_archives(self, cleanup_id: str) -> Listing:
        """List what a cleanup has kept of what it took."""
        listed = await self.wire.ask("GET", "cleanups", cleanup_id, "archives")
        return listed.map(lambda data: data["archives"])

    async def restore_cleanup(
        self, cleanup_id: str, archive: str | None = None, *, dry_run: bool = False, path: str | None = None
    ) -> Answer:
        """Bring back what an archive holds, or one file of it."""
        body = {"archive": archive, "dry_run": dry_run, "path": path}
        return await self.wire.ask("POST", "cleanups", cleanup_id, "restore", body=body, seconds=PATIENCE)

    async def freeze_cleanups(self, reason: str | None = None) -> Answer:
        """Let nothing delete, on any node."""
        return await self.wire.ask("POST", "cleanups", "freeze", body={"reason": reason})

    async def unfreeze_cleanups(self) -> Answer:
        """Let cleanups delete again."""
        return await self.wire.ask("POST", "cleanups", "unfreeze")

    async def cleanup_reports(
        self, cleanup_id: str | None = None, *, limit: int = 20, cursor: str | None = None
    ) -> Answer:
        """Return `{"reports", "next_cursor"}`, newest first, of one cleanup or of all."""
        path = ("cleanups", "reports") if cleanup_id is None else ("cleanups", cleanup_id, "reports")
        return await self.wire.ask("GET", *path, query={"limit": limit, "cursor": cursor})

    async def cleanup_trend(self, cleanup_id: str, days: int = 30) -> Answer:
        """Return what the runs of a cleanup came to on each of the last days."""
        return await self.wire.ask("GET", "cleanups", cleanup_id, "trend", query={"days": days})

    async def cleanup_compliance(self) -> Listing:
        """Look now whether anything is older than its cleanup allows."""
        checked = await self.wire.ask("POST", "cleanups", "compliance", seconds=PATIENCE)
        return checked.map(lambda data: data["cleanups"])
