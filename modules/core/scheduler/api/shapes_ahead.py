"""What answers look like, for the document: times, forecasts, findings, explanations, plans of what is declared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from modules.core.scheduler.api.shapes import Shape


class Note(Shape):
    """What is odd about a time, or a task."""

    code: str = Field(description="A stable word.")
    text: str = Field(description="A sentence.")


class Time(Shape):
    """One time of a trigger."""

    at: datetime = Field(description="In UTC.")
    local: datetime = Field(description="The same moment, to be read in the task's zone.")
    notes: list[Note] = Field(description="What is odd about it.")


class Times(Shape):
    """The next times of a trigger or config."""

    times: list[Time] = Field(description="In order; fewer where it ends.")


class TaskTimes(Times):
    """The next times of a task."""

    id: str = Field(description="The task.")
    name: str = Field(description="What people call it.")
    status: str = Field(description="Its status.")
    schedule: str = Field(description="When it runs, in words.")
    timezone: str = Field(description="Its zone.")
    notes: list[Note] = Field(description="About the task as a whole.")


class Peak(Shape):
    """How many at most."""

    running: int = Field(description="At once.")
    waiting: int = Field(description="For a slot, at once.")


class Foreseen(Shape):
    """An occurrence that is to come."""

    at: datetime = Field(description="When it is due.")
    start: datetime | None = Field(description="When it will start; null where it will not.")
    late: float = Field(description="Seconds between the two, up to the end of the time looked at.")
    seconds: float = Field(description="How long it will take.")
    task_id: str | None = Field(description="Its task; null for one that is only supposed.")
    name: str = Field(description="What people call the task.")


class Load(Shape):
    """How much there is to do at a time."""

    at: datetime = Field(description="When this part of the time begins.")
    occurrences: int = Field(description="How many are due in it.")
    running: int = Field(description="How many run at most.")
    waiting: int = Field(description="How many wait at most.")


class Busy(Peak):
    """One of the busiest moments."""

    at: datetime = Field(description="When.")


class Forecast(Shape):
    """What is to come, played on the slots there are."""

    from_: datetime = Field(alias="from", description="Now.")
    until: datetime = Field(description="As far as it reaches.")
    is_cut: bool = Field(description="Whether more than 100,000 occurrences are to come.")
    slots: int = Field(description="How many may run at once.")
    nodes: int = Field(description="How many nodes live.")
    total: int = Field(description="How many occurrences.")
    skipped: int = Field(description="How many of them will be left out, for an earlier one still runs.")
    peak: Peak = Field(description="At the worst moment.")
    use: float = Field(description="The part of the slots' time that is used.")
    late: Foreseen | None = Field(description="The one that starts the latest after its time.")
    occurrences: list[Foreseen] = Field(description="The first of them.")
    load: list[Load] = Field(description="The time in equal parts.")
    busiest: list[Busy] = Field(description="The busiest moments.")
    pile_ups: list[dict[str, Any]] = Field(description="Moments at which many are due, and what would help.")
    tasks: list[dict[str, Any]] = Field(description="What each task will take.")
    what_if: dict[str, Any] | None = Field(description="The figures `before` and `after` what was supposed.")


class Finding(Shape):
    """What about a task will surprise somebody."""

    code: str = Field(description="A stable word.")
    severity: str = Field(description="`error` or `warning`.")
    task_id: str | None = Field(description="The task.")
    task: str | None = Field(description="What people call it.")
    text: str = Field(description="What is odd.")
    advice: str = Field(description="What to do.")


class Findings(Shape):
    """What was found, worst first."""

    findings: list[Finding] = Field(description="Worst first.")
    looked_at: int = Field(description="How many tasks.")
    is_cut: bool = Field(description="Whether there are more tasks than were looked at.")


class Gate(Shape):
    """Something an execution has to pass."""

    gate: str = Field(description="Its name.")
    passes: bool | None = Field(description="Null for what does not apply, or is not recorded.")
    text: str = Field(description="A sentence.")
    details: dict[str, Any] = Field(description="The facts behind it.")


class Explanation(Shape):
    """Why something runs, ran, waits, or does not run."""

    task_id: str = Field(description="The task.")
    task_name: str = Field(description="What people call it.")
    answer: str = Field(description="In one word.")
    verdict: str = Field(description="In a sentence.")
    blocked_by: str | None = Field(description="The gate that decides.")
    gates: list[Gate] = Field(description="In order.")


class TaskExplanation(Explanation):
    """Why a task runs or not."""

    at: datetime | None = Field(description="The moment that was asked about.")


class ExecutionExplanation(Explanation):
    """Why an execution came out as it did."""

    execution_id: str = Field(description="The execution.")


class Differences(Shape):
    """The difference between what is declared and what is stored."""

    differences: list[dict[str, Any]] = Field(
        description="Each with `action`, `kind`, `module_id`, `name`, `task_id`, and `changes` by field."
    )
    counts: dict[str, int] = Field(description="How many of each action.")


class Plan(Differences):
    """The same, to be applied."""

    seen: str = Field(description="To be given when it is applied, so that nothing else is.")


class Export(Shape):
    """Tasks and cleanups as configs."""

    version: int = Field(description="Of this format.")
    exported_at: datetime = Field(description="When.")
    tasks: list[dict[str, Any]] = Field(description="Configs of tasks.")
    cleanups: list[dict[str, Any]] = Field(description="Configs of cleanups.")


class Upcoming(Shape):
    """What an order has made of a task's times."""

    task_id: str = Field(description="The task.")
    next_execution: datetime | None = Field(description="Its next time.")
    upcoming: list[datetime] = Field(description="The next few.")


class Skipped(Upcoming):
    """An occurrence that was left out."""

    scheduled_for: datetime = Field(description="Its nominal time.")
    execution_id: str = Field(description="The row that tells of it.")


class Shifted(Skipped):
    """An occurrence that starts at another time."""

    due_at: datetime = Field(description="When it starts.")


class Bounded(Upcoming):
    """A task with an end."""

    until: datetime | None = Field(description="The last moment that counts.")
    status: str = Field(description="The task's status.")


class Backfilled(Shape):
    """Occurrences of the past that are run."""

    task_id: str = Field(description="The task.")
    placed: int = Field(description="How many are run.")
    already: int = Field(description="How many ran, run or wait already.")
    executions: list[str] = Field(description="The first hundred.")
    first: datetime | None = Field(description="The first nominal time.")
    last: datetime | None = Field(description="The last one.")
    dry_run: bool = Field(description="Whether nothing was changed.")
