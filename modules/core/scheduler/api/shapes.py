"""What answers look like, for the document: tasks, executions, functions. No answer is checked against these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

NEXT_CURSOR = "Where the next page begins; null on the last one."


class Shape(BaseModel):
    """An object of which every field is there, and no other."""

    model_config = ConfigDict(extra="forbid")


class Task(Shape):
    """A task: a function, its parameters, when it runs, and how."""

    id: str = Field(description="Its id, given or made.")
    name: str = Field(description="What people call it.")
    description: str = Field(description="What it is for.")
    module_id: str = Field(description="The module whose function it runs.")
    function_name: str = Field(description="The function.")
    parameters: dict[str, Any] = Field(description="What the function is given; secret ones are `***`.")
    status: str = Field(description="`pending`, `running`, `paused`, `completed`, `failed` or `cancelled`.")
    status_reason: str | None = Field(description="Why it is paused, or ended by hand.")
    blocked_reason: str | None = Field(description="Why its open execution waits.")
    recurring: bool = Field(description="Whether it may run more than once.")
    interval_type: str | None = Field(description="The unit of a plain interval.")
    interval_value: float | None = Field(description="The number of a plain interval.")
    trigger: dict[str, Any] = Field(description="When it runs, in full.")
    schedule: str = Field(description="The same in words.")
    timezone: str = Field(description="The zone in which its times are read.")
    next_execution: datetime | None = Field(description="Its next nominal time.")
    expected_at: datetime | None = Field(description="By when a run must have succeeded, where `expected_by` says so.")
    last_execution: datetime | None = Field(description="When it last started.")
    execution_count: int = Field(description="How many occurrences have started.")
    max_executions: int | None = Field(description="How many may start.")
    last_error: str | None = Field(description="The error of the last run that failed.")
    key: str | None = Field(description="By which scheduling it again is the same task.")
    owner: str = Field(description="`code` or `runtime`.")
    priority: int = Field(description="Higher goes first.")
    queue: str = Field(description="The queue its executions wait in.")
    concurrency_key: str | None = Field(description="What it shares its limits under with others of the module.")
    overlap: str = Field(description="`skip`, `queue`, `allow` or `replace`.")
    max_instances: int = Field(description="How many may run at once.")
    delivery: str = Field(description="`at_least_once` or `at_most_once`.")
    policies: dict[str, Any] = Field(description="Timeout, retries, catch-up; durations in seconds.")
    tags: list[str] = Field(description="Words to find it by.")
    revision: int = Field(description="How often somebody has changed it; its `ETag`.")
    created_at: datetime = Field(description="When it was scheduled.")
    created_by: str | None = Field(description="The operator who scheduled it; null for what code scheduled.")
    updated_at: datetime = Field(description="When its row last changed.")


class TaskPage(Shape):
    """A page of tasks, newest first."""

    tasks: list[Task] = Field(description="The tasks.")
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class Scheduled(Shape):
    """What has become of a config."""

    task_id: str = Field(description="The task.")
    status: str = Field(description="`scheduled`.")
    created: bool = Field(description="False where the task was there already.")
    next_execution: datetime | None = Field(description="Its next time.")


class ScheduledBatch(Shape):
    """What has become of configs."""

    tasks: list[Scheduled] = Field(description="In the order of the configs.")


class Told(Shape):
    """What has become of a task."""

    task_id: str = Field(description="The task.")
    status: str = Field(description="`paused`, `resumed` or `cancelled`.")


class Begun(Shape):
    """An execution that has been ordered."""

    execution_id: str = Field(description="The execution.")
    status: str = Field(description="`running`; its row is `pending` until a node has claimed it.")


class Again(Shape):
    """An execution whose occurrence has been ordered once more."""

    id: str = Field(description="The one that failed.")
    execution_id: str = Field(description="The further attempt.")


class NotAgain(Shape):
    """An execution that was not retried."""

    id: str = Field(description="The execution.")
    code: str = Field(description="Why, as for a single one.")
    message: str = Field(description="Why, in a sentence.")


class Retried(Shape):
    """What became of each execution that was to be retried."""

    retried: list[Again] = Field(description="Those that were.")
    refused: list[NotAgain] = Field(description="Those that were not.")


class Execution(Shape):
    """One attempt to carry out an occurrence, or the record that it did not run."""

    id: str = Field(description="Its id.")
    task_id: str = Field(description="The task.")
    scheduled_for: datetime = Field(description="The nominal time of the occurrence.")
    attempt: int = Field(description="From 1; 0 for what was skipped or missed.")
    state: str = Field(
        description="`pending`, `running`; `succeeded`, `failed`, `timed_out`, `cancelled`, `lost`; `skipped`, `missed`"
    )
    reason: str | None = Field(description="Why it waits, or did not run, as a stable code.")
    origin: str = Field(description="`schedule`, `event`, `manual`, `backfill`, `shift` or `operator`.")
    queue: str = Field(description="Its queue.")
    due_at: datetime = Field(description="When it may start.")
    node_id: str | None = Field(description="The node that runs it, or has.")
    start_time: datetime | None = Field(description="When it started.")
    end_time: datetime | None = Field(description="When it ended.")
    duration: float | None = Field(description="Seconds from start to end.")
    timed_out_at: datetime | None = Field(description="When its time was up.")
    cancel_requested_at: datetime | None = Field(description="When it was asked to stop.")
    success: bool | None = Field(description="True, false, or null where neither can be said.")
    result: Any = Field(description="What the function returned.")
    error: str | None = Field(description="Why it failed, in one bounded text.")
    traceback: str | None = Field(description="Where it failed; null without the scope `operate`.")
    progress: Any = Field(description="What the function last told of its progress.")
    payload: Any = Field(description="What the event brought along.")
    missed_count: int = Field(description="How many missed occurrences it stands for.")
    missed_since: datetime | None = Field(description="The first of them.")
    retries_used: int = Field(description="How many retries came before it.")
    crashes: int = Field(description="How many attempts took their node along.")
    cpu_seconds: float | None = Field(description="Processor time, where it ran in a process of its own.")
    memory_bytes: int | None = Field(description="Memory at most, where it ran in a process of its own.")
    trace_session_id: str | None = Field(description="The session of the application that ran it.")
    created_at: datetime = Field(description="When its row was made.")


class ListedExecution(Execution):
    """An execution in a list."""

    task_name: str = Field(description="What people call the task.")


class ExecutionPage(Shape):
    """A page of executions, newest first."""

    executions: list[ListedExecution] = Field(description="The executions.")
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class Function(Shape):
    """A function that tasks may run."""

    module_id: str = Field(description="The module that registered it.")
    function_name: str = Field(description="Its name within the module.")
    description: str = Field(description="What it does.")
    api: bool = Field(description="Whether it may be scheduled from outside.")
    parameters: dict[str, Any] = Field(description="The JSON schema of its parameters.")


class Functions(Shape):
    """All functions."""

    functions: list[Function] = Field(description="By module and name.")
