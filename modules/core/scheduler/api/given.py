"""What requests give: parameters of paths and queries, and bodies, which know no key that is not named here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.task import TaskConfig

DURATION = {"anyOf": [{"type": "number"}, {"type": "string"}], "description": 'Seconds, or words: "5m", "1 hour".'}

TaskId = Annotated[str, Path(description="The id of a task.")]
ExecutionId = Annotated[str, Path(description="The id of an execution.")]
CleanupId = Annotated[str, Path(description="The id of a cleanup.")]
PlanId = Annotated[str, Path(description="The id of a plan, as a preview of a cleanup gives it.")]
Limit = Annotated[
    int, Query(description="Rows of a page.", json_schema_extra={"minimum": 1, "maximum": MAX_LIMIT, "default": 50})
]
Cursor = Annotated[str | None, Query(description="Where the page begins: the `next_cursor` of the one before.")]
ModuleId = Annotated[str | None, Query(description="Only those of this module.")]
Count = Annotated[int, Query(description="How many times.", ge=1, le=1000)]
Reason = Annotated[str | None, Field(description="Why; it is shown wherever the thing is shown.")]
MomentText = Annotated[str, Field(description="ISO 8601; without an offset it is read in the task's zone.")]


def _config_schema() -> dict[str, Any]:
    """Return the schema of a task's config as JSON may say it: durations as numbers or words."""
    schema = TaskConfig.model_json_schema()
    for field in schema["properties"].values():
        each = field.get("anyOf", [field])
        if any(option.get("format") == "duration" for option in each):
            options = [*DURATION["anyOf"], *([{"type": "null"}] if "anyOf" in field else [])]
            default = {"default": None} if field.get("default", 0) is None else {}
            field.clear()
            field.update(DURATION, anyOf=options, **default)
    return schema


CONFIG = _config_schema()
CHANGES = {
    "type": "object",
    "description": "The keys of a config that are to change; the others stay.",
    "properties": CONFIG["properties"],
    "additionalProperties": False,
}
Config = Annotated[dict[str, Any], WithJsonSchema(CONFIG)]
Changes = Annotated[dict[str, Any], Body(), WithJsonSchema(CHANGES)]


class Given(BaseModel):
    """A body; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid")


class Pause(Given):
    """Why something is paused."""

    reason: Reason = None


class QueueChanges(Given):
    """What of a queue is to change."""

    limit: int | None = Field(
        description="How many of it may run at once, on all nodes together; null: no limit.", ge=1, le=100_000
    )


class Batch(Given):
    """Tasks to schedule, all or none."""

    tasks: list[Config] = Field(description="Configs of tasks.", min_length=1, max_length=1000)


class Retry(Given):
    """Executions to retry."""

    execution_ids: list[str] = Field(description="Their ids.", min_length=1, max_length=MAX_LIMIT)


class Backfill(Given):
    """Which occurrences of the past to run."""

    start: MomentText
    end: MomentText
    dry_run: bool = Field(default=False, description="Only say what would be run.")


class SkipNext(Given):
    """Which occurrence to leave out."""

    scheduled_for: MomentText | None = Field(default=None, description="Its nominal time, to make it safe to repeat.")
    reason: Reason = None


class ShiftNext(Given):
    """Which occurrence to move, and where to."""

    to: MomentText
    scheduled_for: MomentText | None = Field(default=None, description="Its nominal time, to make it safe to repeat.")


class RunUntil(Given):
    """When a task ends."""

    until: MomentText | None = Field(description="The last moment that counts; null takes the end away.")


class Preview(Given):
    """A trigger, or a config, whose times are wanted."""

    trigger: dict[str, Any] | str | None = Field(default=None, description="A trigger as a dict, or a cron expression.")
    config: dict[str, Any] | None = Field(default=None, description="A config, or as much of it as says when.")
    count: int = Field(default=5, ge=1, le=1000, description="How many times.")


class WhatIf(Given):
    """What to suppose while looking ahead."""

    hours: float = Field(default=24, description="How far to look.", json_schema_extra={"minimum": 0})
    limit: int = Field(default=500, ge=1, le=10_000, description="How many occurrences are listed.")
    what_if: list[dict[str, Any]] = Field(
        default=[],
        max_length=1000,
        description='`{"task": id, …}` with keys of a config or `"remove": true`, or a config to add.',
    )


class Apply(Given):
    """Which plan to apply."""

    seen: str | None = Field(default=None, description="The `seen` of the plan that was looked at.")


class Import(Given):
    """Tasks and cleanups, as an export has them."""

    tasks: list[dict[str, Any]] = Field(default=[], max_length=10_000, description="Configs of tasks.")
    cleanups: list[dict[str, Any]] = Field(default=[], max_length=1_000, description="Configs of cleanups.")
    dry_run: bool = Field(default=False, description="Only say what would change.")


class Ignore(Given):
    """Until when a failure is known."""

    until: MomentText | None = Field(description="It is shown again once it happens after this; null shows it now.")


class RunsOf(Given):
    """Whose runs are wanted."""

    task_ids: list[str] = Field(description="Ids of tasks.", max_length=100)
    since: AwareDatetime = Field(description="Only runs scheduled at this moment or later.")


class Emit(Given):
    """An event that has happened."""

    event: str = Field(description="Its name; those that begin with `task.` are the scheduler's own.", max_length=1000)
    payload: dict[str, Any] | None = Field(default=None, description="What the functions are given with it.")


class Hold(Given):
    """What is paused, or goes on."""

    module_id: str | None = Field(default=None, description="Only the tasks of this module.", max_length=1000)
    reason: Reason = None


class Release(Given):
    """What goes on."""

    module_id: str | None = Field(default=None, description="Only the tasks of this module.", max_length=1000)


class Drain(Given):
    """Whether a node claims."""

    undo: bool = Field(default=False, description="Claim again.")


class RegisterCleanup(Given):
    """A cleanup to register; the same module and type again updates it."""

    module_id: str = Field(description="Whose cleanup it is.")
    cleanup_type: str = Field(description="Its name within the module.")
    config: dict[str, Any] = Field(description="The policy.")


class RunCleanup(Given):
    """How a cleanup is run."""

    dry_run: bool = Field(default=False, description="Delete nothing, and count.")


class RunCleanups(RunCleanup):
    """Which cleanups are run."""

    cleanup_type: str | None = Field(default=None, description="Only those of this type.")
    module_id: str | None = Field(default=None, description="Only those of this module.")


class Restore(Given):
    """What is brought back."""

    archive: str | None = Field(default=None, description="Which archive; may be left out where there is only one.")
    path: str | None = Field(default=None, description="Only this file, by its absolute path.")
    dry_run: bool = Field(default=False, description="Only count.")


class ApplyPlan(Given):
    """How a plan of a cleanup is applied."""

    tolerance: float = Field(default=0.05, description="By what part the numbers may have moved.", ge=0, le=1)
