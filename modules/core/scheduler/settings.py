"""What an operator may tune: `CORE_SCHEDULER_*` variables or the table `["core.scheduler"]`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import AfterValidator, Field, SecretStr, ValidationError

from framework.duration import Days, Seconds
from framework.settings import ModuleSettings
from modules.core.scheduler.alert_rules import AlertRule
from modules.core.scheduler.fields import HttpUrl, QueueName
from modules.core.scheduler.task import TaskConfig, problems_of
from modules.core.scheduler.trigger.calendar_definition import checked
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.zones import zone

POSITIVE = Gt(timedelta(0))
ZoneName = Annotated[str, AfterValidator(lambda name: zone(name).key)]
CalendarDefinition = Annotated[dict[str, Any], AfterValidator(checked)]
CronText = Annotated[str, AfterValidator(lambda text: Cron(text, "UTC").expression)]


def _task(config: dict[str, Any]) -> dict[str, Any]:
    try:
        TaskConfig.model_validate(config)
    except ValidationError as error:
        problems = "; ".join(f"{each['field']}: {each['message']}" for each in problems_of(error))
        raise ValueError(f"the task {config.get('name')!r:.100} is refused: {problems}") from None
    return config


def _cleanup(config: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("module_id", "cleanup_type") if not isinstance(config.get(name), str)]
    if missing:
        raise ValueError(f"a cleanup needs {' and '.join(missing)}, each a text")
    return config


class SchedulerSettings(ModuleSettings):
    """Read once at start; a bare number means seconds, for `keep_…` days."""

    enabled: bool = Field(default=True, description="False: nothing is carried out by this process.")
    max_concurrent_tasks: int = Field(default=10, ge=1, le=10_000, description="How many executions run at once here.")
    max_concurrent_everywhere: int | None = Field(
        default=None, ge=1, description="How many executions run at once on all nodes together; by default any number."
    )
    queues: dict[QueueName, Annotated[int, Ge(0)]] = Field(
        default_factory=dict, description="Queues that this node serves, and slots for each; by default all queues."
    )
    execution_timeout: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(minutes=5), description="Time limit of an execution whose task names none."
    )
    execution_log_level: Literal["off", "debug", "info", "warning", "error"] = Field(
        default="info", description="Log lines of at least this level are kept with the execution; off: none."
    )
    execution_log_lines: int = Field(
        default=1_000, ge=20, le=100_000, description="At most so many lines of one execution, the first and the last."
    )
    execution_log_bytes: int = Field(
        default=262_144, ge=10_000, le=100_000_000, description="At most so many bytes of them."
    )
    timezone: ZoneName | None = Field(
        default=None, description="Zone of naive times and crons; by default the machine's."
    )
    calendars: dict[str, CalendarDefinition] = Field(
        default_factory=dict, description="Calendars by name, in which tasks do not run: docs/when.md."
    )
    poll_interval: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(seconds=15), description="Longest sleep between two looks at the database."
    )
    notify: bool = Field(
        default=True, description="Hear of other nodes' changes at once on PostgreSQL; polling goes on in any case."
    )
    lease: Annotated[Seconds, Gt(timedelta(seconds=1))] = Field(
        default=timedelta(minutes=1),
        description="Silence after which a node counts as dead; renewed at a quarter of it.",
    )
    crash_limit: int = Field(default=3, ge=1, description="An occurrence that kills its node so often is set aside.")
    shutdown_grace: Seconds = Field(
        default=timedelta(seconds=10),
        description="How long a stop waits for running executions before cancelling them.",
    )
    process_grace: Annotated[Seconds, Ge(timedelta(0))] = Field(
        default=timedelta(seconds=2), description="How long a process that was asked to stop has before it is killed."
    )
    processes_kept: int = Field(
        default=2, ge=0, description="Idle processes kept for the next run; 0: always a new one."
    )
    process_memory_limit: int | None = Field(
        default=None, ge=64, description="Megabytes of data that a process for functions may hold (Linux)."
    )
    dask_address: str | None = Field(
        default=None, description="Address of the Dask scheduler for executor dask, such as tcp://scheduler:8786."
    )
    alerts: tuple[AlertRule, ...] = Field(
        default=(), description="Rules of who is told what went wrong, each a table: docs/watching.md.", repr=False
    )
    heartbeat_url: HttpUrl | None = Field(
        default=None, description="Called while the loop turns, so that an outside service notices when it does not."
    )
    heartbeat_interval: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(minutes=1), description="How often heartbeat_url is called."
    )
    metrics_tasks: int = Field(
        default=200, ge=0, le=10_000, description="Tasks with a label of their own in metrics; 0: no label at all."
    )
    clock_tolerance: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(seconds=10),
        description="How far this machine's clock may be off PostgreSQL's before health turns red.",
    )
    tasks: tuple[Annotated[dict[str, Any], AfterValidator(_task)], ...] = Field(
        default=(), description="Tasks, each a table with the keys of a task config.", repr=False
    )
    cleanups: tuple[Annotated[dict[str, Any], AfterValidator(_cleanup)], ...] = Field(
        default=(), description="Cleanups, each a table with module_id, cleanup_type, and its config.", repr=False
    )
    allow_commands: bool = Field(
        default=False, description="True: tasks may run shell commands, with the rights of this process."
    )
    api_min_interval: Annotated[Seconds, Ge(timedelta(0))] = Field(
        default=timedelta(seconds=1), description="Least time between two runs of a task that is scheduled over HTTP."
    )
    api_max_tasks: int = Field(
        default=10_000, ge=0, description="How many pending and paused tasks of one token there may be."
    )
    cleanup_interval: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(hours=1), description="Interval of a cleanup that names none."
    )
    keep_execution_history: Annotated[Days, POSITIVE] = Field(
        default=timedelta(days=30), description="Age at which ended executions, done one-time tasks and reports go."
    )
    keep_succeeded: Annotated[Days, POSITIVE] | None = Field(
        default=None, description="Age at which executions that succeeded go; by default as keep_execution_history."
    )
    keep_failed: Annotated[Days, POSITIVE] | None = Field(
        default=None, description="The same for those that failed, timed out or were lost."
    )
    keep_skipped: Annotated[Days, POSITIVE] | None = Field(
        default=None, description="The same for those that were skipped, missed or cancelled."
    )
    keep_executions_per_task: int | None = Field(
        default=None, ge=1, description="Of one task and each of these three kinds, keep only the newest so many."
    )
    keep_succeeded_per_task: int | None = Field(
        default=None,
        ge=1,
        description="The same for those that succeeded alone; by default as keep_executions_per_task.",
    )
    keep_failed_per_task: int | None = Field(
        default=None, ge=1, description="The same for those that failed, timed out or were lost."
    )
    keep_skipped_per_task: int | None = Field(
        default=None, ge=1, description="The same for those that were skipped, missed or cancelled."
    )
    keep_audit: Annotated[Days, POSITIVE] = Field(
        default=timedelta(days=365), description="Age at which what operators did is forgotten."
    )
    housekeeper_schedule: CronText = Field(default="17 3 * * *", description="Cron of the history's own retention.")
    housekeeper_max_at_once: int = Field(
        default=1, ge=1, le=100, description="How many cleanups run at once, on all nodes together."
    )
    housekeeper_dry_run: bool = Field(default=False, description="True: cleanups report and delete nothing.")
    housekeeper_read_only: bool = Field(default=False, description="True: whatever would delete is refused.")
    housekeeper_preview_first: bool = Field(
        default=False, description="True: every cleanup of rows or files waits for a plan, as with preview_first."
    )
    housekeeper_max_fraction: Annotated[float, Gt(0), Le(1)] | None = Field(
        default=None, description="max_fraction of cleanups that name none, such as 0.5; by default any part may go."
    )
    housekeeper_max_deletions: int | None = Field(
        default=None, ge=1, description="max_deletions of cleanups that name none; by default any number may go."
    )
    housekeeper_max_bytes: int | None = Field(
        default=None, ge=1, description="max_bytes of cleanups that name none and know sizes; by default any may go."
    )
    housekeeper_min_left: int | None = Field(
        default=None, ge=1, description="min_left of cleanups that name none; by default nothing needs to stay."
    )
    housekeeper_owned_tables_only: bool = Field(
        default=False, description="True: rows go only from tables that their module has declared as its own."
    )
    housekeeper_allowed_roots: tuple[Path, ...] = Field(
        default=(), description="Folders below which files may be cleaned; by default the data folder."
    )
    housekeeper_pseudonym_key: Annotated[SecretStr, MinLen(16)] | None = Field(
        default=None, description="Secret of the pseudonyms of cleanups that anonymise; another one, other pseudonyms."
    )
    housekeeper_report_directory: Path | None = Field(
        default=None, description="Where each report is also written, as a JSON file."
    )
