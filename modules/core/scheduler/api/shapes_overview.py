"""What answers look like, for the document: the overview, failures, runs, counts."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from modules.core.scheduler.api.shapes import Shape
from modules.core.scheduler.live.attention import Need


class Verdict(Shape):
    """Whether somebody has to do something."""

    kind: str = Field(description="`good`, `warn` or `bad`.")
    text: str = Field(description="The same in a sentence.")


class Counted(Shape):
    """How many there are, counted no further than a bound."""

    count: int = Field(description="How many were counted.")
    is_cut: bool = Field(description="Whether there may be more.")


class Late(Counted):
    """Tasks of which something should have begun more than a minute ago."""

    longest: float = Field(description="For how many seconds the first of them is due.")


class Wanting(Shape):
    """What needs somebody's attention."""

    need: str = Field(description=f"One of {', '.join(f'`{need}`' for need in Need)}.")
    task_id: str | None = Field(description="The task; null where it is several.")
    task: str | None = Field(description="Its name.")
    since: datetime | None = Field(description="Since when.")
    text: str = Field(description="What is the matter.")
    advice: str = Field(description="What to do about it.")
    execution_id: str | None = Field(description="The execution to look at.")


class Overview(Shape):
    """How it stands, in numbers that are bounded however much is stored."""

    verdict: Verdict = Field(description="Whether somebody has to do something.")
    tasks: Counted = Field(description="Pending tasks that have a next time.")
    due: Counted = Field(description="What is due now.")
    next_hour: Counted = Field(description="Tasks that come within an hour.")
    late: Late = Field(description="Tasks that are late by more than a minute.")
    failing: Counted = Field(description="Recurring tasks whose last run failed, within a week.")
    failed_once: Counted = Field(description="One-time tasks that failed, within a day.")
    attention: list[Wanting] = Field(description="The most pressing first, at most five of each need.")
    others: dict[str, int] = Field(description="How many more there are, by need.")
    bytes: int | None = Field(description="The size of the database.")
    kept_since: datetime | None = Field(description="When the oldest execution that is kept ended.")


class Failure(Shape):
    """Failures of one task that say the same."""

    id: str = Field(description="By which they can be ignored.")
    task_id: str = Field(description="The task.")
    task_name: str = Field(description="Its name.")
    state: str = Field(description="How the newest one ended.")
    error: str = Field(description="What it says.")
    count: int = Field(description="How many there are.")
    first: datetime = Field(description="When the first one ended.")
    last: datetime = Field(description="When the newest one ended.")
    newest: str = Field(description="The id of that execution.")
    series: list[int] = Field(description="How many in each of 24 equal steps, oldest first.")
    last_attempts: list[str] = Field(description="Up to 100 ids of executions that can be retried.")
    ignored: bool = Field(description="Whether somebody knows of it.")


class Failures(Shape):
    """What failed lately, those with the most first."""

    window: str = Field(description="`1h`, `24h` or `7d`.")
    since: datetime = Field(description="From when on it counts.")
    until: datetime = Field(description="Up to when it counts.")
    failures: list[Failure] = Field(description="Each once.")
    is_cut: bool = Field(description="Whether there are more than were looked at.")


class Ignored(Shape):
    """Until when a failure is known."""

    id: str = Field(description="The failure.")
    until: datetime | None = Field(description="It is shown again once it happens after this; null: it is shown.")


class TaskThatRan(Shape):
    """A task that runs or ran."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")


class TasksThatRan(Shape):
    """The tasks of the newest runs."""

    tasks: list[TaskThatRan] = Field(description="Each once, in no order.")
    is_cut: bool = Field(description="Whether there were more than 1,000 runs, of which the newest count.")


class Run(Shape):
    """An execution in short."""

    id: str = Field(description="Its id.")
    state: str = Field(description="Where it is.")
    scheduled_for: datetime = Field(description="Its nominal time.")
    start_time: datetime | None = Field(description="When its function began.")
    end_time: datetime | None = Field(description="When it ended.")
    duration: float | None = Field(description="For how many seconds it ran.")


class Runs(Shape):
    """What some tasks ran."""

    runs: dict[str, list[Run]] = Field(description="By the id of the task, newest first, at most 200 of each.")


class Attempt(Shape):
    """One attempt at an occurrence."""

    id: str = Field(description="The execution.")
    state: str = Field(description="Where it is.")
    attempt: int = Field(description="Counts from 1; 0 where it did not run.")
    due_at: datetime = Field(description="From when on it could start.")
    start_time: datetime | None = Field(description="When its function began.")
    end_time: datetime | None = Field(description="When it ended.")
    duration: float | None = Field(description="For how many seconds it ran.")


class Attempts(Shape):
    """The attempts at an occurrence."""

    attempts: list[Attempt] = Field(description="At most the newest 100, the first one first.")
