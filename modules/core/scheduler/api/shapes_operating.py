"""What answers look like, for the document: nodes, queues, calendars, events, what is going on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from modules.core.scheduler.api.shapes import NEXT_CURSOR, Shape


class NodeInStatus(Shape):
    """One running process."""

    id: str = Field(description="New at every start.")
    host: str = Field(description="The machine.")
    pid: int = Field(description="The process.")
    version: str | None = Field(description="The version that it runs.")
    version_differs: bool = Field(description="Whether most others run another one.")
    alive: bool = Field(description="Whether its lease holds.")
    draining_since: datetime | None = Field(description="Since when it claims nothing more.")
    running: int = Field(description="How many executions it runs.")
    slots: int | None = Field(description="How many it may run at once.")
    queues: dict[str, int] = Field(description="The slots of each queue that it serves; empty where it serves all.")
    functions: int = Field(description="How many functions it has.")
    clock_offset: float | None = Field(description="Seconds by which its machine's clock is ahead of the database's.")
    started_at: datetime = Field(description="When it started.")
    lease_until: datetime | None = Field(description="Until when its executions are its own.")


class Node(NodeInStatus):
    """The same in full."""

    functions: list[str] = Field(description="Its functions, `module_id:function_name`.")  # type: ignore[assignment]  # a number in the status


class Nodes(Shape):
    """All nodes."""

    nodes: list[Node] = Field(description="Oldest first.")


class Queue(Shape):
    """A queue."""

    name: str = Field(description="Its name.")
    ready: int = Field(description="How many executions can start.")
    later: int = Field(description="How many wait for a time.")
    held: int = Field(description="How many are held back one by one.")
    is_cut: bool = Field(description="Whether more may wait: no more than 10,000 are counted.")
    running: int = Field(description="How many run.")
    limit: int | None = Field(description="How many of it may run at once, on all nodes; null: as many as have slots.")
    nodes: int = Field(description="How many living nodes serve it.")
    paused_since: datetime | None = Field(description="Since when nothing of it starts.")
    reason: str | None = Field(description="Why it is paused.")


class Queues(Shape):
    """The queues in which anything waits or runs, that a node names, are paused or have a limit."""

    queues: list[Queue] = Field(description="By name.")


class Held(Shape):
    """What is paused as a whole."""

    scope: str = Field(description="`*` for everything, a module's id, `queue:` and a name, or `cleanups`.")
    reason: str | None = Field(description="Why.")
    since: datetime = Field(description="Since when.")


class CleanupsInStatus(Shape):
    """How it stands with cleanups."""

    on: int = Field(description="How many are enabled.")
    off: int = Field(description="How many are not.")
    frozen: bool = Field(description="Whether nothing may delete.")


class Next(Shape):
    """A task that comes next."""

    id: str = Field(description="The task.")
    name: str = Field(description="What people call it.")
    schedule: str = Field(description="When it runs, in words.")
    next_execution: datetime = Field(description="Its next time.")
    due: str = Field(description="How far away that is, in words.")


class Status(Shape):
    """What the scheduler is doing."""

    active: bool = Field(description="Whether this process carries out tasks.")
    node_id: str | None = Field(description="This process among the nodes.")
    running: int = Field(description="How many executions run here.")
    running_everywhere: int = Field(description="How many run on all nodes.")
    nodes: list[NodeInStatus] = Field(description="All nodes, oldest first.")
    paused: list[Held] = Field(description="What is paused as a whole.")
    cleanups: CleanupsInStatus = Field(description="How it stands with cleanups.")
    upcoming: list[Next] = Field(description="What comes next.")
    missed: int = Field(description="How many occurrences this process has found missed since it started.")
    lateness: float = Field(description="For how many seconds what waits longest could have run.")
    listeners: list[dict[str, Any]] = Field(description="Who is told of what happens, and how often that failed.")


class Info(Shape):
    """What answers here."""

    name: str = Field(description="`chamberlain`.")
    version: str = Field(description="The version of this process.")
    api_version: str = Field(description="`v1`.")
    session_id: str = Field(description="New at every start of the application.")
    node_id: str | None = Field(description="This process among the nodes.")
    timezone: str = Field(description="The zone of tasks that name none.")
    modules: list[str] = Field(description="The modules that run.")
    now: datetime = Field(description="The time here.")


class Calendar(Shape):
    """A calendar that tasks name."""

    name: str = Field(description="Its name.")
    module_id: str = Field(description="Whose it is.")
    definition: dict[str, Any] = Field(description="What it closes.")
    tasks: int = Field(description="How many pending and paused tasks carry it.")
    missing_since: datetime | None = Field(description="Since when its module registers it no more.")
    updated_at: datetime = Field(description="When it last changed.")


class Calendars(Shape):
    """All calendars."""

    calendars: list[Calendar] = Field(description="By name.")


class Closed(Shape):
    """A time that is closed."""

    from_: datetime = Field(alias="from", description="Its beginning.")
    to: datetime = Field(description="Its end, which is open.")


class CalendarDays(Calendar):
    """A calendar, and what it closes."""

    closed: list[Closed] = Field(description="In order, cut at both ends.")
    more: bool = Field(description="Whether there are more than 1,000.")


class Emitted(Shape):
    """What an event has set off."""

    event: str = Field(description="The event.")
    tasks: int = Field(description="How many tasks it set off.")


class AuditEntry(Shape):
    """Something that somebody has changed."""

    id: str = Field(description="Its id.")
    at: datetime = Field(description="When.")
    actor: str = Field(description="Who.")
    door: str = Field(description="By which way: `cli`, `api` or `dashboard`.")
    action: str = Field(description="What: `pause`, `update` and so on.")
    kind: str = Field(description="Of what kind of thing: `task`, `execution`, `cleanup` and so on.")
    target: str | None = Field(description="The thing's id.")
    name: str | None = Field(description="The thing's name.")
    before: dict[str, Any] | None = Field(description="The fields that have changed, as they were.")
    after: dict[str, Any] | None = Field(description="The fields that have changed, as they are.")


class AuditPage(Shape):
    """A page of the audit, newest first."""

    entries: list[AuditEntry] = Field(description="The entries.")
    next_cursor: str | None = Field(description=NEXT_CURSOR)


class Operation(Shape):
    """An operation that can be called by name."""

    name: str = Field(description="Its name.")
    description: str = Field(description="What it does.")
    parameters: dict[str, Any] = Field(description="The JSON schema of its parameters.")


class Operations(Shape):
    """The operations that can be called by name."""

    operations: list[Operation] = Field(description="The operations.")


class Performed(Shape):
    """What an operation answers."""

    data: Any = Field(description="As the method of the service with that name does.")


class Alert(Shape):
    """A rule by which alerts are sent."""

    rule: str = Field(description="Its name.")
    on: list[str] = Field(description="Which incidents it tells.")
    every: float = Field(description="Seconds in which it sends one alert at most.")
    silent_until: datetime | None = Field(description="Before when it sends no other alert.")
    waiting: dict[str, Any] | None = Field(description="What it has gathered for its next alert.")
    sending: dict[str, Any] | None = Field(description="The alert that is on its way.")
    tries: int = Field(description="How often that one has been tried in vain.")


class Alerts(Shape):
    """The rules by which alerts are sent."""

    alerts: list[Alert] = Field(description="By name.")
