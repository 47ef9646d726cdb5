"""What a task is: the config that a caller writes, checked when it is built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from framework.duration import Seconds
from framework.errors import did_you_mean
from modules.core.scheduler.fields import (
    DEFAULT_QUEUE,
    MOST,
    ExpectedBy,
    HttpUrl,
    IntervalType,
    Key,
    Prose,
    QueueName,
    Rate,
    Tag,
    TaskId,
    Text100,
)

NOT_NEGATIVE = Ge(timedelta(0))
POSITIVE = Gt(timedelta(0))
NOW = "now"
WAYS = ("schedule_time", "delay", "interval_type", "interval_value", "cron", "trigger")
TIMING = (
    *WAYS,
    "recurring",
    "timezone",
    "start_date",
    "end_date",
    "dst_gap",
    "dst_fold",
    "after_end",
    "calendars",
    "calendar_action",
)
IDENTITY = {"task_id", "key", "on_conflict", "replace_existing", "paused", "owner"}


class Status(StrEnum):
    """Where a task stands; `running` is never stored, it is shown over `pending` while an execution is open."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


def _some_time(delay: timedelta) -> timedelta:
    if not delay:
        raise ValueError("a delay is longer than nothing; schedule_time 'now' runs it at once")
    return delay


class TaskConfig(BaseModel):
    """The config of `schedule_task`. Exactly one way to say when; durations in seconds, as words or as timedelta."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)

    name: Text100
    module_id: Text100
    function_name: Text100
    description: Prose = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    task_id: TaskId | None = None
    key: Key | None = None
    on_conflict: Literal["update", "keep", "error"] = "update"
    replace_existing: bool | None = None

    schedule_time: datetime | str | None = None
    delay: Annotated[Seconds, AfterValidator(_some_time)] | None = None
    recurring: bool | None = None
    interval_type: IntervalType | None = None
    interval_value: float | None = None
    after_end: bool | None = None
    cron: Annotated[str, StringConstraints(max_length=256)] | None = None
    trigger: Any = None
    timezone: str | None = None
    start_date: datetime | str | None = None
    end_date: datetime | str | None = None
    dst_gap: Literal["shift", "skip"] | None = None
    dst_fold: Literal["first", "last", "both"] | None = None
    calendars: list[str | dict[str, str]] = Field(default_factory=list, max_length=20)
    calendar_action: Literal["skip", "move"] | None = None
    max_executions: int | None = Field(default=None, ge=1, le=MOST)

    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    timeout: Annotated[Seconds, POSITIVE] | None = None
    max_retries: int = Field(default=0, ge=0, le=1_000)
    retry_delay: Annotated[Seconds, NOT_NEGATIVE] = timedelta(seconds=10)
    retry_backoff: float = Field(default=2.0, ge=1, le=100, allow_inf_nan=False)
    retry_max_delay: Annotated[Seconds, NOT_NEGATIVE] = timedelta(hours=1)
    retry_jitter: float = Field(default=0.1, ge=0, le=1, allow_inf_nan=False)
    overlap: Literal["skip", "queue", "allow", "replace"] | None = None
    max_instances: int = Field(default=1, ge=1, le=10_000)
    max_queued: int = Field(default=1_000, ge=1, le=1_000_000)
    catch_up: Literal["latest", "all", "none"] | None = None
    catch_up_limit: int = Field(default=100, ge=1, le=10_000)
    misfire_grace_time: Annotated[Seconds, POSITIVE] | None = None
    coalesce: bool | None = None
    jitter: Annotated[Seconds, NOT_NEGATIVE] = timedelta(0)
    queue: QueueName = DEFAULT_QUEUE
    concurrency_key: Key | None = None
    rate_limit: Rate | None = None
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    executor: Literal["auto", "asyncio", "thread", "process", "dask"] | None = None
    expected_by: ExpectedBy | None = None
    ping_url: HttpUrl | None = None
    ping_failure_url: HttpUrl | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=50)
    paused: bool = False
    owner: Literal["code", "runtime"] | None = None

    @model_validator(mode="after")
    def _check_contradictions(self) -> Self:
        if problems := self._contradictions():
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> list[str]:
        problems = self._contradictions_of_time()
        if self.coalesce is not None and self.catch_up not in (None, "latest" if self.coalesce else "all"):
            problems.append(f"coalesce={self.coalesce} contradicts catch_up={self.catch_up!r}")
        if self.delivery == "at_most_once" and self.max_retries:
            problems.append("at_most_once never runs again; leave out max_retries")
        if self.concurrency_key is not None and self.overlap == "allow" and self.rate_limit is None:
            problems.append("overlap='allow' knows no limit to share; leave out concurrency_key")
        if self.concurrency_key is not None and self.overlap == "replace":
            problems.append("overlap='replace' replaces a task's own executions; leave out concurrency_key")
        if self.replace_existing is False and self.on_conflict == "update" and "on_conflict" in self.model_fields_set:
            problems.append("replace_existing=False contradicts on_conflict='update'")
        return problems

    def _contradictions_of_time(self) -> list[str]:
        ways = [name for name in ("delay", "cron", "trigger") if getattr(self, name) is not None]
        ways += ["interval_type"] if self.interval_type or self.interval_value else []
        ways += ["schedule_time"] if self.schedule_time is not None and "interval_type" not in ways else []
        problems = []
        if len(ways) != 1:
            given = " and ".join(ways) or "nothing"
            problems.append(
                f"say when in exactly one way (schedule_time, delay, interval, cron or trigger); given: {given}"
            )
        if ("interval_type" in ways) != bool(self.interval_type and self.interval_value is not None):
            problems.append("interval_type and interval_value go together")
        if self.after_end is not None and "interval_type" not in ways:
            problems.append("after_end goes with interval_type and interval_value, or into an interval trigger")
        if self.recurring and ("delay" in ways or "schedule_time" in ways):
            problems.append("recurring needs interval_type and interval_value, cron or trigger")
        if self.recurring is False and ("interval_type" in ways or "cron" in ways):
            problems.append("an interval or a cron is recurring; leave out recurring=False")
        return problems

    @property
    def conflict(self) -> str:
        """What happens when the key exists: update, keep or error."""
        if self.replace_existing is None:
            return self.on_conflict
        return "update" if self.replace_existing else ("keep" if self.on_conflict == "update" else self.on_conflict)

    def as_of(self, now: datetime) -> TaskConfig:
        """Return this config with the moment that a `schedule_time` of "now" means."""
        return self.model_copy(update={"schedule_time": now}) if self.schedule_time == NOW else self

    @property
    def when_open(self) -> str:
        """The overlap policy: by default `skip`, and `queue` for a task that shares its limit with others."""
        return self.overlap or ("skip" if self.concurrency_key is None else "queue")

    @property
    def timing(self) -> str:
        """A digest of what says when, so that the same call at every start moves nothing."""
        return _digest(self.model_dump(mode="json", include=set(TIMING), fallback=_as_text))

    @property
    def definition(self) -> str:
        """A digest of all that an edit may change."""
        return _digest(self.model_dump(mode="json", exclude=IDENTITY, fallback=_as_text))


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _as_text(value: object) -> Any:
    """A trigger value shows itself as JSON; whatever else a dict may hold, as text."""
    to_json = getattr(value, "to_json", None)
    return to_json() if to_json is not None else repr(value)


def problems_of(error: ValidationError) -> list[dict[str, str]]:
    """Return every offending field as `{"field", "message"}`, without echoing values."""
    return [
        {"field": ".".join(str(part) for part in item["loc"]) or "config", "message": _message({**item})}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _message(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return f"there is no such key{did_you_mean(str(item['loc'][-1]), TaskConfig.model_fields)}"
    return str(item["msg"].removeprefix("Value error, "))
