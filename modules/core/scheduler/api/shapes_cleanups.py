"""What answers look like, for the document: cleanups, their reports, plans and archives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from modules.core.scheduler.api.shapes import NEXT_CURSOR, Shape


class Cleanup(Shape):
    """A retention policy."""

    id: str = Field(description="Its id.")
    module_id: str = Field(description="Whose it is.")
    cleanup_type: str = Field(description="Its name within the module.")
    config: dict[str, Any] = Field(description="The policy; secret parameters are `***`.")
    enabled: bool = Field(description="Whether it runs by itself.")
    priority: int = Field(description="Higher goes first.")
    last_run: datetime | None = Field(description="When it last ran.")
    next_run: datetime | None = Field(description="When it runs next.")
    task_id: str = Field(description="The task that runs it.")
    awaits_preview: bool = Field(description="Whether it deletes nothing until somebody has confirmed a preview.")


class Cleanups(Shape):
    """All cleanups."""

    cleanups: list[Cleanup] = Field(description="In the order in which they would run.")


class Registered(Shape):
    """A cleanup that was registered."""

    cleanup_id: str = Field(description="The cleanup.")
    task_id: str = Field(description="The task that runs it.")
    created: bool = Field(description="False where it was there already.")
    warnings: list[dict[str, str]] = Field(
        description="What is slow, unseen or left behind: `field`, `message`, `severity`."
    )


class Removed(Shape):
    """A cleanup that is gone."""

    cleanup_id: str = Field(description="The cleanup.")
    status: str = Field(description="`removed`.")
    warnings: list[dict[str, str]] = Field(description="What nobody looks after now: `field`, `message`, `severity`.")


class Report(Shape):
    """What a run did, or would have done."""

    kind: str = Field(description="`rows`, `files`, `function`, or `total` for a sum.")
    success: bool = Field(description="Whether nothing failed.")
    dry_run: bool = Field(description="Whether nothing was deleted.")
    started_at: datetime = Field(description="When it began.")
    ended_at: datetime | None = Field(description="When it ended.")
    seconds: float | None = Field(description="How long it took.")
    examined: int = Field(description="Rows or files looked at.")
    matched: int = Field(description="How many the rules condemned.")
    deleted: int = Field(description="How many went.")
    bytes: int = Field(description="Size of the files, or of rows whose size a column tells.")
    freed_bytes: int = Field(description="What the disk or the database file got back.")
    batches: int = Field(description="Transactions that deleted.")
    kept: dict[str, int] = Field(description="Why something was kept, and how often.")
    done: dict[str, int] = Field(description="What was done beside or instead of deleting.")
    cascades: dict[str, int] = Field(description="Rows of other tables that went along.")
    skipped: dict[str, int] = Field(description="What could not be judged.")
    oldest: str | None = Field(description="Of what was matched.")
    newest: str | None = Field(description="Of what was matched.")
    samples: list[str] = Field(description="Some of what was matched.")
    code: str | None = Field(description="Why the run was refused or broken off.")
    errors: list[str] = Field(description="The first errors.")
    error_count: int = Field(description="All errors.")
    note: str | None = Field(description="What else is to be said.")
    cursor: str | None = Field(description="Where the next run goes on.")


class CleanupReport(Report):
    """The report of one cleanup."""

    cleanup_id: str = Field(description="The cleanup.")
    module_id: str = Field(description="Whose it is.")
    cleanup_type: str = Field(description="Its name within the module.")


class Run(Shape):
    """What a run of cleanups did."""

    reports: list[CleanupReport] = Field(description="One for each cleanup.")
    total: Report = Field(description="Their sum.")


class KeptReport(Report):
    """A report that is kept."""

    id: str = Field(description="Its id.")
    cleanup_id: str = Field(description="The cleanup, perhaps one that is gone.")
    cleanup_type: str = Field(description="Its name within the module.")


class ReportPage(Shape):
    """A page of reports, newest first."""

    reports: list[KeptReport] = Field(description="The reports.")
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class Sums(Shape):
    """What runs came to."""

    runs: int = Field(description="Runs that could delete.")
    dry_runs: int = Field(description="Runs that could not.")
    failures: int = Field(description="Runs that failed.")
    matched: int = Field(description="How many the rules condemned.")
    deleted: int = Field(description="How many went.")
    bytes: int = Field(description="Size of the files, or of rows whose size a column tells.")
    freed_bytes: int = Field(description="What was got back.")
    seconds: float = Field(description="How long it took.")


class Day(Sums):
    """The same of one day."""

    day: str = Field(description="YYYY-MM-DD, in UTC.")


class Trend(Shape):
    """What the runs of a cleanup came to, day by day."""

    cleanup_id: str = Field(description="The cleanup.")
    days: list[Day] = Field(description="Oldest first, today among them.")
    total: Sums = Field(description="Their sum.")


class Compliant(Shape):
    """Whether anything is older than a cleanup allows."""

    cleanup_id: str = Field(description="The cleanup.")
    module_id: str = Field(description="Whose it is.")
    cleanup_type: str = Field(description="Its name within the module.")
    compliant: bool | None = Field(description="Null where it is not known.")
    oldest: datetime | None = Field(description="What is oldest.")
    limit: float | None = Field(description="Seconds that are allowed; null for an expiry.")
    says: str = Field(description="A sentence.")
    checked_at: datetime = Field(description="When it was looked at.")


class Compliance(Shape):
    """The same of all cleanups by age."""

    cleanups: list[Compliant] = Field(description="Those that have been looked at.")


class Frozen(Shape):
    """Whether anything may delete."""

    frozen: bool = Field(description="Whether nothing may.")
    since: datetime | None = Field(description="Since when.")
    reason: str | None = Field(description="Why.")


class Archives(Shape):
    """What a cleanup has kept of what it deleted."""

    archives: list[dict[str, Any]] = Field(description="Oldest first, each with `archive`, its name.")


class Restored(Shape):
    """What came back."""

    cleanup_id: str = Field(description="The cleanup.")
    archive: str | None = Field(description="The archive.")
    dry_run: bool = Field(description="Whether nothing was changed.")
    restored: int = Field(description="How many came back.")
    existing: int = Field(description="How many were left alone, for there is one.")


class CleanupPlan(Shape):
    """What a run would take, counted, to be looked at and then applied as it was seen."""

    plan_id: str = Field(description="Its id.")
    cleanup_id: str = Field(description="The cleanup.")
    module_id: str | None = Field(description="Whose it is; null where the cleanup is gone.")
    cleanup_type: str | None = Field(description="Its name within the module.")
    planned_at: datetime = Field(description="As of when it was counted.")
    valid_until: datetime = Field(description="Until when it can be applied.")
    applied_at: datetime | None = Field(description="When it was.")
    action: str = Field(description="What would be done: `delete`, `archive` and so on.")
    kind: str = Field(description="`rows` or `files`.")
    rows: dict[str, int] = Field(description="Rows, by table.")
    files: int = Field(description="Files.")
    matched: int = Field(description="How many the rules condemn.")
    bytes: int = Field(description="Size of the files, or of rows whose size a column tells.")
    freed_bytes_estimate: int = Field(description="What would be got back.")
    oldest: str | None = Field(description="Of what is matched.")
    newest: str | None = Field(description="Of what is matched.")
    samples: list[str] = Field(description="Some of it.")
    kept: dict[str, int] = Field(description="Why something is kept, and how often.")
    done: dict[str, int] = Field(description="What would be done beside or instead of deleting.")
    skipped: dict[str, int] = Field(description="What cannot be judged.")
    population: int | None = Field(description="Rows or files in all.")
    guards: list[str] = Field(description="A sentence for each guard that a run would break.")
    seconds_estimate: float | None = Field(description="How long it would take.")
    awaits_preview: bool = Field(description="Whether the cleanup deletes nothing until a plan is confirmed.")


class AppliedPlan(Shape):
    """What came of a plan."""

    plan_id: str = Field(description="The plan.")
    report: CleanupReport = Field(description="What was done.")
